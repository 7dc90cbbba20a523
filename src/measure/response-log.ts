import { LIMITS } from "../core/limits.ts";
import type { Window } from "../replay/recording.ts";
import type { DifferenceKind } from "./response-difference.ts";

// What was compared of the answers, without the answers: places, kinds and counts. docs/recording-format.md has the lines of
// the file; a run and whoever judges it again fill the same log from the same entries.

/** A line of `responses.jsonl`. */
export type ResponseEntry =
  /** Names a place of a route for the lines after it; `field` counts from 0 over the whole file. */
  | { readonly field: number; readonly route: number; readonly path: string; readonly kind: DifferenceKind }
  /** Both masked values at a place, of some of the pairs that differ in it. */
  | { readonly example: number; readonly sequence: number; readonly control: string; readonly shadow: string }
  /** One pair: its number, its instant in ms, its route, the fields in which its answers differ; `UNCOMPARED` instead. */
  | readonly [sequence: number, atMs: number, route: number, ...fields: number[]];

/** Stands for the fields of a pair of which a twin gave no answer, or failed: SLOs and work judge that. */
export const UNCOMPARED = -1;

/** How often each place differed in the pairs of one route, in some windows. */
export interface RouteTally {
  /** Pairs compared. */
  readonly pairs: number;
  /** Pairs that were sampled and could not be compared. */
  readonly uncompared: number;
  /** Pairs that differ, by field. */
  readonly differing: ReadonlyMap<number, number>;
}

/** A place of a route's answers with the way in which they differ there. */
export interface ResponseField {
  readonly route: number;
  readonly path: string;
  readonly kind: DifferenceKind;
}

/** Everything that was compared in a run. */
export interface ResponseLog {
  add(entry: ResponseEntry): void;
  readonly fields: readonly ResponseField[];
  /** Pairs so far. */
  readonly pairs: number;
  /** Of one route, whose pairs were meant for one of the windows. */
  tally(route: number, windows: readonly Window[]): RouteTally;
  /** The pairs of a route in the windows, in time, as the fields in which each differs. */
  series(route: number, windows: readonly Window[]): readonly (readonly number[])[];
  /** The last example of a field that was kept of a pair in the windows. */
  example(field: number, windows: readonly Window[]): { readonly control: string; readonly shadow: string } | undefined;
}

type PairEntry = Extract<ResponseEntry, readonly number[]>;
type Example = Extract<ResponseEntry, { readonly example: number }> & { readonly atMs: number };

/** An empty log. Memory: some numbers a pair, at most 40 pairs a second. */
export function responseLog(): ResponseLog {
  const fields: ResponseField[] = [];
  const byRoute = new Map<number, PairEntry[]>();
  const examples = new Map<number, Example[]>();
  let pairs = 0;
  let lastAtMs = 0;
  const within = (route: number, windows: readonly Window[]): readonly PairEntry[] =>
    (byRoute.get(route) ?? []).filter((pair) => isWithin(pair[1], windows));
  return {
    fields,
    get pairs() {
      return pairs;
    },
    add: (entry) => {
      if (isPair(entry)) {
        const list = byRoute.get(entry[2]) ?? [];
        byRoute.set(entry[2], list);
        list.push(entry);
        pairs += 1;
        lastAtMs = entry[1];
      } else if ("field" in entry) {
        fields[entry.field] = { route: entry.route, path: entry.path, kind: entry.kind };
      } else {
        // An example stands behind its pair.
        const list = examples.get(entry.example) ?? [];
        examples.set(entry.example, list);
        list.push({ ...entry, atMs: lastAtMs });
      }
    },
    tally: (route, windows) => tallyOf(within(route, windows)),
    series: (route, windows) =>
      within(route, windows)
        .filter((pair) => pair[3] !== UNCOMPARED)
        .toSorted((a, b) => a[1] - b[1] || a[0] - b[0])
        .map((pair) => pair.slice(3)),
    example: (field, windows) => {
      const found = examples.get(field)?.findLast(({ atMs }) => isWithin(atMs, windows));
      return found === undefined ? undefined : { control: found.control, shadow: found.shadow };
    },
  };
}

/** Whether there is room for another place of this route. */
export function hasRoomFor(fields: readonly ResponseField[], route: number): boolean {
  return fields.filter((field) => field.route === route).length < LIMITS.responseFieldsMax;
}

/** Whether an entry is a pair. `Array.isArray` does not narrow readonly arrays (TypeScript issue 17002). */
function isPair(entry: ResponseEntry): entry is PairEntry {
  return Array.isArray(entry);
}

function isWithin(atMs: number, windows: readonly Window[]): boolean {
  return windows.some(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs);
}

function tallyOf(entries: readonly PairEntry[]): RouteTally {
  const differing = new Map<number, number>();
  let uncompared = 0;
  for (const [, , , ...fields] of entries) {
    if (fields[0] === UNCOMPARED) uncompared += 1;
    else for (const field of fields) differing.set(field, (differing.get(field) ?? 0) + 1);
  }
  return { pairs: entries.length - uncompared, uncompared, differing };
}
