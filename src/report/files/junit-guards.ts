import { guardRows } from "../guard-words.ts";
import type { RunReport } from "../run-report.ts";
import { failure, notSeen, PASSED, type Suite } from "./junit-case.ts";

/** Triggers and safeguards, a test each; nothing of a plan that nothing watched. */
export function guardSuite(report: RunReport): readonly Suite[] {
  const rows = guardRows(report);
  if (rows.length === 0) return [];
  const cases = rows.map(({ name, kind, rule, seen, state }) => {
    const code =
      kind === "trigger" ? "TRIGGER_BREACHED" : kind.startsWith("objective") ? "OBJECTIVE_NOT_MET" : "SAFEGUARD_BROKEN";
    const outcome =
      state === "kept"
        ? PASSED
        : state === "broken"
          ? failure(code, `${kind} broken: ${seen}`, `${rule}\n${seen}`)
          : notSeen(`${kind} was not reached`);
    return { name, seconds: 0, outcome };
  });
  return [{ name: "guards", cases }];
}

/** Served work per route against the control, a test each. */
export function workSuite({ traffic, verdict, rollback }: RunReport): readonly Suite[] {
  if (traffic.routes.length === 0 || traffic.phases.observing === undefined) return [];
  const cases = traffic.routes.map(({ route }) => {
    const shrank = verdict.reasons.find(({ code, subject }) => code === "WORK_SHRANK" && subject === route);
    const unseen = rollback.kind === "run" ? PASSED : notSeen("the plan was not replayed under load");
    const outcome =
      shrank === undefined ? unseen : failure("WORK_SHRANK", "less work than on the control", shrank.message);
    return { name: route, seconds: 0, outcome };
  });
  return [{ name: "work", cases }];
}
