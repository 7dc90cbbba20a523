import type { Role } from "../mirror/twin.ts";
import type { BinTally } from "./bin-tally.ts";

// A base block once it is packed: per route the outcomes of its pairs and each twin's latencies as counts per bin, all in
// one list of 16-bit words, so that its size is bounded by routes and bins, not by requests. Per route, ascending:
//   route, number of outcome cells, words of the control's counts, words of the shadow's counts,
//   cells of (cell, count low, count high), then both lists of counts.
// A count is `bin << 2 | n` for n = 1 to 3; n = 0 says that the next two words (low, high) hold it.

/** What a request's answer counts as. */
export const REQUEST_STATE = { ok: 0, failed: 1, blocked: 2, dropped: 3 } as const;

/** Outcomes of pairs by control state times four plus shadow state. */
export const OUTCOME_CELLS = 16;

/** All pairs intended within one base block. */
export interface BaseBlock {
  /** Pairs that can be. */
  readonly size: number;
  /** Pairs of which a request left later than allowed. */
  readonly late: number;
  /** Pairs with a time that cannot be (NaN, negative, infinite, unknown outcome): the block is not used. */
  readonly malformed: number;
  /** Read with `routeSections`. */
  readonly packed: Uint16Array;
}

/** Where one route's pairs stand in a packed base block. */
export interface RouteSection {
  readonly packed: Uint16Array;
  readonly route: number;
  readonly cellsAt: number;
  readonly controlAt: number;
  readonly shadowAt: number;
  readonly endAt: number;
}

const HEADER_WORDS = 4;
const CELL_WORDS = 3;
const NO_WORDS = new Uint16Array();

/** Nothing packed yet. */
export const NOTHING_PACKED: Uint16Array = NO_WORDS;

/** The routes of a packed base block, ascending. */
export function* routeSections(packed: Uint16Array): Generator<RouteSection, void, undefined> {
  for (let at = 0; at < packed.length; ) {
    const section = sectionAt(packed, at);
    yield section;
    at = section.endAt;
  }
}

/** The section of one route, if it has pairs in the block. */
export function sectionOf(packed: Uint16Array, route: number): RouteSection | undefined {
  for (let at = 0; at < packed.length; ) {
    const section = sectionAt(packed, at);
    if (section.route === route) return section;
    if (section.route > route) return undefined;
    at = section.endAt;
  }
  return undefined;
}

function sectionAt(packed: Uint16Array, at: number): RouteSection {
  const cellsAt = at + HEADER_WORDS;
  const controlAt = cellsAt + (packed[at + 1] ?? 0) * CELL_WORDS;
  const shadowAt = controlAt + (packed[at + 2] ?? 0);
  const endAt = shadowAt + (packed[at + 3] ?? 0);
  return { packed, route: packed[at] ?? 0, cellsAt, controlAt, shadowAt, endAt };
}

/** Adds a section's outcomes to a list of `OUTCOME_CELLS` counts. */
export function addOutcomes({ packed, cellsAt, controlAt }: RouteSection, into: Uint32Array): void {
  for (let at = cellsAt; at < controlAt; at += CELL_WORDS) {
    const cell = packed[at] ?? 0;
    into[cell] = (into[cell] ?? 0) + wide(packed, at + 1);
  }
}

/** Adds the latencies of one twin in a section. */
export function addLatencies(section: RouteSection, role: Role, into: BinTally): void {
  const { packed, controlAt, shadowAt, endAt } = section;
  const end = role === "control" ? shadowAt : endAt;
  for (let at = role === "control" ? controlAt : shadowAt; at < end; at++) {
    const word = packed[at] ?? 0;
    const inline = word & 3;
    into.add(word >> 2, inline === 0 ? wide(packed, at + 1) : inline);
    if (inline === 0) at += 2;
  }
}

/** Words that are appended one by one and taken as a list of exactly their size. */
export interface WordList {
  readonly push: (word: number) => void;
  readonly length: () => number;
  readonly set: (at: number, word: number) => void;
  readonly take: () => Uint16Array;
}

/** An empty list that is reused. */
export function createWordList(): WordList {
  let words = new Uint16Array(4096);
  let length = 0;
  return {
    push: (word) => {
      if (length === words.length) words = grown(words);
      words[length++] = word;
    },
    length: () => length,
    set: (at, word) => {
      words[at] = word;
    },
    take: () => {
      const taken = words.slice(0, length);
      length = 0;
      return taken;
    },
  };
}

/** Twice the room, same words. */
export function grown(words: Uint16Array): Uint16Array<ArrayBuffer> {
  const larger = new Uint16Array(words.length * 2);
  larger.set(words);
  return larger;
}

/** Appends one route; empties the tallies and the outcomes. */
export function pushSection(
  to: WordList,
  route: number,
  counted: { readonly outcomes: Uint32Array; readonly control: BinTally; readonly shadow: BinTally },
): void {
  const headAt = to.length();
  for (let word = 0; word < HEADER_WORDS; word++) to.push(0);
  to.set(headAt, route);
  const cellsAt = to.length();
  for (const [cell, count] of counted.outcomes.entries()) {
    if (count === 0) continue;
    to.push(cell);
    pushWide(to, count);
  }
  const controlAt = to.length();
  pushCounts(to, counted.control);
  const shadowAt = to.length();
  pushCounts(to, counted.shadow);
  to.set(headAt + 1, (controlAt - cellsAt) / CELL_WORDS);
  to.set(headAt + 2, shadowAt - controlAt);
  to.set(headAt + 3, to.length() - shadowAt);
  counted.outcomes.fill(0);
}

function pushCounts(to: WordList, tally: BinTally): void {
  tally.drain((bin, count) => {
    to.push((bin << 2) | (count <= 3 ? count : 0));
    if (count > 3) pushWide(to, count);
  });
}

function pushWide(to: WordList, count: number): void {
  to.push(count & 0xffff);
  to.push(count >>> 16);
}

function wide(words: Uint16Array, at: number): number {
  return (words[at] ?? 0) + (words[at + 1] ?? 0) * 0x1_0000;
}
