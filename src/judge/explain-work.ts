import { stallText } from "./during-budgets.ts";
import type { DecisionTrace } from "./explain.ts";
import type { ExplanationLine } from "./explain-words.ts";
import { rareText } from "./rare-routes.ts";
import type { ReasonCode } from "./verdict.ts";

const HARM_CODES: ReadonlySet<ReasonCode> = new Set(["HARM_ALARM", "EXCESS_ERRORS", "EXCESS_STALLS"]);

/** What no interval is made of, from the first action on, is watched block by block and held to budgets. */
export function alarmLines({ verdict, phases, during = [] }: DecisionTrace): readonly ExplanationLine[] {
  if (phases.acting === undefined) return [];
  const found = verdict.reasons.filter(({ code }) => HARM_CODES.has(code));
  const text =
    found.length === 0
      ? "No gross harm was seen from the first action on, and every budget of the seconds around it was kept."
      : found.map((reason) => reason.message).join(" ");
  const stalls = [...new Set(during.filter(({ kind }) => kind === "stalls").map(stallText))];
  const stalled = stalls.length === 0 ? "" : ` Stalled there was what took longer than ${stalls.join(", or ")}.`;
  return [{ topic: "harm alarm", text: `${text}${stalled}` }];
}

/** What was not shown route by route; nothing where every route was. */
export function workLines({ rare }: DecisionTrace): readonly ExplanationLine[] {
  return rare === undefined ? [] : [{ topic: "served work", text: rareText(rare) }];
}
