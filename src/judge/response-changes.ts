import type { DifferenceKind } from "../measure/response-difference.ts";
import type { ResponseLog } from "../measure/response-log.ts";
import { anyMatches, resourcePath } from "../plan/resource-pattern.ts";
import type { Window } from "../replay/recording.ts";
import { chanceOfMore } from "./odds-test.ts";

// docs/decisions/0016-answers-compared.md: what makes a difference of answers the plan's, and no race.

/** Pairs without the plan, with it in force and settled, and after its undo; of a switchback those of all rounds. */
export type ResponseWindows = Readonly<Record<"before" | "inForce" | "after", readonly Window[]>>;
type Counts = Readonly<Record<keyof ResponseWindows, number>>;

/**
 * `changed`: differs with the plan in force, neither before it nor after its undo, and nothing declares it; `declared`: the
 * same, and something does; `noise`: differed before the plan; `unclear`: differed only later, and was not shown to be the
 * plan's.
 */
export type FieldState = "changed" | "declared" | "unclear" | "noise";

/** One place of a route's answers. */
export interface FieldJudgement {
  /** As below `response/<route>/`. */
  readonly path: string;
  readonly kinds: readonly DifferenceKind[];
  readonly state: FieldState;
  /** Pairs that differ here. */
  readonly differing: Counts;
  /** Chance of this or more, if the odds with the plan were those of before and of after, times the margin; the larger one. */
  readonly chance: number;
  /** Masked values of a pair with the plan in force, else of one before it. */
  readonly example?: { readonly control: string; readonly shadow: string };
  /** Why an unclear one was not shown to be the plan's. */
  readonly because?: string;
}

/** What was seen of one route's answers. */
export interface RouteResponses {
  readonly route: string;
  /** Pairs compared. */
  readonly pairs: Counts;
  /** Sampled, and failed or not answered on a twin. */
  readonly uncompared: number;
  /** Whether these pairs would have shown a change of every answer. */
  readonly enough: boolean;
  /** Most important first, at most `FIELDS_LISTED_MAX`. */
  readonly fields: readonly FieldJudgement[];
  /** Fields that are not listed. */
  readonly more: number;
}

/** What the comparison of answers says. */
export interface ResponseJudgement {
  /** Chance that is asked of each place: the run's alpha over the number of places that ever differed. */
  readonly level: number;
  readonly routes: readonly RouteResponses[];
}

/** What a plan declares of answers and an operator lets it change, and the error that the operator accepts. */
export interface ResponseTerms {
  readonly alpha: number;
  /** Patterns of the plan (`changes`). */
  readonly declared: readonly string[];
  /** Patterns of the operator (`mayChange`). */
  readonly allowed: readonly string[];
}

/** Rare races get less rare with load: only odds beyond so many times those without the plan are evidence. */
const ODDS_MARGIN = 3;
/**
 * What the plan changes is there for as long as it is in force: in every one of so many equal parts of the pairs, or in all
 * but one where it shows in few of them.
 */
const PARTS = 8;
const OFTEN = 0.75;
/**
 * Places that differed in more of the pairs before the plan are noise whatever they do later: what comes in spells, as cached
 * answers do, can fill any window by chance, and no test of single pairs would know.
 */
const NOISE_SHARE = 0.02;
const FIELDS_LISTED_MAX = 100;
const STATES: readonly FieldState[] = ["changed", "declared", "unclear", "noise"];
const NO_COUNTS: Counts = { before: 0, inForce: 0, after: 0 };

/** Judges every place of every route that was sampled. */
export function judgeResponses(
  log: ResponseLog,
  routes: readonly string[],
  windows: ResponseWindows,
  terms: ResponseTerms,
): ResponseJudgement {
  const seen = routes.map((name, route) => seenOf(log, { name, route, windows }));
  const level =
    terms.alpha /
    Math.max(
      1,
      seen.reduce((sum, { places }) => sum + places.length, 0),
    );
  return {
    level,
    routes: seen
      .filter(({ pairs, uncompared }) => total(pairs) + uncompared > 0)
      .map((one) => judged(one, level, terms)),
  };
}

