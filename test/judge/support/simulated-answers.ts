import { seededRandom } from "../../../src/core/random.ts";
import { judgeResponses, type ResponseJudgement, type ResponseTerms } from "../../../src/judge/response-changes.ts";
import type { ResponseWindows } from "../../../src/judge/response-places.ts";
import type { DifferenceKind } from "../../../src/measure/response-difference.ts";
import { type ResponseLog, responseLog } from "../../../src/measure/response-log.ts";

/** A run in seconds: warm-up and baseline, acting and settling, observing, undoing, recovering. */
export interface Timeline {
  readonly before: number;
  readonly settling: number;
  readonly inForce: number;
  readonly undoing: number;
  readonly after: number;
}

export const USUAL: Timeline = { before: 130, settling: 20, inForce: 80, undoing: 4, after: 40 };

/** Whether a place differs in a pair that was meant for this second. */
export type Process = (atSeconds: number, random: () => number) => boolean;

/** One place of the answers of every route, and why it differs. */
export interface SimulatedField {
  readonly path: string;
  readonly kind?: DifferenceKind;
  readonly differs: Process;
}

/** Windows of a timeline, in ms from the first request. */
export function windowsOf(timeline: Timeline): ResponseWindows {
  const { before, settling, inForce, undoing, after } = timeline;
  const at = (seconds: number, length: number) => ({ fromMs: seconds * 1000, toMs: (seconds + length) * 1000 });
  return {
    before: [at(0, before)],
    inForce: [at(before + settling / 2, settling / 2 + inForce)],
    after: [at(before + settling + inForce + undoing, after)],
  };
}

/** Compared pairs of one route: `ratePerSecond` of them, at instants of chance, with the fields in which they differ. */
export function simulatedAnswers(options: {
  readonly seed: number;
  readonly timeline: Timeline;
  readonly fields: readonly SimulatedField[];
  readonly ratePerSecond?: number;
}): ResponseLog {
  const { timeline, fields, ratePerSecond = 2 } = options;
  const random = seededRandom(options.seed);
  const log = responseLog();
  for (const [field, { path, kind = "value" }] of fields.entries()) log.add({ field, route: 0, path, kind });
  const endSeconds = Object.values(timeline).reduce((sum, seconds) => sum + seconds, 0);
  let sequence = 0;
  for (let at = 0; at < endSeconds; at += -Math.log(1 - random()) / ratePerSecond) {
    const differing = fields.flatMap(({ differs }, id) => (differs(at, random) ? [id] : []));
    log.add([sequence++, at * 1000, 0, ...differing]);
  }
  return log;
}

/** The judgement of one route with these fields. */
export function judgeSimulated(
  options: Parameters<typeof simulatedAnswers>[0] & Partial<Pick<ResponseTerms, "declared" | "allowed">>,
): ResponseJudgement {
  const { declared = [], allowed = ["response/**"] } = options;
  const terms = { alpha: 0.01, declared, allowed };
  return judgeResponses(simulatedAnswers(options), ["checkout"], windowsOf(options.timeline), terms);
}

/** Ids, times, tokens: other ones every time. */
export const always: Process = () => true;

/** Two requests overtake each other: this share of pairs. */
export function race(share: number): Process {
  return (_at, random) => random() < share;
}

/** A race that gets as much as `factor` times as frequent and rare again, with the load. */
export function drifting(share: number, factor: number, periodSeconds: number, phase: number): Process {
  return (at, random) => {
    const swing = (1 + Math.sin((2 * Math.PI * at) / periodSeconds + phase)) / 2;
    return random() < share * (1 + (factor - 1) * swing);
  };
}

/** Stretches in which most pairs differ, `everySeconds` apart on average. */
export function spells(
  seed: number,
  spell: { readonly everySeconds: number; readonly lengthSeconds: number },
): Process {
  const random = seededRandom(seed);
  const exponential = (mean: number): number => -mean * Math.log(1 - random());
  const ends: (readonly [number, number])[] = [];
  for (let at = exponential(spell.everySeconds); at < 2000; at += exponential(spell.everySeconds)) {
    ends.push([at, at + exponential(spell.lengthSeconds)]);
  }
  return (at, chance) => ends.some(([from, to]) => at >= from && at < to) && chance() < 0.9;
}

/** From one moment on the twins' states are apart, and this share of answers shows it, for ever. */
export function parted(seed: number, share: number, everySeconds: number): Process {
  const sinceSeconds = -everySeconds * Math.log(1 - seededRandom(seed)());
  return (at, random) => at >= sinceSeconds && random() < share;
}

/** What a plan does to answers while it is in force, settling included. */
export function whileInForce({ before, settling, inForce }: Timeline, share: number): Process {
  return (at, random) => at >= before && at < before + settling + inForce && random() < share;
}
