import { expect, test } from "vitest";
import { inForceOf } from "../../src/run/in-force.ts";

const window = (fromMs: number, toMs: number) => ({ fromMs, toMs });
const phases = {
  baseline: window(0, 60_000),
  acting: window(60_000, 61_000),
  settling: window(61_000, 71_000),
  observing: window(71_000, 176_500),
  undoing: window(180_000, 181_000),
};
const round = (startMs: number, onMs: number) => ({
  before: window(startMs - 10_000, startMs),
  acting: window(startMs, startMs + 500),
  settling: window(startMs + 500, startMs + 2500),
  on: window(startMs + 2500, startMs + 2500 + onMs),
  undoing: window(startMs + 20_000, startMs + 21_000),
  after: window(startMs + 22_000, startMs + 32_000),
});

test("a plan that is applied once is in force while it settles and is observed", () => {
  expect(inForceOf({ phases })).toEqual({ design: { kind: "before-after" }, longestInForceSeconds: 115.5 });
});

test("a plan that is applied in rounds is in force for the longest of them, not for their sum", () => {
  const last = round(400_000, 10_000);
  const { acting, settling, on: observing } = last;
  const rounds = [round(100_000, 10_000), round(200_000, 12_000), last];
  expect(inForceOf({ phases: { acting, settling, observing }, rounds })).toEqual({
    design: { kind: "switchback", rounds: 3 },
    longestInForceSeconds: 14,
  });
});

test("a plan that never acted under load was in force for no time, one that only acted for no known time", () => {
  expect(inForceOf({ phases: { baseline: phases.baseline } })).toEqual({});
  expect(inForceOf({ phases: { acting: phases.acting } })).toEqual({ design: { kind: "before-after" } });
});
