import type { IngressHarm } from "../../src/mirror/twin.ts";

/** What is done to the shadow in one run of the campaign; `aa` is nothing. */
export const TRUTHS = ["aa", "latency-10", "errors-0.1pp", "latency-50"] as const;
export type Truth = (typeof TRUTHS)[number];
export type Harm = Exclude<Truth, "aa">;
export const HARMS: readonly Harm[] = ["latency-10", "errors-0.1pp", "latency-50"];

/** A stretch of traffic: untouched, or with a harm in force from its first instant. Milliseconds on the session's axis. */
export interface Stretch {
  readonly kind: Harm | "clean";
  readonly fromMs: number;
  readonly toMs: number;
}

/** Lengths of a session, s. All are multiples of 8, so that doubled blocks of 2 s still fill them. */
export interface Lengths {
  /** Clean traffic that every run is judged against: the last so much before it, harm cut out. */
  readonly baseline: number;
  readonly harmed: number;
  /** Gross harm needs no more: the alarm has 20 s. */
  readonly gross: number;
  /** Between two harms. */
  readonly clean: number;
  /** Left out at the beginning of every stretch. */
  readonly settle: number;
}

/** Seconds of a stretch without what is left out at its beginning. */
export function secondsOf(kind: Harm, lengths: Lengths): number {
  return kind === "latency-50" ? lengths.gross : lengths.harmed;
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
    case "latency-10":
      return { delayShare: 0.1 / reach };
    case "latency-50":
      return { delayShare: 0.5 / reach };
    case "errors-0.1pp":
      return { errorShare: 0.001 };
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
