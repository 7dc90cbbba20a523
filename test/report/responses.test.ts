import { expect, test } from "vitest";
import { explain } from "../../src/judge/explain.ts";
import { DEFAULT_JUDGE_LIMITS } from "../../src/judge/judge-limits.ts";
import { junitXml } from "../../src/report/files/junit-xml.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { finalBlock } from "../../src/report/terminal/final-block.ts";
import { createPaint } from "../../src/report/terminal/paint.ts";
import { RESPONSES } from "../support/response-judgement.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const REPORT: RunReport = { ...buildRunReport({ verdict: "promote" }), responses: RESPONSES };

/** From a heading to the next one of its kind. */
function partOf(text: string, from: string, to: string): string {
  const start = text.indexOf(from);
  expect(start).toBeGreaterThanOrEqual(0);
  return text.slice(start, text.indexOf(to, start + from.length));
}

test("the summary lists what is more than noise, folds noise away, and says where too little was seen", async () => {
  const part = partOf(summaryMarkdown(REPORT), "## Answers compared", "\n## ");
  await expect(part).toMatchFileSnapshot("golden/responses.md");
});

test("CI sees a test for each route: failed, passed, and skipped where too little was seen", async () => {
  const part = partOf(junitXml(REPORT), '  <testsuite name="responses"', "  <testsuite name");
  await expect(part).toMatchFileSnapshot("golden/responses.xml");
});

test("the page has a part for each route, with every place and what became of it", async () => {
  const part = partOf(await reportPage(REPORT), '<section id="responses"', "<section");
  await expect(part).toMatchFileSnapshot("golden/responses.html");
});

test("the terminal ends with one sentence about the answers", async () => {
  const block = { planName: "p", verdict: REPORT.verdict, slos: [], reportDir: "reports/r", responses: RESPONSES };
  const lines = finalBlock(block, { columns: 90, paint: createPaint({ color: false }) });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("golden/responses.txt");
});

test("the explanation says what was asked of the answers", () => {
  const { verdict, slos } = REPORT;
  const trace = { verdict, slos, limits: DEFAULT_JUDGE_LIMITS, phases: {}, late: {}, cores: "pinned" as const };
  const line = explain({ ...trace, responses: RESPONSES }).run.find(({ topic }) => topic === "answers");
  expect(line?.text).toContain("each at 0.002");
  expect(line?.text).toContain(
    "Shown and not declared: 1; shown and declared: 1; outlived the undo: 0; seen but not shown: 1; noise before the plan: 1.",
  );
  expect(line?.text).toContain("Too few pairs to show a change: import.");
  expect(explain(trace).run.map(({ topic }) => topic)).not.toContain("answers");
});

test("a run that compared no answers says nothing of them", async () => {
  const report = buildRunReport({ verdict: "promote" });
  for (const text of [summaryMarkdown(report), await reportPage(report)])
    expect(text).not.toContain("Answers compared");
  expect(junitXml(report)).not.toContain('name="responses"');
});
