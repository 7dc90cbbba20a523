import type { ResolvedSlo } from "./accepted.ts";
import { baselineAsked } from "./baseline-length.ts";
import { type JudgeLimits, playedDesign, type SwitchbackDesign } from "./judge-limits.ts";
import { roundSeconds } from "./judge-rounds.ts";
import { leastRounds, roundsLack, roundsPower } from "./planned-rounds.ts";
import { commonOf, type PowerForecast } from "./power-forecast.ts";
import type { LearnedSlo } from "./profile.ts";
import { noiseAt } from "./profile-noise.ts";

/** What a forecast of a switchback is made from. */
export interface RoundsQuestion {
  readonly design: SwitchbackDesign;
  readonly limits: JudgeLimits;
  /** Requests a second of what the SLO measures. */
  readonly ratePerSecond: number;
  readonly restarted: boolean;
  /** Sd of one round's value and where it is known from; absent: only the sample rules are asked. */
  readonly noise?: { readonly sd: number; readonly from: "profile" | "baseline" };
  /** Why the buckets of a histogram let nothing pass, whatever the noise. */
  readonly unseen?: string;
}

/** Power of one SLO in the rounds that a scenario asks for: observation is all rounds, acting and settling included. */
export function forecastRounds(resolved: ResolvedSlo, question: RoundsQuestion): PowerForecast {
  const { limits, ratePerSecond, restarted, noise, unseen } = question;
  const design = playedDesign(question.design, limits, restarted);
  const lack = roundsLack(resolved, ratePerSecond, question);
  const byRules = leastRounds(
    (rounds) => roundsLack(resolved, ratePerSecond, { limits, design: { ...design, rounds } }) === undefined,
  );
  const terms = {
    ...commonOf(resolved, limits),
    baselineSeconds: Math.min(
      limits.baselineSecondsMax,
      baselineAsked(limits.minBlocksBefore * limits.blockSeconds, limits),
    ),
    allowed: { baselineSeconds: limits.baselineSecondsMax, observeSeconds: design.rounds * roundSeconds(design) },
  };
  const secondsOf = (rounds: number): number | null => (Number.isFinite(rounds) ? rounds * roundSeconds(design) : null);
  if (noise === undefined || lack !== undefined) {
    const instead = Number.isFinite(byRules) ? `${byRules} rounds would do` : "longer rounds or a higher rate would do";
    return {
      ...terms,
      from: "rate",
      smallest: null,
      observeSeconds: secondsOf(byRules),
      possible: lack === undefined,
      advice: lack === undefined ? `${byRules} rounds at least; the noise is not known yet` : `${lack}; ${instead}`,
    };
  }
  const { smallest, rounds, ways } = roundsPower(resolved, noise.sd, { limits, restarted, design });
  return {
    ...terms,
    from: noise.from,
    smallest: Number.isFinite(smallest) ? smallest : null,
    observeSeconds: secondsOf(Math.max(rounds, byRules)),
    possible: ways === undefined && unseen === undefined,
    advice:
      ways ?? unseen ?? `decided by ${rounds >= byRules ? "the noise" : "the sample rules"} of ${design.rounds} rounds`,
  };
}

/** Sd of one round's value as a profile knows it: two stretches, and what a restart draws anew in every round. */
export function learnedRoundSd(learned: LearnedSlo, design: SwitchbackDesign, restarted: boolean): number {
  const { blockSd } = noiseAt(learned, 1000 * Math.min(design.secondsOn, design.secondsOff));
  return Math.hypot(Math.SQRT2 * blockSd, restarted ? (learned.restartSd ?? learned.tau) : 0);
}
