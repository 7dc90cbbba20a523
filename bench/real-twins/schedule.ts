import type { IngressHarm } from "../../src/mirror/twin.ts";

/**
 * What is done to the shadow in one run of the campaign. `aa`: nothing. `at-bound`: every latency +10% and errors +0.1pp, at
 * once, because no limit looks at both. `gross`: every latency +50%.
 */
export const TRUTHS = ["aa", "at-bound", "gross"] as const;
export type Truth = (typeof TRUTHS)[number];
export type Harm = Exclude<Truth, "aa">;
export const HARMS: readonly Harm[] = ["at-bound", "gross"];

/** A stretch of traffic: untouched, or with a harm in force from its first instant. Milliseconds on the session's axis. */
export interface Stretch {
  readonly kind: Harm | "clean";
  readonly fromMs: number;
  readonly toMs: number;
}

/** Lengths of a session, s. */
export interface Lengths {
  /** Clean traffic that every run is judged against: the last so much before it, harm cut out. */
  readonly baseline: number;
  readonly harmed: number;
  /** Gross harm needs no more: the alarm has 20 s, the judge six blocks. */
  readonly gross: number;
  /** Between two harms; two of them make an A/A run. */
  readonly clean: number;
  /** Left out at the beginning of every stretch. */
  readonly settle: number;
}

/** Errors within +0.2pp can be promoted from 3,632 clean pairs on, a p99 be judged from 3,000 requests. */
const PAIRS = 3840;
/** Without a calibration the judge's blocks are 5 s; stretches hold them twice as long too. */
const STEP_SECONDS = 10;

/** What a rate asks for: as many pairs in a stretch, six blocks of gross harm, and more than 20 blocks of baseline. */
export function lengthsAt(ratePerSecond: number, harmedSeconds?: number): Lengths {
  const whole = (seconds: number): number => STEP_SECONDS * Math.max(1, Math.ceil(seconds / STEP_SECONDS));
  const harmed = Math.max(30, whole(harmedSeconds ?? PAIRS / ratePerSecond));
  return { baseline: 120, harmed, gross: 30, clean: harmed / 2, settle: 2 };
}

/** Seconds of a stretch without what is left out at its beginning. */
export function secondsOf(kind: Harm, lengths: Lengths): number {
  return kind === "gross" ? lengths.gross : lengths.harmed;
}

/** Seconds that one turn of all harms takes. */
export function turnSeconds(lengths: Lengths): number {
  return HARMS.reduce((sum, harm) => sum + secondsOf(harm, lengths) + lengths.clean + 2 * lengths.settle, 0);
}

/**
 * What is planted for a truth. A delay in front of the service slows only what lies behind it; `reach` is the share of the
 * measured latency that does, so that the truth is met where it is measured.
 */
export function harmOf(kind: Harm, reach: number): IngressHarm {
  switch (kind) {
    case "at-bound":
      return { delayShare: 0.1 / reach, errorShare: 0.001 };
    case "gross":
      return { delayShare: 0.5 / reach };
  }
}

/** The harms of `turns` turns in an order drawn from the seed, each turn complete. */
export function shuffledTurns(turns: number, random: () => number): readonly Harm[] {
  return Array.from({ length: turns }, () => shuffled(HARMS, random)).flat();
}

function shuffled<T>(list: readonly T[], random: () => number): readonly T[] {
  return list
    .map((item) => ({ item, place: random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item);
}
