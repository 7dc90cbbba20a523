import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BiasQuestion, CALIBRATION_RULES, chooseBias, leastBias } from "../../src/judge/calibration.ts";
import { confidenceSequence } from "../../src/judge/confidence-sequence.ts";
import { JUDGE_RULES } from "../../src/judge/judge-limits.ts";

const P99 = { kind: "latency", quantile: 0.99 } as const;
const ERRORS = { kind: "errors" } as const;

function ask(changes: Partial<BiasQuestion>): ReturnType<typeof chooseBias> {
  return chooseBias({
    measure: P99,
    scale: "log",
    restarted: false,
    calibration: undefined,
    controlLevel: 20,
    ...changes,
  });
}

describe("whatever a profile says", () => {
  test("a bias is never believed to be smaller than half a percent, or a hundredth of a point of errors", () => {
    const calibration = { tau: 1e-9, restart: { sd: 1e-9, rounds: 1 } };
    const latency = ask({ calibration, restarted: true });
    expect(latency.bias).toMatchObject({ tau: JUDGE_RULES.tauRatioMin, redrawn: { sd: JUDGE_RULES.tauRatioMin } });
    const errors = ask({ calibration, restarted: true, measure: ERRORS, scale: "absolute", controlLevel: 0.002 });
    const least = CALIBRATION_RULES.tauErrorsMin;
    expect(errors.bias).toMatchObject({ tau: least, redrawn: { sd: least } });
    const memory = { kind: "memory", service: "api" } as const;
    expect(leastBias({ measure: memory, scale: "absolute", controlLevel: 1000 })).toBe(5);
  });

  test("one twin that restarts is never believed to move less than two that were raised", () => {
    const { bias } = ask({ calibration: { tau: 0.03, restart: { sd: 0.01, rounds: 1 } }, restarted: true });
    expect(bias.redrawn?.sd).toBe(0.03);
  });

  test("a baseline that speaks against it takes the profile out of the judgement, and a restart is uncalibrated again", () => {
    const calibration = { tau: 0.01, restart: { sd: 0.01, rounds: 1 } };
    const fits = { estimate: 0.02, standardError: 0.004 };
    const speaksAgainst = { estimate: 0.03, standardError: 0.004 };
    expect(ask({ calibration, baseline: fits })).toMatchObject({ contradicted: false, bias: { tau: 0.01 } });
    expect(ask({ calibration, baseline: speaksAgainst })).toMatchObject({ contradicted: true, bias: { tau: 0 } });
    expect(ask({ calibration, baseline: speaksAgainst, restarted: true })).toMatchObject({ calibrated: false });
    expect(ask({ calibration, baseline: { estimate: Number.NaN, standardError: 1 } }).contradicted).toBe(true);
  });

  test("drift widens for runs that span more time, never shrinks, and stays when the rest is contradicted", () => {
    const calibration = { tau: 0.01, driftSd: 0.01, driftSeconds: 20 };
    expect(ask({ calibration, spanSeconds: 80 }).bias.driftSd).toBeCloseTo(0.02, 12);
    expect(ask({ calibration, spanSeconds: 5 }).bias.driftSd).toBe(0.01);
    const baseline = { estimate: 1, standardError: 0.001 };
    expect(ask({ calibration, spanSeconds: 80, baseline })).toMatchObject({ contradicted: true });
    expect(ask({ calibration, spanSeconds: 80, baseline }).bias.driftSd).toBeCloseTo(0.02, 12);
  });

  /** The stated amount: what stays of the bias when as little as possible of it is removed. */
  test("a profile that lies hides at most 2.6 standard errors of the run's own baseline", () => {
    const influence = (sd: number, size: number) => Array.from({ length: size }, (_, i) => (i % 2 === 0 ? sd : -sd));
    fc.assert(
      fc.property(
        fc.double({ min: -0.3, max: 0.3, noNaN: true }),
        fc.double({ min: 0.001, max: 0.2, noNaN: true }),
        fc.double({ min: 1e-9, max: 0.2, noNaN: true }),
        fc.integer({ min: 20, max: 60 }),
        (biasBefore, blockSd, tau, m) => {
          const standardError = blockSd / Math.sqrt(m);
          const { bias } = ask({ calibration: { tau }, baseline: { estimate: biasBefore, standardError } });
          const before = { estimate: biasBefore, influence: influence(blockSd, m) };
          const after = { estimate: biasBefore, influence: influence(blockSd, 10) };
          const seen = confidenceSequence({ before, after, floor: 0.001 }, bias, { alpha: 0.01, g: 1 });
          // The blocks' own sd is estimated with two degrees less than there are blocks.
          expect(Math.abs(seen.estimate)).toBeLessThanOrEqual(1.05 * CALIBRATION_RULES.contradictionZ * standardError);
        },
      ),
    );
  });
});
