import { describe, expect, test } from "vitest";
import type { SloCalibration } from "../../src/judge/calibration.ts";
import { explainSlo } from "../../src/judge/explain-slo.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { trustedProfile } from "../../src/judge/trust-profile.ts";
import { numberedStore, traffic } from "../support/judged-traffic.ts";
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
    expect(trusted(calm(0.0001))).toEqual({ contradicted: "noise", driftSd: 0.001 });
  });
  test("no longer vouches for short blocks once it is contradicted, in the judgement itself", () => {
    const blockMs = (sd: number): number | undefined =>
      judgeSlos({ ...given(calm(sd)), windows: WINDOWS, restarted: false })[0]?.blocks.blockMs;
    expect(blockMs(0.5)).toBe(2000);
    expect(blockMs(0.0001)).toBe(5000);
  });
  test("is said not to be believed, and why, where blocks and bias are explained", () => {
    const explained = (calibration: SloCalibration, of = store): string => {
      const [slo] = judgeSlos({ ...given(calibration), store: of, windows: WINDOWS, restarted: false });
      if (slo === undefined) throw new Error("nothing was judged");
      const lines = explainSlo(slo, { limits: LIMITS, sloCount: 1 });
      return lines
        .flatMap(({ topic, text }) => (topic === "blocks" || topic === "own difference" ? [text] : []))
        .join("\n");
    };
    const loud = explained(calm(0.0001));
    expect(loud).toContain("blocks stand alone, and the baseline of this run is noisier than the calibration was");
    expect(loud).toContain(
      "the calibration is not believed, the baseline of this run is noisier than the calibration was",
    );
    const apart = numberedStore({ routes: ["browse"] });
    apart.addPairs(traffic({ seed: 1, ratePerSecond: 100, slower: 1.05, fromMs: 0, toMs: WINDOWS.after.toMs }));
    expect(explained(calm(0.5), apart)).not.toContain("not believed");
    expect(explained({ ...calm(0.5), tau: 0.005 }, apart)).toContain(
      "the calibration is not believed, the baseline of this run has the twins further apart than the calibration allows",
    );
    expect(explained(calm(0.5))).not.toContain("not believed");
  });
  test("of nothing is nothing", () => {
    expect(trustedProfile({ store, slos: [P50], limits: LIMITS, baseline: WINDOWS.baseline })).toEqual({});
  });
});
