import { describe, expect, test } from "vitest";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { summaryMarkdown } from "../../src/report/files/summary-md.ts";
import { reportPage } from "../../src/report/html/report-page.ts";
import { describeInterval, sloWords } from "../../src/report/slo-words.ts";
import { look, P50, storeOf, WINDOWS } from "../judge/support/judged.ts";
import { buildRunReport } from "../support/run-report-builder.ts";

function judged(baseline: { readonly fromMs: number; readonly toMs: number }): SloJudgement {
  const after = { fromMs: baseline.toMs, toMs: baseline.toMs };
  const [slo] = look(storeOf(), { slos: [P50], windows: { baseline, after } });
  if (slo === undefined) throw new Error("nothing was judged");
  return slo;
}

describe("a run that is held before its plan", () => {
  test("shows the levels of its baseline, and no zero for what was not measured", async () => {
    const slo = judged(WINDOWS.baseline);
    const words = sloWords(slo);
    expect(words.controlLevels).toMatch(/^[1-9][\d.]* ms → not measured$/);
    expect(words.shadowLevels).toMatch(/^[1-9][\d.]* ms → not measured$/);
    expect(words.measured).toBe("not measured");
    const report = buildRunReport({ verdict: "hold", slos: [slo] });
    expect(summaryMarkdown(report)).toContain(words.shadowLevels);
    const page = await reportPage(report);
    expect(page).toContain(words.controlLevels);
    expect(slo.blocks.before).toBeGreaterThan(0);
    expect(page).toMatch(new RegExp(`<td[^>]*>${slo.blocks.before} \\+ 0</td>`));
    expect(page).toMatch(/<td[^>]*>not measured<\/td>/);
    expect(page).not.toMatch(/<td[^>]*>(0%|0 ms|0\.0)<\/td>/);
  });

  test("without a single block of baseline measured nothing", () => {
    const words = sloWords(judged({ fromMs: 0, toMs: 0 }));
    expect(words.controlLevels).toBe("not measured → not measured");
    expect(words.measured).toBe("not measured");
  });
});

test("what was measured after the plan only is shown, whatever is missing before it", () => {
  const [slo] = look({}, { slos: [P50], windows: { baseline: { fromMs: 0, toMs: 0 }, after: WINDOWS.after } });
  if (slo === undefined) throw new Error("nothing was judged");
  expect(sloWords(slo).shadowLevels).toMatch(/^not measured → [1-9][\d.]* ms$/);
});

test("the reason of an SLO rounds its interval as every table does", () => {
  const [slo] = look({ slower: 1.0937 }, { slos: [P50] });
  if (slo === undefined) throw new Error("nothing was judged");
  expect(slo.note).toContain(`interval ${describeInterval(slo)}`);
});
