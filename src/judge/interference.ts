import { type ArmSeries, sum } from "../measure/arm-series.ts";
import type { Measure } from "../measure/slo.ts";
import { varianceInflation } from "./confidence-sequence.ts";
import { studentTail } from "./student-tail.ts";

// The control is never touched, yet what the plan does to the shadow can reach it through cores, caches, disk or engine,
// and what reaches both is in no difference of the two. A control's p99 can double by itself, so a shift alone proves
// nothing: it must come with the plan and be more than the control does by itself. Going with the undo tells whose it is;
// one that stays may be lasting damage of what both twins share, and is no less hidden (docs/decisions/0008).

/** The control's own series around the plan; `off` is the time after the undo and absent where that was not measured. */
export interface ControlPhases {
  readonly before: ArmSeries;
  readonly on: ArmSeries;
  readonly off?: ArmSeries | undefined;
  /** Least believable sd of a block. */
  readonly floor: number;
}

/** How far the control moved with the plan, effect scale; positive is worse. */
export interface ControlShift {
  /** `follows`: the undo took it back, or was not measured; `stays`: it did not, so that nobody knows whose it is. */
  readonly kind: "follows" | "stays";
  /** With the plan in force against the mean of the stretches without it; of one that stays, against the baseline. */
  readonly shift: number;
  readonly withPlan: number;
  /** Absent when nothing was measured after an undo. */
  readonly withUndo?: number;
  /** Largest shift between two neighbouring stretches of its baseline, at instants at which nothing was done. */
  readonly placebo: number;
  /** Chance of as large a shift where none follows the plan. */
  readonly chance: number;
}

/** Share of the shift seen with the plan that its undo has to take back, and the other way round. */
const TAKEN_BACK_MIN = 0.5;

/**
 * The control's shift for the worse if it came with the plan, else undefined: shown at `alpha` (one look, after the run) and
 * larger than any between neighbouring stretches of its own baseline.
 * @param worse - the direction in which a twin that is starved moves
 */
export function controlShift(phases: ControlPhases, worse: 1 | -1, alpha: number): ControlShift | undefined {
  const { before, on, off } = phases;
  const withPlan = worse * (on.estimate - before.estimate);
  const withUndo = off === undefined ? undefined : worse * (on.estimate - off.estimate);
  const stays = withUndo !== undefined && !isTakenBack(withPlan, withUndo);
  const shift = withUndo === undefined || stays ? withPlan : (withPlan + withUndo) / 2;
  const placebo = largestPlacebo(before, on.influence.length);
  const chance = chanceOf(shift, stays ? { ...phases, off: undefined } : phases);
  if (!(shift > placebo && chance < alpha)) return undefined;
  const kind = stays ? "stays" : "follows";
  return { kind, shift, withPlan, ...(withUndo === undefined ? {} : { withUndo }), placebo, chance };
}

function isTakenBack(withPlan: number, withUndo: number): boolean {
  return withPlan > 0 && withUndo >= TAKEN_BACK_MIN * withPlan && withPlan >= TAKEN_BACK_MIN * withUndo;
}

/** One-sided chance of the shift by the blocks' own noise, deflated for autocorrelation (Student's t, one look). */
function chanceOf(shift: number, { before, on, off, floor }: ControlPhases): number {
  const rest = off?.influence ?? [];
  const blocks = before.influence.length + on.influence.length + rest.length;
  const stretches = off === undefined ? 2 : 3;
  const squares = [...before.influence, ...on.influence, ...rest].reduce((total, value) => total + value * value, 0);
  const variance = Math.max(blocks > stretches ? squares / (blocks - stretches) : 0, floor ** 2);
  const inflation = varianceInflation(before.influence, [...on.influence, ...rest]);
  const [m, n, k] = [before.influence.length, on.influence.length, rest.length].map((count) => count / inflation);
  if (m === undefined || n === undefined || k === undefined || n === 0 || m === 0) return 1;
  const ofRest = k === 0 ? 1 / m : (1 / m + 1 / k) / 4;
  const standardError = Math.sqrt(variance * (1 / n + ofRest));
  return studentTail(shift / standardError, Math.max(1, blocks / inflation - stretches));
}

/**
 * Largest difference between two neighbouring stretches of one phase, each as long as `blocks` or half of the phase:
 * what the same comparison finds where nothing was done.
 */
export function largestPlacebo({ influence }: Pick<ArmSeries, "influence">, blocks: number): number {
  const width = Math.max(1, Math.min(blocks, Math.floor(influence.length / 2)));
  const meanFrom = (first: number): number => sum(influence.slice(first, first + width)) / width;
  let largest = 0;
  for (let at = width; at + width <= influence.length; at++) {
    largest = Math.max(largest, Math.abs(meanFrom(at) - meanFrom(at - width)));
  }
  return largest;
}

/** Which way a measure goes when a twin is starved of cores; undefined for what does not tell. */
export function worseDirection(measure: Measure): 1 | -1 | undefined {
  switch (measure.kind) {
    case "latency":
    case "histogram":
    case "errors":
    case "cpu":
      return 1;
    case "served":
      return -1;
    case "memory":
    case "counter":
    case "gauge":
    case "sql":
      return undefined;
  }
}
