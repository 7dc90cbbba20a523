import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { sloWords } from "../../src/report/slo-words.ts";
import { VERDICT_WORDS } from "../../src/report/verdict-words.ts";
import { writeReports } from "../../src/report/write-reports.ts";
import { launchChromium } from "../support/chromium.ts";
import { withHostileText } from "../support/hostile-report.ts";
import { auditPage, paleTexts } from "../support/page-audit.ts";
import { VERDICT_KINDS } from "../support/run-event-script.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

let browser: Browser;
let dir: string;

beforeAll(async () => {
  browser = await launchChromium();
  dir = await mkdtemp(path.join(tmpdir(), "canary-page-"));
  for (const kind of VERDICT_KINDS) await writeReports(buildRunReport({ verdict: kind }), path.join(dir, kind));
  const hostile = `"><script>document.title='owned'</script><img src=x onerror="document.title='owned'">`;
  await writeReports(withHostileText(buildRunReport({ verdict: "reject" }), hostile), path.join(dir, "hostile"));
});

afterAll(async () => {
  await browser.close();
  await rm(dir, { recursive: true });
});

interface Visit {
  readonly page: Page;
  /** Everything the page logged or asked for beside itself; must stay empty. */
  readonly noise: string[];
}

async function visit(
  name: string,
  options: { width: number; scheme: "light" | "dark" },
): Promise<Visit & AsyncDisposable> {
  const context = await browser.newContext({
    viewport: { width: options.width, height: 900 },
    colorScheme: options.scheme,
  });
  const page = await context.newPage();
  const url = pathToFileURL(path.join(dir, name, "report.html")).href;
  const noise: string[] = [];
  page.on("console", (message) => noise.push(message.text()));
  page.on("pageerror", (error) => noise.push(error.message));
  page.on("request", (request) => {
    if (request.url() !== url && !request.url().startsWith("data:")) noise.push(request.url());
  });
  await page.goto(url);
  return { page, noise, [Symbol.asyncDispose]: () => context.close() };
}

for (const kind of VERDICT_KINDS) {
  test(`shows a ${kind} with its reasons and every SLO, silently and without a request`, async () => {
    const report = buildRunReport({ verdict: kind });
    await using visited = await visit(kind, { width: 1200, scheme: "light" });
    const { page, noise } = visited;
    const answer = page.getByRole("region", { name: "Verdict" });
    expect(await answer.getByText(VERDICT_WORDS[kind].title).isVisible()).toBe(true);
    for (const reason of report.verdict.reasons) expect(await answer.getByText(reason.message).isVisible()).toBe(true);
    for (const slo of report.slos.map(sloWords)) {
      const row = page.locator(".slo").filter({ has: page.getByRole("heading", { name: slo.name }) });
      expect(await row.getByText(slo.measured, { exact: true }).isVisible()).toBe(true);
      expect(await row.getByText(slo.stateWord, { exact: true }).isVisible()).toBe(true);
      expect(await row.getByRole("img", { name: slo.name }).isVisible()).toBe(true);
    }
    expect(noise).toEqual([]);
  });

  for (const scheme of ["light", "dark"] as const) {
    test(`all text of a ${kind} has contrast in ${scheme} mode`, async () => {
      await using visited = await visit(kind, { width: 1200, scheme });
      await visited.page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true");
      expect((await auditPage(visited.page)).texts.length).toBeGreaterThan(150);
      expect(await paleTexts(visited.page)).toEqual([]);
    });
  }
}

for (const width of [320, 400, 760, 1000, 1600]) {
  test(`fits ${width} pixels without scrolling sideways, its pictures large enough to read`, async () => {
    await using visited = await visit("reject", { width, scheme: "light" });
    const { overflowPx, pictures } = await auditPage(visited.page);
    expect(overflowPx).toBeLessThanOrEqual(0);
    // One per SLO, per route, per trail, and the timeline.
    expect(pictures).toHaveLength(3 + 4 + 3 + 1);
    for (const picture of pictures) {
      expect(picture.height).toBeGreaterThan(60);
      expect(picture.width).toBeLessThanOrEqual(width);
      expect(picture.scale).toBeGreaterThan(0.7);
    }
  });
}

test("headings go down one level at a time, and every table has a caption and heads", async () => {
  await using visited = await visit("reject", { width: 1200, scheme: "light" });
  const { headingLevels: levels, bareTables } = await auditPage(visited.page);
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [i, level] of levels.entries()) expect(level).toBeLessThanOrEqual((levels[i - 1] ?? 0) + 1);
  expect(bareTables).toBe(0);
});

test("prints on paper: light, whole, with the answer on the first page", async () => {
  await using visited = await visit("promote", { width: 1200, scheme: "dark" });
  await visited.page.emulateMedia({ media: "print", colorScheme: "dark" });
  expect((await auditPage(visited.page)).pageColor).toBe("rgb(255, 255, 255)");
  expect(await paleTexts(visited.page)).toEqual([]);
  const pdf = await visited.page.pdf({ format: "A4" });
  expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
});

test("markup in a plan's text is read, not run", async () => {
  await using visited = await visit("hostile", { width: 1200, scheme: "light" });
  expect(await visited.page.title()).toContain("<script>");
  expect((await auditPage(visited.page)).active).toBe(0);
  expect(visited.noise).toEqual([]);
});
