import type { CalibrationProfile } from "../../../src/judge/calibration.ts";
import { environmentGates } from "../../../src/judge/gates.ts";
import { type JudgeLimits, JudgeLimitsSchema } from "../../../src/judge/judge-limits.ts";
import { judgeSlos, type LookInput, type ResolvedSlo } from "../../../src/judge/judge-slos.ts";
import type { Reason, SloJudgement } from "../../../src/judge/verdict.ts";
import type { BlockStore } from "../../../src/measure/block-store.ts";
import { SloSchema } from "../../../src/measure/slo.ts";
import { numberedStore, type TrafficSettings, traffic } from "../../support/judged-traffic.ts";

/** Two-second blocks, so that a minute on each side is enough for the tests. */
export const LIMITS: JudgeLimits = JudgeLimitsSchema.parse({ blockSeconds: 2 });

export const WINDOWS = {
  baseline: { fromMs: 0, toMs: 60_000 },
  after: { fromMs: 70_000, toMs: 130_000 },
};

/** An SLO as a scenario writes it, with the plan's promise if there is one. */
export function slo(written: unknown, promised?: ResolvedSlo["promised"]): ResolvedSlo {
  return { slo: SloSchema.parse(written), ...(promised === undefined ? {} : { promised }) };
}

export const P50 = slo({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } });
export const P95 = slo({ name: "p95", measure: { kind: "latency", quantile: 0.95 }, limit: { to: "+30%" } });
export const ERRORS = slo({ name: "errors", measure: { kind: "errors" }, limit: { to: "+1pp" } });
export const SERVED = slo({ name: "served", measure: { kind: "served" }, limit: { from: "-5%" } });
export const FOUR = [P50, P95, ERRORS, SERVED];

/** What happens after the plan; before it the twins are alike. */
export interface World extends Partial<Omit<TrafficSettings, "fromMs" | "toMs">> {
  readonly errorsBefore?: number;
}

/** A minute of alike twins, ten seconds of settling, a minute of `world`. */
export function storeOf(world: World = {}): BlockStore {
  const { seed = 1, ratePerSecond = 100, errorsBefore = 0.002, unit = 1, ...rest } = world;
  const store = numberedStore({ routes: ["browse", "search", "checkout"], noAnswerMs: 5000 * unit });
  const alike = { control: errorsBefore, shadow: errorsBefore };
  const before = { seed, ratePerSecond, unit, ...(rest.routes === undefined ? {} : { routes: rest.routes }) };
  store.addPairs(traffic({ ...before, ...WINDOWS.baseline, errors: alike }));
  store.addPairs(
    traffic({
      errors: alike,
      ...rest,
      ...before,
      ...WINDOWS.after,
      seed: seed + 1000,
      firstSequence: ratePerSecond * 60,
    }),
  );
  return store;
}

/** A profile of more noise than any test has, which vouches for blocks of two seconds, beside what it says of each SLO anyway. */
export function steady(slos: readonly ResolvedSlo[], profile?: CalibrationProfile): CalibrationProfile {
  const blocks = [{ blockMs: 2000, sd: 10, varianceInflation: 1, count: 30 }];
  return {
    slos: Object.fromEntries(
      slos.map(({ slo: { name } }) => [name, { blocks, vouches: true, ...profile?.slos[name] }]),
    ),
  };
}

/** One look at a world. */
export function look(
  world: World | BlockStore,
  options: Partial<Omit<LookInput, "store">> = {},
): readonly SloJudgement[] {
  const store = "addPairs" in world ? world : storeOf(world);
  const asked = { slos: FOUR, windows: WINDOWS, limits: LIMITS, restarted: false, ...options, store };
  return judgeSlos({ ...asked, profile: steady(asked.slos, options.profile) });
}

/** Gates of a world, on pinned cores unless told otherwise. */
export function gates(
  world: World | BlockStore,
  options: Partial<Parameters<typeof environmentGates>[0]> = {},
): readonly Reason[] {
  const store = "addPairs" in world ? world : storeOf(world);
  const asked = {
    slos: FOUR,
    windows: WINDOWS,
    limits: LIMITS,
    restarted: false,
    cores: "pinned" as const,
    ...options,
    store,
  };
  return environmentGates({ ...asked, profile: steady(asked.slos, options.profile) });
}

/** Name to state. */
export function states(judgements: readonly SloJudgement[]): Readonly<Record<string, string>> {
  return Object.fromEntries(judgements.map((judgement) => [judgement.name, judgement.state]));
}
