import type { FieldJudgement, FieldState, ResponseJudgement, RouteResponses } from "../judge/response-changes.ts";
import { countOf } from "./amounts.ts";

/** One place of the answers as every report says it. */
export interface FieldWords {
  readonly path: string;
  /** `value`, `missing, type`. */
  readonly kinds: string;
  /** `0 of 240`, in the order before, in force, after. */
  readonly counts: readonly [before: string, inForce: string, after: string];
  /** `10 → 12`, control to shadow, masked; empty where no pair was kept. */
  readonly example: string;
  readonly state: FieldState;
  readonly stateWord: string;
}

/** What became of a place, in words; colour alone must never say it. */
export const FIELD_WORDS: Readonly<Record<FieldState, string>> = {
  changed: "changed and not declared",
  declared: "changed as declared",
  lasting: "began with the plan and outlived its undo",
  unclear: "not shown to be the plan's",
  noise: "noise of the twins",
};

/** Measured in bench/responses, 80 s in force: of 30% of the answers 99% of changes are found at 2 pairs a second, 15% at 1; of 20% four in ten at 2. */
const SHARE_SHOWN = "a change in fewer than about 30% of a route's answers (half, where few are compared) is not shown";

/** The comparison in one sentence. */
export function responseSummary({ routes }: ResponseJudgement): string {
  const fields = routes.flatMap((route) => route.fields);
  const pairs = routes.reduce((sum, route) => sum + route.pairs.before + route.pairs.inForce + route.pairs.after, 0);
  const count = (state: FieldState): number => fields.filter((field) => field.state === state).length;
  const few = routes.filter(({ enough, pairs: { inForce } }) => !enough && inForce > 0).map(({ route }) => route);
  const said = (["changed", "lasting", "declared", "unclear", "noise"] as const).flatMap((state) =>
    count(state) > 0 ? [`${count(state)} ${FIELD_WORDS[state]}`] : [],
  );
  const places = said.length === 0 ? "they differ nowhere" : `places that differ: ${said.join(", ")}`;
  const tooFew = few.length === 0 ? "" : `; too few pairs to show a change: ${few.join(", ")}`;
  const compared = `${pairs.toLocaleString("en-US")} pairs of answers of ${countOf(routes.length, "route")} compared`;
  return `${compared}; ${places}${tooFew}; ${SHARE_SHOWN}`;
}

/** A route's pairs: `240 before the plan, 118 with it in force, 41 after its undo`. */
export function routePairs({ pairs, uncompared, enough }: RouteResponses): string {
  const left = uncompared === 0 ? "" : `; ${uncompared} failed or unanswered on a twin, not compared`;
  const few = enough || pairs.inForce === 0 ? "" : "; too few to show a change";
  return `${pairs.before} before the plan, ${pairs.inForce} with it in force, ${pairs.after} after its undo${left}${few}`;
}

/** Puts one place into words. */
export function fieldWords(field: FieldJudgement, { pairs }: RouteResponses): FieldWords {
  const { path, kinds, differing, example, state, because } = field;
  const of = (when: keyof typeof pairs): string => `${differing[when]} of ${pairs[when]}`;
  return {
    path,
    kinds: kinds.join(", "),
    counts: [of("before"), of("inForce"), of("after")],
    example: example === undefined ? "" : `${example.control} → ${example.shadow}`,
    state,
    stateWord: because === undefined ? FIELD_WORDS[state] : `${FIELD_WORDS[state]}: ${because}`,
  };
}
