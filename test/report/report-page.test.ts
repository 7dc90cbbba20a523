import { execFile } from "node:child_process";
import { promisify } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { reportPage } from "../../src/report/html/report-page.ts";
import { html, markupOf } from "../../src/report/html/safe-html.ts";
import { withHostileText } from "../support/hostile-report.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const SVG_ELEMENTS = new Set([
  "svg",
  "title",
  "g",
  "path",
  "text",
  "tspan",
  "rect",
  "circle",
  "line",
  "polyline",
  "polygon",
  "defs",
  "clippath",
]);

/** Names of elements with the names of their attributes, outside pictures. */
function shape(page: string): readonly string[] {
  const outside = page.replace(/<svg[\s\S]*?<\/svg>/g, "").replace(/="[^"]*"/g, '=""');
  return [...outside.matchAll(/<(\/?[a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"]*")?)*)\s*>/gi)].map(
    ([, name, attributes]) =>
      `${name} ${[...(attributes ?? "").matchAll(/\s([a-z-]+)=/gi)].map((match) => match[1]).join(" ")}`,
  );
}

test("inserted text is escaped, inserted markup is not, and nothing is nothing", () => {
  expect(markupOf(html`<p title="${`"'`}">${"<b>&"}${html`<i>${1}</i>`}${undefined}</p>`)).toBe(
    `<p title="&quot;&#39;">&lt;b&gt;&amp;<i>1</i></p>`,
  );
});

test("hostile text changes what the page says and never what it is", async () => {
  const clean = shape(await reportPage(buildRunReport({ verdict: "reject" })));
  const hostile = fc
    .array(
      fc.constantFrom(
        "<script>alert(1)</script>",
        "</svg>",
        "</title>",
        "</style>",
        '" onload="x',
        "' onerror='x",
        "<!--",
        "]]>",
        "\u0000",
        "\u001b[2J",
        "\u202e",
        "\ud800",
        "&lt;",
        "{a|b}",
        "{b}",
      ),
      { minLength: 1, maxLength: 5 },
    )
    .map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(hostile, async (text) => {
      const page = await reportPage(withHostileText(buildRunReport({ verdict: "reject" }), text));
      expect(shape(page)).toEqual(clean);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
      expect(page).not.toMatch(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\p{Surrogate}/u);
      expect(page).not.toMatch(/<script|<!--|\son[a-z]+="/i);
      for (const [, name] of page
        .match(/<svg[\s\S]*?<\/svg>/g)
        ?.join("")
        .matchAll(/<\/?([a-z]+)/gi) ?? []) {
        expect(SVG_ELEMENTS).toContain(name?.toLowerCase());
      }
    }),
    { numRuns: 15 },
  );
});

test("the page asks for nothing: no script, no address to load from, a policy that forbids both", async () => {
  const page = await reportPage(buildRunReport({ verdict: "promote" }));
  expect(page).toContain("default-src &#39;none&#39;");
  expect(page).not.toMatch(/<script|<link rel="stylesheet|@import|url\(http|src="/);
  expect(page.match(/href="[^"]*"/g)).toEqual(['href="data:,"']);
});

test("every id on the page stands once and every picture has a title", async () => {
  const page = await reportPage(buildRunReport({ verdict: "hold" }));
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1]);
  expect(new Set(ids).size).toBe(ids.length);
  const pictures = page.match(/<svg[\s\S]*?<\/svg>/g) ?? [];
  expect(pictures.length).toBeGreaterThan(15);
  for (const picture of pictures) expect(picture).toMatch(/<title id="[^"]+">[^<]{10,}<\/title>/);
});

test("a run that ended before traffic still has a page that says what is missing", async () => {
  const report = buildRunReport({ verdict: "reject" });
  const page = await reportPage({
    ...report,
    slos: [],
    trails: [],
    distributions: [],
    timeline: [],
    actions: [],
    consequences: [],
    noise: [],
    stubCalls: [],
    quiet: {
      actions: [],
      residue: [],
      failed: { actionId: "more-workers", during: "act", message: "no such service" },
    },
    rollback: { kind: "not-run", why: "the quiet proof failed" },
    mirror: { ...report.mirror, fidelity: [] },
    traffic: { ...report.traffic, routes: [], phases: {} },
  });
  expect(page).toContain("No SLO was judged in this run.");
  expect(page).toContain("no such service");
  expect(page).toContain("the quiet proof failed");
  expect(page).not.toContain("NaN");
});

test("SLOs without data or without information are drawn without inventing a measurement", async () => {
  const report = buildRunReport({ verdict: "hold" });
  const unknown = { level: 0.99, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY };
  const slos = report.slos.map(({ estimate: _none, ...slo }, i) => ({
    ...slo,
    interval: unknown,
    state: i === 0 ? ("no-data" as const) : ("open" as const),
  }));
  const page = await reportPage({ ...report, slos, trails: [] });
  expect(page).toContain("interval: unknown");
  expect(page).not.toMatch(/NaN|Infinity|undefined/);
});

test("writing a page leaves nothing that keeps a process alive", async () => {
  const page = new URL("../../src/report/html/report-page.ts", import.meta.url).href;
  const builder = new URL("../support/run-report-builder.ts", import.meta.url).href;
  const script = `
    const { reportPage } = await import(${JSON.stringify(page)});
    const { buildRunReport } = await import(${JSON.stringify(builder)});
    console.log((await reportPage(buildRunReport({ verdict: "hold" }))).length > 100_000);`;
  const run = promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], { timeout: 20_000 });
  expect((await run).stdout.trim()).toBe("true");
});
