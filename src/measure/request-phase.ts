import type { Role } from "../mirror/twin.ts";
import type { Arms } from "./arm-series.ts";
import {
  addLatencies,
  addOutcomes,
  type BaseBlock,
  OUTCOME_CELLS,
  REQUEST_STATE,
  type RouteSection,
  routeSections,
  sectionOf,
} from "./base-block.ts";
import { type BinTally, createBinTally } from "./bin-tally.ts";
import { addSparse, type BinnedBlocks, createBinnedBlocks, emptyBinCounts } from "./binned-blocks.ts";
import type { BinCounts } from "./sample.ts";
import type { LateRule, PairCounts } from "./series.ts";

const ROLES: readonly Role[] = ["control", "shadow"];

/** All requests of one route (or all) intended within one judge block. */
export interface RequestBlock {
  /** Requests sent to each twin. */
  readonly size: number;
  readonly ok: Arms<number>;
  readonly dropped: Arms<number>;
  /** Requests that failed on the shadow only, and on the control only. */
  readonly shadowOnly: number;
  readonly controlOnly: number;
  /** Both twins have requests, all of them possible ones, and the driver was on time where that is asked (STATISTICS.md 4, NODATA). */
  readonly valid: boolean;
}

/** The valid blocks of a phase in columns: a look goes through thousands of them for every SLO. */
export interface ValidBlocks {
  /** Index into `blocks`. */
  readonly places: readonly number[];
  readonly sizes: readonly number[];
  /** Share of the block's requests that failed on each twin. */
  readonly failing: Arms<readonly number[]>;
  /** Requests of all of them, and those that each twin answered. */
  readonly size: number;
  readonly ok: Arms<number>;
  readonly pairs: PairCounts;
}

/**
 * Consecutive judge blocks from the start of a phase, and the valid ones together. It grows with the phase: use what
 * it holds before the next look.
 */
export interface RequestPhase {
  readonly blocks: readonly RequestBlock[];
  readonly valid: ValidBlocks;
  /** Latencies of each block on both twins, by index into `blocks`. */
  readonly latencies: Arms<Pick<BinnedBlocks, "at" | "above">>;
  /** Counts per latency bin over valid blocks. */
  readonly counts: Arms<BinCounts>;
}

/** Which base blocks a phase starts at and how many make one judge block. */
export interface PhaseGrid {
  readonly firstBase: number;
  readonly basesPerBlock: number;
}

/** What of the base blocks is digested; `route` undefined means all. */
export interface DigestOptions {
  readonly route: number | undefined;
  readonly late: LateRule;
  readonly scratch: DigestScratch;
}

/** A phase that grows: blocks already digested are never looked at again. */
export interface GrowingRequestPhase {
  /** The first `blockCount` blocks of the phase. */
  readonly upTo: (blockCount: number) => RequestPhase;
}

/** The base block of an index, if it has pairs. */
export type BaseAt = (index: number) => BaseBlock | undefined;

/** What digesting uses over and over; one for all phases of a store, they are digested one at a time. */
export interface DigestScratch {
  readonly outcomes: Uint32Array;
  readonly tallies: Arms<BinTally>;
}

/** Room to digest in. */
export function createDigestScratch(): DigestScratch {
  return {
    outcomes: new Uint32Array(OUTCOME_CELLS),
    tallies: { control: createBinTally(), shadow: createBinTally() },
  };
}

/** Digests judge blocks of one route as they are asked for. */
export function growRequestPhase(baseAt: BaseAt, grid: PhaseGrid, options: DigestOptions): GrowingRequestPhase {
  const blocks: RequestBlock[] = [];
  const binned = { control: createBinnedBlocks(), shadow: createBinnedBlocks() };
  let sums = emptySums();
  let counted = 0;
  const upTo = (blockCount: number): RequestPhase => {
    while (blocks.length < blockCount) {
      const first = grid.firstBase + blocks.length * grid.basesPerBlock;
      blocks.push(digest(basesBetween(baseAt, first, first + grid.basesPerBlock), options, binned));
    }
    if (blockCount < counted) {
      sums = emptySums();
      counted = 0;
    }
    for (; counted < blockCount; counted++) {
      const block = blocks[counted];
      if (block?.valid !== true) continue;
      addSparse(sums.counts.control, binned.control.at(counted));
      addSparse(sums.counts.shadow, binned.shadow.at(counted));
      addValid(sums, block, counted);
    }
    return { blocks: blocks.slice(0, blockCount), valid: validOf(sums), latencies: binned, counts: sums.counts };
  };
  return { upTo };
}

