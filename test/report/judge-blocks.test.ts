import { expect, test } from "vitest";
import type { Comparison } from "../../src/judge/comparison.ts";
import { reportJson } from "../../src/report/files/report-json.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { comparisonBlock } from "../../src/report/terminal/comparison-block.ts";
import { explanationBlock } from "../../src/report/terminal/explanation-block.ts";
import { createPaint } from "../../src/report/terminal/paint.ts";
import { textWidth } from "../../src/report/terminal/text-width.ts";
import { whatIfBlock } from "../../src/report/terminal/what-if-block.ts";
import { VERDICT_KINDS } from "../support/run-event-script.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

const paint = createPaint({ color: false });
const HOSTILE = "x\u001b[2J\u202e\nPROMOTE";

test.each(VERDICT_KINDS)("a %s is explained step by step in lines that fit", async (kind) => {
  const { explanation } = buildRunReport({ verdict: kind });
  const lines = explanationBlock(explanation, { columns: 90, paint });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot(`golden/explained-${kind}.txt`);
  for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(90);
});

test("a what-if shows both answers side by side, marks what differs, and says that it is unsigned", async () => {
  const [was, now] = [buildRunReport({ verdict: "promote" }), buildRunReport({ verdict: "hold" })];
  const changes = [{ what: "alpha", was: "0.01", now: "0.005" }];
  const told = { planName: was.plan.name, changes, ownTerms: was, verdict: now.verdict, slos: now.slos };
  const lines = whatIfBlock(told, { columns: 100, paint });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("golden/what-if.txt");
});

test("the same verdict is not marked as a difference", () => {
  const { plan, verdict, slos } = buildRunReport({ verdict: "hold" });
  const told = { planName: plan.name, changes: [], ownTerms: { verdict, slos }, verdict, slos };
  expect(whatIfBlock(told, { columns: 100, paint }).join("\n")).not.toContain("*");
});

const COMPARED: Comparison = {
  name: "latency",
  limit: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
  unit: "",
  answer: "undecided",
  because: { code: "UNDERPOWERED", message: "The interval does not settle the limit; about 90 blocks would." },
  baseline: "none",
  notes: ["3 rows that repeat another were left out"],
  measured: {
    estimate: 0.04,
    interval: { level: 0.98, lo: -0.02, hi: 0.12 },
    blocks: { before: 0, after: 60, invalid: 2, pointsPerBlock: 2, blockMs: 30_000, effective: 51.2 },
    levels: { controlBefore: null, controlAfter: 20.1, experimentBefore: null, experimentAfter: 20.9 },
    biasRemoved: 0,
    biasSd: 0.05,
    blockSd: 0.04,
    varianceInflation: 1.17,
    standardError: 0.0056,
    degrees: 50.2,
    critical: 3.5,
    widening: 0.129,
    correlation: 0.4,
  },
};

test("a comparison says its answer, its numbers, how it came to them, and what such series can not show", async () => {
  const lines = comparisonBlock(COMPARED, { columns: 100, paint, explain: true });
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("golden/comparison.txt");
});

test("names from outside command no terminal in any of them", () => {
  const report = buildRunReport({ verdict: "hold" });
  const slos = report.slos.map((slo) => ({ ...slo, name: HOSTILE }));
  const told = {
    planName: HOSTILE,
    changes: [{ what: HOSTILE, was: HOSTILE, now: HOSTILE }],
    ownTerms: { ...report, slos },
  };
  const explanation = { run: [{ topic: HOSTILE, text: HOSTILE }], slos: [] };
  const text = [
    ...whatIfBlock({ ...told, verdict: report.verdict, slos }, { columns: 100, paint }),
    ...explanationBlock(explanation, { columns: 100, paint }),
    ...comparisonBlock({ ...COMPARED, name: HOSTILE }, { columns: 100, paint, explain: true }),
  ].join("\n");
  expect(text).not.toContain("\u001b");
  expect(text).not.toContain("\u202e");
  expect(text).not.toMatch(/^PROMOTE/m);
});

test("the page folds the chain of reasoning away, and report.json holds it", async () => {
  const report = buildRunReport({ verdict: "hold" });
  const page = await reportPage(report);
  expect(page).toMatch(/<h2 id="explanation-title">How this was decided<\/h2>\s*<details><summary>/);
  expect(page).toContain("half-width = critical value x standard error");
  expect(JSON.parse(reportJson(report)).explanation.slos).toHaveLength(report.slos.length);
});
