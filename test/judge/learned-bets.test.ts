import { describe, expect, test } from "vitest";
import { logEvidenceBelow } from "../../src/judge/request-test.ts";

const pairs = (shadowOnly: number, controlOnly: number, neither: number) => ({ shadowOnly, controlOnly, neither });
const BASELINES = [pairs(0, 0, 6000), pairs(6, 5, 5989), pairs(40, 2, 5958), pairs(0, 0, 0)];

describe("bets that learn from the baseline", () => {
  test("are worth what they cost when the shadow is exactly at the bound, whatever was learned", () => {
    const bound = 0.002;
    for (const learned of BASELINES) {
      for (const controlOnly of [0, 0.001, 0.2]) {
        const worth = (outcome: ReturnType<typeof pairs>): number =>
          Math.exp(logEvidenceBelow(outcome, bound, learned));
        const shadowOnly = bound + controlOnly;
        const mean =
          shadowOnly * worth(pairs(1, 0, 0)) +
          controlOnly * worth(pairs(0, 1, 0)) +
          (1 - shadowOnly - controlOnly) * worth(pairs(0, 0, 1));
        expect(mean).toBeCloseTo(1, 10);
      }
    }
  });
  test("after a clean baseline need fewer clean pairs than even bets", () => {
    const seen = pairs(0, 0, 3000);
    expect(logEvidenceBelow(seen, 0.002)).toBeLessThan(Math.log(100));
    expect(logEvidenceBelow(seen, 0.002, pairs(0, 0, 6000))).toBeGreaterThan(Math.log(100));
  });
  test("lose little when the plan changes what errors are like", () => {
    const seen = pairs(30, 25, 20_000);
    const [even, misled] = [logEvidenceBelow(seen, 0.003), logEvidenceBelow(seen, 0.003, pairs(0, 0, 6000))];
    expect(even - misled).toBeLessThan(Math.log(10));
  });
  test("have less evidence with every failure of the shadow, and more with every one of the control", () => {
    for (const learned of BASELINES) {
      const at = (shadowOnly: number, controlOnly: number): number =>
        logEvidenceBelow(pairs(shadowOnly, controlOnly, 5990 - shadowOnly - controlOnly), 0.002, learned);
      expect(at(3, 1)).toBeLessThan(at(2, 1));
      expect(at(2, 2)).toBeGreaterThan(at(2, 1));
    }
  });
});
