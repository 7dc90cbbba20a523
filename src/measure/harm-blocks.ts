import type { Role } from "../mirror/twin.ts";
import type { OverduePairs, Window } from "../replay/recording.ts";
import { type Arms, sum } from "./arm-series.ts";
import { addLatencies, addOutcomes, OUTCOME_CELLS, type RouteSection, routeSections } from "./base-block.ts";
import { type BinTally, createBinTally } from "./bin-tally.ts";
import type { BlockStore } from "./block-store.ts";
import { binOfMs, lnAtBin } from "./log-bins.ts";

/** What a short stretch shows of one route, or of all together: as little as an alarm needs. */
export interface HarmBlock {
  /** Pairs of requests intended in the stretch, those that still wait for an answer included. */
  readonly requests: number;
  /** Pairs of which one twin served and the other did not. */
  readonly shadowOnly: number;
  readonly controlOnly: number;
  /** Requests of each twin that had no answer after `stallMs`. */
  readonly stalled: Arms<number>;
  /** Median latency of each twin, natural log of ms; what takes longer than `stallMs` counts as that long. */
  readonly medianLn: Arms<number>;
}

/** Name under which all routes together stand; no route can be called so. */
export const ALL_ROUTES = "all routes";

/** Reads every route with requests in a window of whole base blocks, and all of them together, by name. */
export type ReadHarmBlocks = (window: Window, overdue?: readonly OverduePairs[]) => ReadonlyMap<string, HarmBlock>;

interface Tally {
  readonly outcomes: Uint32Array;
  readonly sections: RouteSection[];
  readonly overdue: OverduePairs[];
}

/**
 * Reads short stretches of a store. Seconds in which the driver was late count: lateness adds the same to both twins,
 * and an alarm must not be blind for them. What is overdue counts as stalled on the twin that owes the answer: the store
 * cannot know of it yet.
 */
export function harmBlockReader(store: BlockStore, stallMs: number): ReadHarmBlocks {
  const scratch = createBinTally();
  const stallBin = binOfMs(stallMs);
  return (window, overdue = []) => {
    const tallies = new Map<string, Tally>();
    const tallyOf = (name: string): Tally => {
      const tally = tallies.get(name) ?? { outcomes: new Uint32Array(OUTCOME_CELLS), sections: [], overdue: [] };
      tallies.set(name, tally);
      return tally;
    };
    const eachOf = (route: number): readonly Tally[] => [tallyOf(ALL_ROUTES), tallyOf(store.routes[route] ?? "?")];
    for (const { packed } of store.bases(window)) {
      for (const section of routeSections(packed)) {
        for (const tally of eachOf(section.route)) {
          addOutcomes(section, tally.outcomes);
          tally.sections.push(section);
        }
      }
    }
    for (const pairs of overdue) {
      if (pairs.intendedFromMs < window.fromMs || pairs.intendedFromMs >= window.toMs) continue;
      for (const tally of eachOf(pairs.route)) tally.overdue.push(pairs);
    }
    return new Map([...tallies].map(([name, tally]) => [name, blockOf(tally, stallBin, scratch)]));
  };
}

function blockOf({ outcomes, sections, overdue }: Tally, stallBin: number, scratch: BinTally): HarmBlock {
  const served = (cells: readonly number[]): number => sum(cells.map((cell) => outcomes[cell] ?? 0));
  const owed = (role: Role): number => sum(overdue.map((pairs) => pairs[role] + pairs.both));
  const arm = (role: Role): { readonly stalled: number; readonly medianLn: number } => {
    for (const section of sections) addLatencies(section, role, scratch);
    return armOf(scratch, owed(role), stallBin);
  };
  const arms = { control: arm("control"), shadow: arm("shadow") };
  const answered = outcomes.reduce((total, count) => total + count, 0);
  return {
    requests: answered + sum(overdue.map(({ control, shadow, both }) => control + shadow + both)),
    shadowOnly: served([1, 2, 3]),
    controlOnly: served([4, 8, 12]),
    stalled: { control: arms.control.stalled, shadow: arms.shadow.stalled },
    medianLn: { control: arms.control.medianLn, shadow: arms.shadow.medianLn },
  };
}

/** Empties the tally. A median that lies among those that stall is the stall itself, as it would be when it is over. */
function armOf(
  tally: BinTally,
  owed: number,
  stallBin: number,
): { readonly stalled: number; readonly medianLn: number } {
  const bins: { readonly bin: number; readonly count: number }[] = [];
  tally.drain((bin, count) => bins.push({ bin, count }));
  const size = owed + sum(bins.map(({ count }) => count));
  let below = 0;
  let medianBin: number | undefined;
  for (const { bin, count } of bins) {
    if (bin >= stallBin) break;
    // The upper median, spread evenly inside its bin: bins are 0.15% wide.
    if (medianBin === undefined && 2 * (below + count) > size) medianBin = bin + (size / 2 - below + 0.5) / (count + 1);
    below += count;
  }
  return { stalled: size - below, medianLn: lnAtBin(medianBin ?? stallBin) };
}
