import type { RouteResponses } from "../../judge/response-changes.ts";
import { countOf } from "../amounts.ts";
import { fieldWords, routePairs } from "../response-words.ts";
import type { RunReport } from "../run-report.ts";
import { failure, notSeen, type Outcome, PASSED, type Suite } from "./junit-case.ts";

/** A test for each route whose answers were compared; none where none were. */
export function responseSuite({ responses }: RunReport): readonly Suite[] {
  if (responses === undefined) return [];
  const cases = responses.routes.map((route) => ({ name: route.route, seconds: 0, outcome: outcomeOf(route) }));
  return [{ name: "responses", cases }];
}

function outcomeOf(route: RouteResponses): Outcome {
  const changed = route.fields.filter(({ state }) => state === "changed").map((field) => fieldWords(field, route));
  if (changed.length > 0) {
    const lines = changed.map(({ path, kinds, counts: [before, inForce, after], example }) => {
      return `${path} (${kinds}): ${inForce} in force, ${before} before, ${after} after the undo${example === "" ? "" : `; ${example}`}`;
    });
    return failure(
      "RESPONSE_CHANGED",
      `${countOf(changed.length, "place")} changed and not declared`,
      lines.join("\n"),
    );
  }
  return route.enough ? PASSED : notSeen(routePairs(route));
}
