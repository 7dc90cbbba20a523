import { seededRandom } from "../../../src/core/random.ts";
import { JudgeLimitsSchema, type SwitchbackDesign } from "../../../src/judge/judge-limits.ts";
import { judgeRounds } from "../../../src/judge/judge-rounds.ts";
import { judgeSlos, type ResolvedSlo } from "../../../src/judge/judge-slos.ts";
import { normalQuantile } from "../../../src/judge/normal-quantile.ts";
import type { SloJudgement } from "../../../src/judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../../../src/measure/block-store.ts";
import { bucketKey } from "../../../src/measure/metric-keys.ts";
import type { Role } from "../../../src/mirror/twin.ts";
import { slo } from "./judged.ts";

export const LIMITS = JudgeLimitsSchema.parse({ blockSeconds: 10 });
/** The plan acts at 310 s, and 20 s of settling are left out. */
const ACTS = 310;
export const WINDOWS = { baseline: { fromMs: 0, toMs: 310_000 }, after: { fromMs: 330_000, toMs: 530_000 } };
const SECONDS = 535;
const PER_SECOND = 50;

/** What share of its values a twin has in each bucket, in a second of the run. */
export type Shares = (second: number, role: Role) => readonly number[];

/** Twins whose service shows a histogram with these buckets, and the SLO that is asked of it. */
export interface BucketWorld {
  /** Ascending, the last one Infinity. */
  readonly bounds: readonly number[];
  readonly shares: Shares;
  readonly quantile: number;
  readonly limit: object;
  /** By how much of itself the count of a bucket moves from second to second. */
  readonly noise?: number;
  /** Both twins' counts move alike, as those of the same requests do. */
  readonly paired?: boolean;
}

export const COARSE = [0.1, 0.25, 0.5, 1, Number.POSITIVE_INFINITY];
/** 98% at 0.25 s or below, 1.8% up to 0.5 s. */
export const TAIL: Shares = () => [0.93, 0.05, 0.018, 0.002, 0];

/** Buckets from 0.02 to 0.3 that are each so many times as wide as the one below. */
export function fine(ratio: number): readonly number[] {
  const count = Math.ceil(Math.log(15) / Math.log(ratio));
  return [...Array.from({ length: count + 1 }, (_, i) => 0.02 * ratio ** i), Number.POSITIVE_INFINITY];
}

/** Log-normal values around a median, 300 of them evenly over their quantiles. */
export function logNormal(bounds: readonly number[], median: number): readonly number[] {
  const values = Array.from({ length: 300 }, (_, i) => median * Math.exp(0.4 * normalQuantile((i + 0.5) / 300)));
  return bounds.map((bound, i) => values.filter((v) => v <= bound && v > (bounds[i - 1] ?? 0)).length / values.length);
}

/** `before` on both twins, and on the shadow `after` from the plan on. */
export function atPlan(before: Shares, after: readonly number[]): Shares {
  return (second, role) => (role === "shadow" && second >= ACTS ? after : before(second, role));
}

export function histogramSlo({ quantile, limit }: Pick<BucketWorld, "quantile" | "limit">): ResolvedSlo {
  return slo({ name: "metric", measure: measureOf(quantile), limit });
}

export function storedBuckets({
  bounds,
  shares,
  quantile,
  noise = 0.05,
  paired = false,
}: Omit<BucketWorld, "limit">): BlockStore {
  const store = createBlockStore({ routes: [] });
  const measure = measureOf(quantile);
  for (const [i, role] of (["control", "shadow"] as const).entries()) {
    const random = seededRandom(paired ? 1 : i + 1);
    const total = bounds.map(() => 0);
    for (let second = 0; second < SECONDS; second++) {
      let cumulative = 0;
      for (const [bucket, share] of shares(second, role).entries()) {
        total[bucket] = (total[bucket] ?? 0) + PER_SECOND * share * (1 + noise * (random() - 0.5));
        cumulative += total[bucket] ?? 0;
        const key = bucketKey(measure, bounds[bucket] ?? Number.NaN);
        store.addMetric({ atMs: second * 1000 + 7, role, key, value: cumulative });
      }
    }
  }
  return store;
}

/** The world's SLO in one before and after. */
export function judgedBuckets(world: BucketWorld): SloJudgement {
  const asked = { store: storedBuckets(world), slos: [histogramSlo(world)], limits: LIMITS };
  return only(judgeSlos({ ...asked, windows: WINDOWS, restarted: false }));
}

export const DESIGN: SwitchbackDesign = {
  kind: "switchback",
  rounds: 12,
  secondsOn: 10,
  secondsOff: 10,
  settleSeconds: 3,
};

/** The world's SLO in rounds; a plan that changes shares does so from the first of them on. */
export function judgedRounds(world: BucketWorld): SloJudgement {
  const rounds = Array.from({ length: DESIGN.rounds }, (_, round) => {
    const fromMs = (60 + round * 26) * 1000;
    const window = (from: number, to: number) => ({ fromMs: fromMs + from * 1000, toMs: fromMs + to * 1000 });
    return { before: window(-5, 0), on: window(3, 13), after: window(16, 21) };
  });
  const asked = { store: storedBuckets(world), slos: [histogramSlo(world)], limits: LIMITS };
  return only(judgeRounds({ ...asked, rounds, design: DESIGN, restarted: false }));
}

function measureOf(quantile: number) {
  return { kind: "histogram", service: "web", metric: "seconds", labels: {}, quantile } as const;
}

function only(judgements: readonly SloJudgement[]): SloJudgement {
  const [judgement] = judgements;
  if (judgement === undefined) throw new Error("one SLO gives one judgement");
  return judgement;
}
