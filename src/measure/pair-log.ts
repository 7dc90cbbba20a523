import { LIMITS } from "../core/limits.ts";
import type { ArmColumns, PairBatch } from "../replay/recording.ts";
import { type BaseBlock, grown, NOTHING_PACKED, REQUEST_STATE } from "./base-block.ts";
import { binOfMs } from "./log-bins.ts";
import { createPacker, PAIR_WORDS, WAITING_MAX } from "./pair-packer.ts";

// A pair that arrives waits as three 16-bit words (route, control, shadow) in the base block of its intended time, until
// the block is read or too many wait; then it becomes one more of a count. Late arrivals are merged the same way.

/** State by index into OUTCOMES of src/replay/recording.ts; a test holds the two together. */
const STATE_BY_OUTCOME = [0, 1, 1, 1, 2, 3] as const;
/** Outcomes that are no answer: they count with the time-out as latency, or failing fast would look quick. */
const UNANSWERED_FROM = 2;

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
  readonly block: (index: number) => BaseBlock | undefined;
  /** Pairs that fit no block because their intended time cannot be. */
  readonly malformed: () => number;
  /** Adds a batch; answers the lowest base block index it touched (Infinity for an empty batch). */
  readonly add: (batch: PairBatch) => number;
}

interface OpenBlock {
  size: number;
  late: number;
  malformed: number;
  packed: Uint16Array;
  /** Pairs that wait; their number is `waiting`. */
  words: Uint16Array;
  waiting: number;
}

/** No pair is meant for this time or later, ms. */
export const POSSIBLE_UNTIL_MS: number = 2 * LIMITS.runMsMax;

/** Whether a pair can have been meant for this time, ms. */
export function isPossibleTime(atMs: number): boolean {
  return atMs >= 0 && atMs < POSSIBLE_UNTIL_MS;
}

/** An empty log of pairs. */
export function createPairLog(options: PairLogOptions): PairLog {
  const blocks = new Map<number, OpenBlock>();
  const open = new Set<OpenBlock>();
  const pack = createPacker(options.routeCount);
  let homeless = 0;
  let waiting = 0;
  let current = { index: -1, block: emptyBlock() };
  const blockAt = (index: number): OpenBlock => {
    if (index === current.index) return current.block;
    const block = blocks.get(index) ?? emptyBlock();
    blocks.set(index, block);
    current = { index, block };
    return block;
  };
  const settle = (block: OpenBlock): void => {
    waiting -= block.waiting;
    block.packed = pack(block);
    block.words = NOTHING_PACKED;
    block.waiting = 0;
    open.delete(block);
  };
  const add = (batch: PairBatch): number => {
    let lowest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < batch.size; i++) {
      const atMs = batch.intendedMs[i] ?? Number.NaN;
      if (!isPossibleTime(atMs)) {
        homeless++;
        continue;
      }
      const index = Math.floor(atMs / options.baseBlockMs);
      if (index < lowest) lowest = index;
      const block = blockAt(index);
      if (block.waiting === 0) open.add(block);
      if (addPair(block, batch, i, options)) waiting++;
      if (waiting >= WAITING_MAX) for (const full of open) settle(full);
    }
    return lowest;
  };
  return {
    block: (index) => {
      const block = blocks.get(index);
      if (block !== undefined && block.waiting > 0) settle(block);
      return block;
    },
    malformed: () => homeless,
    add,
  };
}

function emptyBlock(): OpenBlock {
  return { size: 0, late: 0, malformed: 0, packed: NOTHING_PACKED, words: NOTHING_PACKED, waiting: 0 };
}

/** False for a pair that cannot be; it is only counted. */
function addPair(block: OpenBlock, batch: PairBatch, i: number, options: PairLogOptions): boolean {
  const { control, shadow } = batch.arms;
  const route = batch.route[i] ?? options.routeCount;
  const controlCode = codeOf(control, i, options);
  const shadowCode = codeOf(shadow, i, options);
  if (controlCode < 0 || shadowCode < 0 || route >= options.routeCount) {
    block.malformed++;
    return false;
  }
  const at = block.waiting * PAIR_WORDS;
  if (at === block.words.length) block.words = at === 0 ? new Uint16Array(16 * PAIR_WORDS) : grown(block.words);
  block.words[at] = route;
  block.words[at + 1] = controlCode | refusedAlone(control, shadow, i);
  block.words[at + 2] = shadowCode | refusedAlone(shadow, control, i);
  block.waiting++;
  block.size++;
  if (!isOnTime(control, i, options.lateAfterMs) || !isOnTime(shadow, i, options.lateAfterMs)) block.late++;
  return true;
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

/**
 * `bin << 2 | state`, or -1 for a request that cannot be. A late request counts from when it was sent: the lag is the driver's,
 * and the same hundreds of milliseconds on both twins would make any harm beside them a small share.
 */
function codeOf(arm: ArmColumns, i: number, { noAnswerMs, lateAfterMs }: PairLogOptions): number {
  const outcome = arm.outcome[i] ?? STATE_BY_OUTCOME.length;
  const state = STATE_BY_OUTCOME[outcome];
  const counted = isOnTime(arm, i, lateAfterMs) ? arm.latencyMs : arm.serviceMs;
  const latencyMs = (arm.latencyMs[i] ?? Number.NaN) >= 0 ? (counted[i] ?? Number.NaN) : Number.NaN;
  if (state === undefined || !(latencyMs >= 0 && latencyMs < Number.POSITIVE_INFINITY)) return -1;
  const countedMs = outcome >= UNANSWERED_FROM && latencyMs < noAnswerMs ? noAnswerMs : latencyMs;
  return (binOfMs(countedMs) << 2) | state;
}

/** A request that was never sent (blocked, dropped) was not sent late. */
function isOnTime(arm: ArmColumns, i: number, lateAfterMs: number): boolean {
  return (arm.outcome[i] ?? 0) > 3 || (arm.sendLagMs[i] ?? 0) <= lateAfterMs;
}
