import type { DifferenceKind } from "../measure/response-difference.ts";
import type { ResponseLog } from "../measure/response-log.ts";
import type { Window } from "../replay/recording.ts";
import type { FieldJudgement } from "./response-changes.ts";

/** Pairs without the plan, with it in force and settled, and after its undo; of a switchback those of all rounds. */
export type ResponseWindows = Readonly<Record<"before" | "inForce" | "after", readonly Window[]>>;
/** Pairs of each of the three. */
export type Counts = Readonly<Record<keyof ResponseWindows, number>>;

/**
 * What the plan changes is there for as long as it is in force: in every one of so many equal parts of the pairs, or in all
 * but one where it shows in few of them.
 */
export const PARTS = 8;
/** Most of the pairs. */
export const OFTEN = 0.75;

/** One place of a route's answers that ever differed. */
export interface Place {
  readonly path: string;
  readonly kinds: readonly DifferenceKind[];
  readonly differing: Counts;
  readonly partsDiffering: number;
  /** Whether most pairs differ in every part of the time with the plan in force. */
  readonly fillsEveryPart: boolean;
  readonly example: FieldJudgement["example"];
}

/** A route with its pairs, and the places in which they differ. */
export interface SeenRoute {
  readonly name: string;
  readonly pairs: Counts;
  readonly uncompared: number;
  readonly places: readonly Place[];
}

/** Kinds of one group stand in for each other when requests overtake each other: they are one place. */
function groupOf(kind: DifferenceKind): string {
  return kind === "missing" || kind === "extra" || kind === "type" ? "shape" : "content";
}

/** Counts where the pairs of a route differ, before the plan, with it in force and after its undo. */
export function seenOf(
  log: ResponseLog,
  { name, route, windows }: { readonly name: string; readonly route: number; readonly windows: ResponseWindows },
): SeenRoute {
  const series = {
    before: log.series(route, windows.before),
    inForce: log.series(route, windows.inForce),
    after: log.series(route, windows.after),
  };
  const all = [...windows.before, ...windows.inForce, ...windows.after];
  const ids = log.fields.flatMap((field, id) => (field.route === route ? [{ ...field, id }] : []));
  const places = [...Map.groupBy(ids, ({ path, kind }) => `${groupOf(kind)} ${path}`).values()].flatMap((group) => {
    const place = placeOf(log, group, { series, windows });
    return place === undefined ? [] : [place];
  });
  const pairs = { before: series.before.length, inForce: series.inForce.length, after: series.after.length };
  return { name, pairs, uncompared: log.tally(route, all).uncompared, places };
}

function placeOf(
  log: ResponseLog,
  group: readonly { readonly id: number; readonly path: string; readonly kind: DifferenceKind }[],
  at: {
    readonly series: Readonly<Record<keyof ResponseWindows, readonly (readonly number[])[]>>;
    readonly windows: ResponseWindows;
  },
): Place | undefined {
  const { series, windows } = at;
  const ids = new Set(group.map(({ id }) => id));
  const differs = (pair: readonly number[]): boolean => pair.some((id) => ids.has(id));
  const count = (pairs: readonly (readonly number[])[]): number => pairs.filter(differs).length;
  const differing = { before: count(series.before), inForce: count(series.inForce), after: count(series.after) };
  if (total(differing) === 0) return undefined;
  const partOf = (i: number): number => Math.floor((i * PARTS) / series.inForce.length);
  const parts = Map.groupBy(series.inForce.keys(), partOf);
  const shares = [...parts.values()].map((part) => {
    const here = part.filter((i) => differs(series.inForce[i] ?? [])).length;
    return here / part.length;
  });
  const examples = [windows.inForce, windows.before, windows.after].flatMap((when) =>
    group.flatMap(({ id }) => log.example(id, when) ?? []),
  );
  const kinds = group.map(({ kind }) => kind).toSorted();
  return {
    path: group[0]?.path ?? "",
    kinds,
    differing,
    partsDiffering: shares.filter((share) => share > 0).length,
    fillsEveryPart: shares.length === PARTS && shares.every((share) => share >= OFTEN),
    example: examples[0],
  };
}

/** Pairs of all three. */
export function total({ before, inForce, after }: Counts): number {
  return before + inForce + after;
}
