import { describe, expect, test } from "vitest";
import type { SloCalibration } from "../../src/judge/calibration.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { trustedProfile } from "../../src/judge/trust-profile.ts";
import { LIMITS, P50, storeOf, WINDOWS } from "./support/judged.ts";

const calm = (sd: number): SloCalibration => ({
  tau: 0.02,
  driftSd: 0.001,
  blocks: [{ blockMs: 2000, sd, varianceInflation: 1, count: 240 }],
  vouches: true,
});
const store = storeOf({});
const given = (p50: SloCalibration) => ({ store, slos: [P50], limits: LIMITS, profile: { slos: { p50 } } });
const trusted = (calibration: SloCalibration) =>
  trustedProfile({ ...given(calibration), baseline: WINDOWS.baseline }).profile?.slos["p50"];

describe("a profile held against the baseline of the run", () => {
  test("is believed where the noise is what it saw", () => {
    expect(trusted(calm(0.5))).toEqual(calm(0.5));
  });
  test("of a quieter hour leaves nothing but what widens", () => {
    expect(trusted(calm(0.0001))).toEqual({ contradicted: true, driftSd: 0.001 });
  });
  test("no longer vouches for short blocks once it is contradicted, in the judgement itself", () => {
    const blockMs = (sd: number): number | undefined =>
      judgeSlos({ ...given(calm(sd)), windows: WINDOWS, restarted: false })[0]?.blocks.blockMs;
    expect(blockMs(0.5)).toBe(2000);
    expect(blockMs(0.0001)).toBe(5000);
  });
  test("of nothing is nothing", () => {
    expect(trustedProfile({ store, slos: [P50], limits: LIMITS, baseline: WINDOWS.baseline })).toEqual({});
  });
});
