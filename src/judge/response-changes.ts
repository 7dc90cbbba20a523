import type { DifferenceKind } from "../measure/response-difference.ts";
import type { ResponseLog } from "../measure/response-log.ts";
import { anyMatches, resourcePath } from "../plan/resource-pattern.ts";
import { chanceOfMore } from "./odds-test.ts";
import {
  type Counts,
  OFTEN,
  PARTS,
  type Place,
  type ResponseWindows,
  type SeenRoute,
  seenOf,
  total,
} from "./response-places.ts";

// docs/decisions/0016-answers-compared.md: what makes a difference of answers the plan's, and no race.

/**
 * `changed`: differs with the plan in force, neither before it nor after its undo, and nothing declares it; `declared`: the
 * same, and something does; `lasting`: began with the plan, filled the time with it in force and outlived its undo, undeclared;
 * `noise`: differed before the plan; `unclear`: differed only later, and was not shown to be the plan's.
 */
export type FieldState = "changed" | "declared" | "lasting" | "unclear" | "noise";

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
  /** Why an unclear or lasting one was not shown to be the plan's. */
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
 * Places that differed in more of the pairs before the plan are noise: what comes in spells, as cached answers do, can fill any
 * window by chance, and no test of single pairs would know.
 */
const NOISE_SHARE = 0.02;
/** Up to this share of the pairs before, noise that then fills every part of the time in force is looked at all the same. */
const QUIET_NOISE_SHARE = 0.2;
/** What comes and goes with the plan is, after its undo, no more frequent than before by this factor. */
const GONE_FACTOR = 2;
const FIELDS_LISTED_MAX = 100;
const STATES: readonly FieldState[] = ["changed", "lasting", "declared", "unclear", "noise"];
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
  const full = `${resourcePath("response", route)}/${path}`;
  const declared = anyMatches(terms.declared, full) && anyMatches(terms.allowed, full);
  if (doubt === undefined) return { ...said, state: declared ? "declared" : "changed" };
  if (doubt === OUTLIVES && place.fillsEveryPart && !declared && differing.before <= NOISE_SHARE * pairs.before)
    return { ...said, state: "lasting", because: doubt };
  return differing.before > 0 ? { ...said, state: "noise" } : { ...said, state: "unclear", because: doubt };
}

const OUTLIVES = "it still differs after the undo, as it does where a race has parted the twins' states";

/** Noise that is seldom without the plan and fills every part of the time with it: a spell would have to be of that very length. */
function risesAndFalls({ differing, fillsEveryPart }: Place, pairs: Counts): boolean {
  return (
    fillsEveryPart &&
    differing.before <= QUIET_NOISE_SHARE * pairs.before &&
    differing.after * pairs.before <= GONE_FACTOR * differing.before * pairs.after
  );
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
  if (differing.before > NOISE_SHARE * of.pairs.before && !risesAndFalls(of.place, of.pairs))
    return "it differed before the plan";
  if (differing.inForce === 0) return "it did not differ with the plan in force";
  if (!(of.before <= of.level)) return "it differs too seldom to be told from a race";
  if (!(of.after <= of.level)) {
    return differing.after > 0 ? OUTLIVES : "too few pairs were seen after the undo";
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
