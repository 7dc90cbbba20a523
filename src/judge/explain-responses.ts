import type { ExplanationLine } from "./explain-words.ts";
import type { FieldState, ResponseJudgement } from "./response-changes.ts";

/** What was asked of the answers and what they said; nothing where none were compared. */
export function responseLines(judgement: ResponseJudgement | undefined): readonly ExplanationLine[] {
  if (judgement === undefined) return [];
  const { routes, level } = judgement;
  const fields = routes.flatMap((route) => route.fields);
  const count = (state: FieldState): number => fields.filter((field) => field.state === state).length;
  const few = routes.filter(({ enough }) => !enough).map(({ route }) => route);
  const least = few.length === 0 ? "" : ` Too few pairs to show a change: ${few.join(", ")}.`;
  const text =
    `Asked of each place in sampled answers: are the odds that the twins differ there more than three times those before the plan, and those ` +
    `after its undo, with the plan in force, each at ${Number(level.toPrecision(2))} (the run's alpha over all places that ever differed)? ` +
    `Shown and not declared: ${count("changed")}; shown and declared: ${count("declared")}; outlived the undo: ${count("lasting")}; seen but not shown: ${count("unclear")}; ` +
    `noise before the plan: ${count("noise")}.${least}`;
  return [{ topic: "answers", text }];
}
