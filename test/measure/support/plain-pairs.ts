import { binOfMs } from "../../../src/measure/log-bins.ts";
import type { OUTCOMES } from "../../../src/replay/recording.ts";

// The counting of STATISTICS.md 4 once more, in the plainest way: every pair is kept, every question goes through all of
// them. What the compact store answers must be the same to the last digit.

/** One request on both twins. */
export interface PlainPair {
  readonly atMs: number;
  readonly route: number;
  readonly control: PlainAnswer;
  readonly shadow: PlainAnswer;
}

/** What one twin made of it. */
export interface PlainAnswer {
  readonly outcome: (typeof OUTCOMES)[number];
  readonly latencyMs: number;
  readonly lagMs: number;
}

/** How pairs are counted, ms. */
export interface PlainOptions {
  readonly baseMs: number;
  readonly noAnswerMs: number;
  readonly lateAfterMs: number;
}

/** One judge block as counted plainly; latencies as ascending bins. */
export interface PlainBlock {
  readonly size: number;
  readonly ok: { readonly control: number; readonly shadow: number };
  readonly dropped: { readonly control: number; readonly shadow: number };
  readonly shadowOnly: number;
  readonly controlOnly: number;
  readonly valid: boolean;
  readonly bins: { readonly control: readonly number[]; readonly shadow: readonly number[] };
}

const ROLES = ["control", "shadow"] as const;

/** The judge block of base blocks `first` <= index < `end`. */
export function plainBlock(
  pairs: readonly PlainPair[],
  range: { readonly first: number; readonly end: number; readonly route: number | undefined },
  options: PlainOptions,
): PlainBlock {
  const baseOf = ({ atMs }: PlainPair): number => Math.floor(atMs / options.baseMs);
  const inside = pairs.filter((pair) => baseOf(pair) >= range.first && baseOf(pair) < range.end);
  const bases = [...new Set(inside.map(baseOf))].map((base) => inside.filter((pair) => baseOf(pair) === base));
  const onTime = bases.filter((base) => {
    const late = base.filter((pair) => ROLES.some((role) => isLate(pair[role], options))).length;
    return late <= Math.max(1, 0.01 * base.length);
  });
  const counted = onTime.flat().filter((pair) => range.route === undefined || pair.route === range.route);
  const by = (is: (pair: PlainPair) => boolean): number => counted.filter(is).length;
  const isOk = (answer: PlainAnswer): boolean => answer.outcome === "ok";
  const each = <T>(of: (role: "control" | "shadow") => T) => ({ control: of("control"), shadow: of("shadow") });
  return {
    size: counted.length,
    ok: each((role) => by((pair) => isOk(pair[role]))),
    dropped: each((role) => by((pair) => pair[role].outcome === "dropped")),
    shadowOnly: by((pair) => isOk(pair.control) && !isOk(pair.shadow)),
    controlOnly: by((pair) => !isOk(pair.control) && isOk(pair.shadow)),
    valid: counted.length > 0 && 3 * onTime.length >= 2 * bases.length,
    bins: each((role) => counted.map((pair) => binOf(pair[role], options)).sort((a, b) => a - b)),
  };
}

function isLate({ outcome, lagMs }: PlainAnswer, { lateAfterMs }: PlainOptions): boolean {
  return outcome !== "blocked" && outcome !== "dropped" && lagMs > lateAfterMs;
}

function binOf(answer: PlainAnswer, options: PlainOptions): number {
  const isAnswer = answer.outcome === "ok" || answer.outcome === "http-error";
  const countedMs = isLate(answer, options) ? serviceMsOf(answer) : answer.latencyMs;
  return binOfMs(isAnswer ? countedMs : Math.max(countedMs, options.noAnswerMs));
}

/** Without the driver's lag; as exact as the columns of a batch are. */
export function serviceMsOf({ latencyMs, lagMs }: PlainAnswer): number {
  return Math.fround(Math.max(0, latencyMs - lagMs));
}
