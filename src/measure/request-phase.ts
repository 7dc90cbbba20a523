import type { Arms } from "./arm-series.ts";
import { BIN_COUNT } from "./log-bins.ts";
import { type BaseBlock, PAIR_WORDS, REQUEST_STATE } from "./pair-log.ts";
import type { BinCounts } from "./sample.ts";

/** All requests of one route (or all) intended within one judge block. */
export interface RequestBlock {
  /** Requests sent to each twin. */
  readonly size: number;
  readonly ok: Arms<number>;
  readonly dropped: Arms<number>;
  /** Requests that failed on the shadow only, and on the control only. */
  readonly shadowOnly: number;
  readonly controlOnly: number;
  /** Ascending latency codes of both twins. */
  readonly codes: Arms<Uint16Array>;
  /** Both twins have requests, all of them possible ones, and the driver was on time (STATISTICS.md 4, NODATA). */
  readonly valid: boolean;
}

/** Consecutive judge blocks from the start of a phase, with the latency counts of the valid ones together. */
export interface RequestPhase {
  readonly blocks: readonly RequestBlock[];
  /** Counts per latency bin over valid blocks; they grow with the phase, so use them before the next look. */
  readonly counts: Arms<BinCounts>;
}

/** Which base blocks a phase starts at and how many make one judge block. */
export interface PhaseGrid {
  readonly firstBase: number;
  readonly basesPerBlock: number;
}

/** A phase that grows: blocks already digested are never looked at again. */
export interface GrowingRequestPhase {
  /** The first `blockCount` blocks of the phase. */
  readonly upTo: (blockCount: number) => RequestPhase;
}

/** Digests judge blocks of one route as they are asked for; `route` undefined means all. */
export function growRequestPhase(
  bases: ReadonlyMap<number, BaseBlock>,
  grid: PhaseGrid,
  route: number | undefined,
): GrowingRequestPhase {
  let blocks: RequestBlock[] = [];
  let counts = emptyCounts();
  const scratch = new Uint32Array(4 * BIN_COUNT);
  const upTo = (blockCount: number): RequestPhase => {
    if (blockCount < blocks.length) {
      blocks = blocks.slice(0, blockCount);
      counts = emptyCounts();
      for (const block of blocks) if (block.valid) addCounts(counts, block);
    }
    while (blocks.length < blockCount) {
      const first = grid.firstBase + blocks.length * grid.basesPerBlock;
      const block = digest(basesBetween(bases, first, first + grid.basesPerBlock), route, scratch);
      blocks.push(block);
      if (block.valid) addCounts(counts, block);
    }
    return { blocks: [...blocks], counts };
  };
  return { upTo };
}

/** The base blocks that exist with first <= index < end. */
export function basesBetween(bases: ReadonlyMap<number, BaseBlock>, first: number, end: number): readonly BaseBlock[] {
  const found: BaseBlock[] = [];
  for (let index = first; index < end; index++) {
    const block = bases.get(index);
    if (block !== undefined) found.push(block);
  }
  return found;
}

function digest(all: readonly BaseBlock[], route: number | undefined, scratch: Uint32Array): RequestBlock {
  const bases = all.filter(isOnTime);
  const capacity = bases.reduce((total, base) => total + base.size, 0);
  const control = new Uint16Array(capacity);
  const shadow = new Uint16Array(capacity);
  // Indexed by control state * 4 + shadow state.
  const tally = new Uint32Array(16);
  let size = 0;
  for (const { words, size: pairs } of bases) {
    for (let at = 0; at < pairs * PAIR_WORDS; at += PAIR_WORDS) {
      if (route !== undefined && words[at] !== route) continue;
      const controlCode = words[at + 1] ?? 0;
      const shadowCode = words[at + 2] ?? 0;
      control[size] = controlCode;
      shadow[size] = shadowCode;
      size++;
      const cell = ((controlCode & 3) << 2) | (shadowCode & 3);
      tally[cell] = (tally[cell] ?? 0) + 1;
    }
  }
  return {
    ...countsOf(tally, size),
    size,
    codes: {
      control: sortCodes(control.subarray(0, size), scratch),
      shadow: sortCodes(shadow.subarray(0, size), scratch),
    },
    valid: size > 0 && isTrustworthy(all, bases.length),
  };
}

/** An ascending copy. Counting beats comparing when thousands of values share a few thousand codes. */
function sortCodes(codes: Uint16Array, scratch: Uint32Array): Uint16Array {
  if (codes.length < 500) return codes.slice().sort();
  let [low, high] = [scratch.length, 0];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] ?? 0;
    scratch[code] = (scratch[code] ?? 0) + 1;
    if (code < low) low = code;
    if (code > high) high = code;
  }
  const sorted = new Uint16Array(codes.length);
  let at = 0;
  for (let code = low; code <= high; code++) {
    const count = scratch[code] ?? 0;
    if (count === 0) continue;
    sorted.fill(code, at, at + count);
    at += count;
    scratch[code] = 0;
  }
  return sorted;
}

function countsOf(
  tally: Uint32Array,
  size: number,
): Pick<RequestBlock, "ok" | "dropped" | "shadowOnly" | "controlOnly"> {
  const both = tally[0] ?? 0;
  const row = (state: number): number => tally.subarray(state * 4, state * 4 + 4).reduce((a, b) => a + b, 0);
  const column = (state: number): number => [0, 4, 8, 12].reduce((total, at) => total + (tally[at + state] ?? 0), 0);
  const ok = { control: row(REQUEST_STATE.ok), shadow: column(REQUEST_STATE.ok) };
  const failedBoth = size - ok.control - ok.shadow + both;
  return {
    ok,
    dropped: { control: row(REQUEST_STATE.dropped), shadow: column(REQUEST_STATE.dropped) },
    shadowOnly: size - ok.shadow - failedBoth,
    controlOnly: size - ok.control - failedBoth,
  };
}

/**
 * One late request is forgiven, else its share may be 1%: the p99 of the send lag is within its limit. What is late is left
 * out on both twins, by base block: a pause of the machine costs a second and not the judge block around it.
 */
export function isOnTime(base: Pick<BaseBlock, "late" | "size">): boolean {
  return base.late <= Math.max(1, 0.01 * base.size);
}

/** A judge block stands while no more than a third of it was left out. */
function isTrustworthy(all: readonly BaseBlock[], kept: number): boolean {
  return 3 * kept >= 2 * all.length && all.every((base) => base.malformed === 0);
}

function emptyCounts(): Arms<BinCounts> {
  const empty = (): BinCounts => ({ counts: new Uint32Array(BIN_COUNT), low: BIN_COUNT, high: -1, size: 0 });
  return { control: empty(), shadow: empty() };
}

function addCounts(counts: Arms<BinCounts>, block: RequestBlock): void {
  addCodes(counts.control, block.codes.control);
  addCodes(counts.shadow, block.codes.shadow);
}

function addCodes(bins: BinCounts, codes: Uint16Array): void {
  const { counts } = bins;
  for (let i = 0; i < codes.length; i++) {
    const bin = (codes[i] ?? 0) >> 2;
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  if (codes.length === 0) return;
  bins.size += codes.length;
  bins.low = Math.min(bins.low, (codes[0] ?? 0) >> 2);
  bins.high = Math.max(bins.high, (codes.at(-1) ?? 0) >> 2);
}
