import fc from "fast-check";
import { expect, test } from "vitest";
import type { SloJudgement } from "../../src/judge/verdict.ts";
import { deltaBar } from "../../src/report/terminal/delta-bar.ts";
import { createPaint } from "../../src/report/terminal/paint.ts";
import { textWidth } from "../../src/report/terminal/text-width.ts";
import { sloJudgements } from "../support/run-report-builder.ts";

const paint = createPaint({ color: false });

function latency(changes: Partial<SloJudgement>): SloJudgement {
  const [, slo] = sloJudgements("promote");
  if (slo === undefined) throw new Error("the builder has a latency SLO");
  return { ...slo, ...changes };
}

function check(changes: Partial<SloJudgement>, bar: string): void {
  expect(deltaBar(latency(changes), 33, paint)).toBe(bar);
}

test("an interval inside the limit stands left of it", () =>
  check({ interval: { level: 0.99, lo: -0.02, hi: 0.05 }, estimate: 0.012 }, "───────────[━━━●━━━━]──────┤·····"));

test("a limit inside the interval stays visible, since it is the whole question", () =>
  check(
    { state: "open", interval: { level: 0.99, lo: 0.02, hi: 0.12 }, estimate: 0.06 },
    "──────────────┊─[━━━━━●━━━━┿━━]··",
  ));

test("an interval that leaves the picture ends in an arrow", () =>
  check(
    { state: "fail", interval: { level: 0.99, lo: 0.08, hi: 0.9 }, estimate: 0.5 },
    "──────────────┊──────────[━┿━━━━▸",
  ));

test("an interval wholly out of the picture is one arrow", () =>
  check(
    { state: "fail", interval: { level: 0.99, lo: 0.5, hi: 0.9 }, estimate: 0.7 },
    "──────────────┊────────────┤····▸",
  ));

test("without information only the scale is drawn", () =>
  check(
    { state: "open", interval: { level: 0.99, lo: -Infinity, hi: Infinity } },
    "──────────────┊────────────┤·····",
  ));

test("without data only the scale is drawn", () => check({ state: "no-data" }, "──────────────┊────────────┤·····"));

test("always fills exactly the room it is given", () => {
  const bound = fc.oneof(fc.constantFrom(-Infinity, Infinity), fc.double({ min: -5, max: 5, noNaN: true }));
  const pair = fc.tuple(bound, bound).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(pair, pair, fc.integer({ min: 2, max: 90 }), ([lo, hi], [from, to], columns) => {
      const slo = latency({ accepted: { scale: "ratio", lo, hi }, interval: { level: 0.99, lo: from, hi: to } });
      expect(textWidth(deltaBar(slo, columns, paint))).toBe(columns);
    }),
  );
});