interface Place {
  readonly path: string;
  readonly kinds: readonly DifferenceKind[];
  readonly differing: Counts;
  readonly partsDiffering: number;
  readonly example: FieldJudgement["example"];
}

interface SeenRoute {
  readonly name: string;
  readonly pairs: Counts;
  readonly uncompared: number;
  readonly places: readonly Place[];
}

/** Kinds of one group stand in for each other when requests overtake each other: they are one place. */
function groupOf(kind: DifferenceKind): string {
  return kind === "missing" || kind === "extra" || kind === "type" ? "shape" : "content";
}

function seenOf(
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
  const parts = new Set(series.inForce.flatMap((pair, i) => (differs(pair) ? [partOf(i)] : [])));
  const examples = [windows.inForce, windows.before, windows.after].flatMap((when) =>
    group.flatMap(({ id }) => log.example(id, when) ?? []),
  );
  const kinds = group.map(({ kind }) => kind).toSorted();
  return { path: group[0]?.path ?? "", kinds, differing, partsDiffering: parts.size, example: examples[0] };
}

function judged({ name, pairs, uncompared, places }: SeenRoute, level: number, terms: ResponseTerms): RouteResponses {
  const fields = places
    .map((place) => fieldOf({ route: name, place, pairs, level, terms }))
    .toSorted((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || (a.path < b.path ? -1 : 1));
  const everything = { ...NO_COUNTS, inForce: pairs.inForce };
  return {
    route: name,
    pairs,
    uncompared,
    enough: pairs.inForce > 0 && chances(everything, pairs).every((chance) => chance <= level),
    fields: fields.slice(0, FIELDS_LISTED_MAX),
    more: Math.max(0, fields.length - FIELDS_LISTED_MAX),
  };
}

function fieldOf(options: {
  readonly route: string;
  readonly place: Place;
  readonly pairs: Counts;
  readonly level: number;
  readonly terms: ResponseTerms;
}): FieldJudgement {
  const { route, place, pairs, level, terms } = options;
  const { path, kinds, differing, example } = place;
  const [before, after] = chances(differing, pairs);
  const said = {
    path,
    kinds,
    differing,
    chance: Math.max(before, after),
    ...(example === undefined ? {} : { example }),
  };
  const doubt = doubtOf({ place, pairs, before, after, level });
  if (doubt === undefined) {
    const full = `${resourcePath("response", route)}/${path}`;
    const declared = anyMatches(terms.declared, full) && anyMatches(terms.allowed, full);
    return { ...said, state: declared ? "declared" : "changed" };
  }
  return differing.before > 0 ? { ...said, state: "noise" } : { ...said, state: "unclear", because: doubt };
}

/** Why a difference is not taken for the plan's. */
function doubtOf(of: {
  readonly place: Place;
  readonly pairs: Counts;
  readonly before: number;
  readonly after: number;
  readonly level: number;
}): string | undefined {
  const { differing, partsDiffering } = of.place;
  if (of.place.path.endsWith("(beyond)")) return "it stands for places that are no longer told apart";
  if (differing.before > NOISE_SHARE * of.pairs.before) return "it differed before the plan";
  if (differing.inForce === 0) return "it did not differ with the plan in force";
  if (!(of.before <= of.level)) return "it differs too seldom to be told from a race";
  if (!(of.after <= of.level)) {
    return differing.after > 0
      ? "it still differs after the undo, as it does where a race has parted the twins' states"
      : "too few pairs were seen after the undo";
  }
  const partsMin = differing.inForce < OFTEN * of.pairs.inForce ? PARTS - 1 : PARTS;
  return partsDiffering < partsMin && of.pairs.inForce >= PARTS
    ? "it differs in only a part of the time with the plan in force"
    : undefined;
}

function chances(differing: Counts, pairs: Counts): readonly [before: number, after: number] {
  const here = { differing: differing.inForce, pairs: pairs.inForce };
  const chance = (when: "before" | "after"): number =>
    chanceOfMore(here, { differing: differing[when], pairs: pairs[when] }, ODDS_MARGIN);
  return [chance("before"), chance("after")];
}

function total({ before, inForce, after }: Counts): number {
  return before + inForce + after;
}