/** The base blocks that exist with first <= index < end. */
export function basesBetween(baseAt: BaseAt, first: number, end: number): readonly BaseBlock[] {
  const found: BaseBlock[] = [];
  for (let index = first; index < end; index++) {
    const block = baseAt(index);
    if (block !== undefined) found.push(block);
  }
  return found;
}

/** Counts the pairs of one judge block and appends its latencies. */
function digest(all: readonly BaseBlock[], options: DigestOptions, binned: Arms<BinnedBlocks>): RequestBlock {
  const { route, late, scratch } = options;
  const { outcomes, tallies } = scratch;
  outcomes.fill(0);
  const bases = late === "kept" ? all : all.filter(isOnTime);
  const count = (section: RouteSection): void => {
    addOutcomes(section, outcomes);
    addLatencies(section, "control", tallies.control);
    addLatencies(section, "shadow", tallies.shadow);
  };
  for (const { packed } of bases) {
    if (route === undefined) {
      for (const section of routeSections(packed)) count(section);
    } else {
      const section = sectionOf(packed, route);
      if (section !== undefined) count(section);
    }
  }
  binned.control.push(tallies.control);
  binned.shadow.push(tallies.shadow);
  const counts = countsOf(outcomes);
  return { ...counts, valid: counts.size > 0 && isTrustworthy(all, bases.length) };
}

function countsOf(outcomes: Uint32Array): Pick<RequestBlock, "size" | "ok" | "dropped" | "shadowOnly" | "controlOnly"> {
  const size = outcomes.reduce((a, b) => a + b, 0);
  const both = outcomes[0] ?? 0;
  const row = (state: number): number => outcomes.subarray(state * 4, state * 4 + 4).reduce((a, b) => a + b, 0);
  const column = (state: number): number => [0, 4, 8, 12].reduce((total, at) => total + (outcomes[at + state] ?? 0), 0);
  const ok = { control: row(REQUEST_STATE.ok), shadow: column(REQUEST_STATE.ok) };
  const failedBoth = size - ok.control - ok.shadow + both;
  return {
    size,
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

interface Sums {
  readonly counts: Arms<BinCounts>;
  readonly places: number[];
  readonly sizes: number[];
  readonly failing: Arms<number[]>;
  readonly ok: Record<Role, number>;
  size: number;
  shadowOnly: number;
  controlOnly: number;
}

function emptySums(): Sums {
  return {
    counts: { control: emptyBinCounts(), shadow: emptyBinCounts() },
    places: [],
    sizes: [],
    failing: { control: [], shadow: [] },
    ok: { control: 0, shadow: 0 },
    size: 0,
    shadowOnly: 0,
    controlOnly: 0,
  };
}

function addValid(sums: Sums, block: RequestBlock, place: number): void {
  sums.places.push(place);
  sums.sizes.push(block.size);
  for (const role of ROLES) {
    sums.failing[role].push(1 - block.ok[role] / block.size);
    sums.ok[role] += block.ok[role];
  }
  sums.size += block.size;
  sums.shadowOnly += block.shadowOnly;
  sums.controlOnly += block.controlOnly;
}

function validOf({ places, sizes, failing, size, ok, shadowOnly, controlOnly }: Sums): ValidBlocks {
  const pairs = { shadowOnly, controlOnly, neither: size - shadowOnly - controlOnly };
  return { places, sizes, failing, size, ok: { ...ok }, pairs };
}
