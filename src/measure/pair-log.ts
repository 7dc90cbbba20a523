import { LIMITS } from "../core/limits.ts";
import type { ArmColumns, PairBatch } from "../replay/recording.ts";
import { binOfMs } from "./log-bins.ts";

// Every pair is kept as three 16-bit words (route, control, shadow) in the base block of its intended time: six bytes,
// so that two hours at 300 a second are 13 MB, and answers to the same request stay side by side.

/** What a request's answer counts as; the low two bits of its code, the rest is its latency bin. */
export const REQUEST_STATE = { ok: 0, failed: 1, blocked: 2, dropped: 3 } as const;

/** Words of one pair in a base block. */
export const PAIR_WORDS = 3;

/** State by index into OUTCOMES of src/replay/recording.ts; a test holds the two together. */
const STATE_BY_OUTCOME = [0, 1, 1, 1, 2, 3] as const;
/** Outcomes that are no answer: they count with the time-out as latency, or failing fast would look quick. */
const UNANSWERED_FROM = 2;

/** All pairs intended within one base block, in order of arrival. */
export interface BaseBlock {
  words: Uint16Array;
  size: number;
  /** Pairs of which a request left later than allowed. */
  late: number;
  /** Pairs with a time that cannot be (NaN, negative, infinite, unknown outcome): the block is not used. */
  malformed: number;
}

/** How pairs become codes. */
export interface PairLogOptions {
  readonly baseBlockMs: number;
  /** Latency of a request without an answer, ms, at least. */
  readonly noAnswerMs: number;
  /** A request sent later than this after its intended time, ms, is late. */
  readonly lateAfterMs: number;
  readonly routeCount: number;
}

/** Pairs by base block index (intended ms / base block length, rounded down). */
export interface PairLog {
  readonly blocks: ReadonlyMap<number, BaseBlock>;
  /** Pairs that fit no block because their intended time cannot be. */
  readonly malformed: () => number;
  /** Adds a batch; answers the lowest base block index it touched (Infinity for an empty batch). */
  readonly add: (batch: PairBatch) => number;
}

/** An empty log of pairs. */
export function createPairLog(options: PairLogOptions): PairLog {
  const blocks = new Map<number, BaseBlock>();
  let homeless = 0;
  let current = { index: -1, block: emptyBlock() };
  const open = (index: number): BaseBlock => {
    if (index === current.index) return current.block;
    const block = blocks.get(index) ?? emptyBlock();
    blocks.set(index, block);
    current = { index, block };
    return block;
  };
  const add = (batch: PairBatch): number => {
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < batch.size; i++) {
      const atMs = batch.intendedMs[i] ?? Number.NaN;
      if (!(atMs >= 0 && atMs < 2 * LIMITS.runMsMax)) {
        homeless++;
        continue;
      }
      const index = Math.floor(atMs / options.baseBlockMs);
      if (index < lowest) lowest = index;
      addPair(open(index), batch, i, options);
    }
    return lowest;
  };
  return { blocks, malformed: () => homeless, add };
}

function emptyBlock(): BaseBlock {
  return { words: new Uint16Array(64 * PAIR_WORDS), size: 0, late: 0, malformed: 0 };
}

function addPair(block: BaseBlock, batch: PairBatch, i: number, options: PairLogOptions): void {
  const { control, shadow } = batch.arms;
  const route = batch.route[i] ?? options.routeCount;
  const controlCode = codeOf(control, i, options.noAnswerMs);
  const shadowCode = codeOf(shadow, i, options.noAnswerMs);
  if (controlCode < 0 || shadowCode < 0 || route >= options.routeCount) {
    block.malformed++;
    return;
  }
  const at = block.size * PAIR_WORDS;
  if (at === block.words.length) {
    const grown = new Uint16Array(block.words.length * 2);
    grown.set(block.words);
    block.words = grown;
  }
  block.words[at] = route;
  block.words[at + 1] = controlCode | refusedAlone(control, shadow, i);
  block.words[at + 2] = shadowCode | refusedAlone(shadow, control, i);
  block.size++;
  if (!isOnTime(control, i, options.lateAfterMs) || !isOnTime(shadow, i, options.lateAfterMs)) block.late++;
}

/**
 * `failed` for a twin that refused (4xx) what the other one did. By itself a refusal may be the right answer, and both twins
 * give it; a plan after which logins end in 401 and orders in 404 must not look like one that serves, only faster.
 */
function refusedAlone(own: ArmColumns, other: ArmColumns, i: number): number {
  const isAlone = isRefusal(own, i) && other.outcome[i] === 0 && !isRefusal(other, i);
  return isAlone ? REQUEST_STATE.failed : REQUEST_STATE.ok;
}

function isRefusal({ outcome, status }: ArmColumns, i: number): boolean {
  const answered = status[i] ?? 0;
  return answered >= 400 && answered < 500 && outcome[i] === 0;
}

/** `bin << 2 | state`, or -1 for a request that cannot be. */
function codeOf(arm: ArmColumns, i: number, noAnswerMs: number): number {
  const outcome = arm.outcome[i] ?? STATE_BY_OUTCOME.length;
  const state = STATE_BY_OUTCOME[outcome];
  const latencyMs = arm.latencyMs[i] ?? Number.NaN;
  if (state === undefined || !(latencyMs >= 0 && latencyMs < Number.POSITIVE_INFINITY)) return -1;
  const countedMs = outcome >= UNANSWERED_FROM && latencyMs < noAnswerMs ? noAnswerMs : latencyMs;
  return (binOfMs(countedMs) << 2) | state;
}

/** A request that was never sent (blocked, dropped) was not sent late. */
function isOnTime(arm: ArmColumns, i: number, lateAfterMs: number): boolean {
  return (arm.outcome[i] ?? 0) > 3 || (arm.sendLagMs[i] ?? 0) <= lateAfterMs;
}
