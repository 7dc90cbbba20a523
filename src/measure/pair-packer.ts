import {
  addLatencies,
  addOutcomes,
  createWordList,
  OUTCOME_CELLS,
  pushSection,
  type RouteSection,
  routeSections,
} from "./base-block.ts";
import { type BinTally, createBinTally } from "./bin-tally.ts";

/** Words of one pair that waits: route, control code, shadow code; a code is `bin << 2 | state`. */
export const PAIR_WORDS = 3;
/** Pairs that may wait before they are packed, whatever blocks they belong to: 400 kB. */
export const WAITING_MAX = 65_536;

/** What is packed into one base block: what was packed before, and `waiting` pairs in `words`. */
export interface Unpacked {
  readonly packed: Uint16Array;
  readonly words: Uint16Array;
  readonly waiting: number;
}

interface Counted {
  readonly outcomes: Uint32Array;
  readonly control: BinTally;
  readonly shadow: BinTally;
}

/** Turns pairs that wait into counts, together with those that are packed already; keep one, it reuses its room. */
export function createPacker(routeCount: number): (block: Unpacked) => Uint16Array {
  const counted = { outcomes: new Uint32Array(OUTCOME_CELLS), control: createBinTally(), shadow: createBinTally() };
  const list = createWordList();
  // Pairs of one route form a chain: the number of its last pair plus one (0: none), and of each pair's predecessor.
  const last = new Uint32Array(routeCount);
  const previous = new Uint32Array(WAITING_MAX + 1);
  return ({ packed, words, waiting }) => {
    const sections = new Map(Array.from(routeSections(packed), (section) => [section.route, section]));
    const routes = new Set(sections.keys());
    for (let pair = 1; pair <= waiting; pair++) {
      const route = words[(pair - 1) * PAIR_WORDS] ?? 0;
      if (last[route] === 0) routes.add(route);
      previous[pair] = last[route] ?? 0;
      last[route] = pair;
    }
    for (const route of [...routes].sort((a, b) => a - b)) {
      const section = sections.get(route);
      if (section !== undefined) countSection(section, counted);
      for (let pair = last[route] ?? 0; pair > 0; pair = previous[pair] ?? 0) {
        countPair(words, (pair - 1) * PAIR_WORDS, counted);
      }
      last[route] = 0;
      pushSection(list, route, counted);
    }
    return list.take();
  };
}

function countSection(section: RouteSection, counted: Counted): void {
  addOutcomes(section, counted.outcomes);
  addLatencies(section, "control", counted.control);
  addLatencies(section, "shadow", counted.shadow);
}

function countPair(words: Uint16Array, at: number, { outcomes, control, shadow }: Counted): void {
  const controlCode = words[at + 1] ?? 0;
  const shadowCode = words[at + 2] ?? 0;
  control.add(controlCode >> 2, 1);
  shadow.add(shadowCode >> 2, 1);
  const cell = ((controlCode & 3) << 2) | (shadowCode & 3);
  outcomes[cell] = (outcomes[cell] ?? 0) + 1;
}
