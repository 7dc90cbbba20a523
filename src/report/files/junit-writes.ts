import { countOf } from "../amounts.ts";
import type { RunReport } from "../run-report.ts";
import { failure, notSeen, PASSED, type Suite, type TestCase } from "./junit-case.ts";

/** One case for each action that wrote by SQL under load, and one for whether the writes could be told apart. */
export function writesSuite({ writes }: RunReport): readonly Suite[] {
  if (writes === undefined) return [];
  const why = writes.kind === "unavailable" ? [writes.why] : writes.doubts;
  const told: TestCase = {
    name: "told apart",
    seconds: 0,
    outcome: why.length === 0 ? PASSED : notSeen(why.join("\n"), "WRITES_NOT_ATTRIBUTED"),
  };
  const actions = writes.kind === "unavailable" ? [] : writes.actions;
  const cases = actions.map(({ actionId, phase, outside }): TestCase => {
    const rows = outside.reduce((sum, one) => sum + one.rows, 0);
    const details = outside.flatMap(({ table, examples }) => [table, ...examples]).join("\n");
    const outcome = rows === 0 ? PASSED : failure("UNDECLARED_EFFECT", `${countOf(rows, "row")} not declared`, details);
    return { name: phase === "act" ? actionId : `undo of ${actionId}`, seconds: 0, outcome };
  });
  return [{ name: "writes under load", cases: [told, ...cases] }];
}
