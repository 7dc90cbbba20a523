import { describe, expect, test } from "vitest";
import { JudgeLimitsSchema, type SwitchbackDesign } from "../../src/judge/judge-limits.ts";
import { plannedRounds, roundSd } from "../../src/judge/planned-rounds.ts";
import type { LearnedSlo } from "../../src/judge/profile.ts";
import { forecastRounds, learnedRoundSd } from "../../src/judge/rounds-forecast.ts";
import { profileFor } from "../support/profile-builder.ts";
import { P50, slo, storeOf, WINDOWS } from "./support/judged.ts";

const DESIGN: SwitchbackDesign = { kind: "switchback", rounds: 12, secondsOn: 10, secondsOff: 10, settleSeconds: 3 };
const LIMITS = JudgeLimitsSchema.parse({ blockSeconds: 2, baselineSecondsMax: 60, design: DESIGN });
const QUESTION = { design: DESIGN, limits: LIMITS, ratePerSecond: 100, restarted: false };
const STRICT = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+0.1pp" } });

describe("what the rounds of a switchback can tell", () => {
  test("is not known from the rate, which only rules out, and how long they take is", () => {
    expect(forecastRounds(P50, QUESTION)).toMatchObject({
      from: "rate",
      smallest: null,
      possible: true,
      baselineSeconds: 40,
      observeSeconds: 8 * 26,
      allowed: { baselineSeconds: 60, observeSeconds: 12 * 26 },
    });
  });
  test("is ruled out by a rule that the rate can not meet, with the rounds that would do", () => {
    const forecast = forecastRounds(STRICT, { ...QUESTION, ratePerSecond: 50 });
    expect(forecast).toMatchObject({ possible: false, from: "rate" });
    expect(forecast.advice).toMatch(/see 6000 of its requests .* 7\d\d\d are needed .*; 15 rounds would do$/);
    const longer = { ...DESIGN, rounds: 15 };
    expect(forecastRounds(STRICT, { ...QUESTION, design: longer, ratePerSecond: 50 }).possible).toBe(true);
  });
  test("is known from the noise, with the rounds or the margin that would do", () => {
    const quiet = forecastRounds(P50, { ...QUESTION, noise: { sd: 0.02, from: "profile" } });
    expect(quiet).toMatchObject({ possible: true, from: "profile" });
    expect(quiet.smallest).toBeLessThan(0.1);
    const noisy = forecastRounds(P50, { ...QUESTION, noise: { sd: 0.1, from: "baseline" } });
    expect(noisy).toMatchObject({ possible: false, from: "baseline" });
    const [, rounds] =
      /^(\d+) rounds \(.*\) or a margin of [\d.]+% or longer rounds would do$/.exec(noisy.advice) ?? [];
    const design = { ...DESIGN, rounds: Number(rounds) };
    expect(forecastRounds(P50, { ...QUESTION, design, noise: { sd: 0.1, from: "baseline" } }).possible).toBe(true);
  });
  test("agrees with what ends a run after its baseline", () => {
    const plan = { store: storeOf(), baseline: WINDOWS.baseline, design: DESIGN, limits: LIMITS, restarted: false };
    for (const to of ["+0.5%", "+1%", "+2%", "+4%", "+8%", "+16%"]) {
      const resolved = slo({ ...P50.slo, limit: { to } });
      const sd = roundSd(resolved, plan);
      if (sd === undefined) throw new Error("the baseline is long enough to tell");
      const { possible } = forecastRounds(resolved, { ...QUESTION, noise: { sd, from: "baseline" } });
      expect(possible).toBe(plannedRounds({ ...plan, slos: [resolved] }).length === 0);
    }
  });
  test("is less where every round restarts a process", () => {
    const [learned] = profileFor([P50.slo], { createdEpochMs: 0 }).slos;
    expect(learned?.kind).toBe("learned");
    const calm = learnedRoundSd(learned as LearnedSlo, DESIGN, false);
    expect(learnedRoundSd(learned as LearnedSlo, DESIGN, true)).toBeGreaterThan(calm);
  });
});
