import type { Difference } from "../mirror/fingerprint.ts";
import type { ActionStep } from "../plan/action.ts";
import type { Action } from "../plan/plan.ts";
import { anyMatches } from "../plan/resource-pattern.ts";
import type { ActionWrites, TableCount, WriteProvenance } from "../replay/proof/write-provenance.ts";
import type { ProofReasons } from "./proof-reasons.ts";
import type { Reason } from "./verdict.ts";

const NAMED_MAX = 3;

type Unreturned = Extract<WriteProvenance, { kind: "told" }>["unreturned"][number];

/** What is against a plan because of what its actions wrote under load, and what of it could not be told. */
export function writeReasons(writes: WriteProvenance | undefined): ProofReasons {
  if (writes === undefined) return { against: [], missing: [] };
  if (writes.kind === "unavailable") {
    const message = `Who wrote what under load is not available: ${writes.why}.`;
    return { against: [], missing: [{ code: "WRITES_NOT_ATTRIBUTED", message }] };
  }
  const missing = writes.doubts.map((doubt): Reason => {
    return { code: "WRITES_NOT_ATTRIBUTED", message: `Who wrote what under load is not told in full: ${doubt}.` };
  });
  return { against: [...writes.actions.flatMap(outsideReasons), ...writes.unreturned.map(unreturnedReason)], missing };
}

/** Kinds that write to stores by themselves and leave no log of it that could be read (docs/provenance.md). */
const UNLOGGED_WRITERS: ReadonlySet<ActionStep["uses"]> = new Set(["http", "grpc", "exec", "redis"]);

/**
 * Holds: data that differs at the last barrier where such an action declares that it may. A service that was scaled or
 * configured writes nothing itself, so that what differs is its consequence; here it may as well be what the action wrote
 * under load and its undo did not put back.
 * @param consequences - what was excused at the last barrier because it was declared
 */
export function untoldConsequences(
  actions: readonly Pick<Action, "id" | "step" | "rollback" | "changes">[],
  consequences: readonly Difference[],
): readonly Reason[] {
  return actions.filter(writesUnlogged).flatMap(({ id, changes }): readonly Reason[] => {
    const found = consequences.filter(({ path }) => !path.startsWith("log/") && anyMatches(changes, path));
    if (found.length === 0) return [];
    const named = found.slice(0, NAMED_MAX).map(({ path }) => path);
    const more = found.length > NAMED_MAX ? ` and ${found.length - NAMED_MAX} more` : "";
    const message =
      `At the last barrier ${named.join(", ")}${more} differ from the control's, as action ${id} declares; who wrote them is not ` +
      "told, because it leaves no log of its writes, so they may be what its undo did not put back.";
    return [{ code: "WRITES_NOT_ATTRIBUTED", subject: id, message }];
  });
}

function writesUnlogged({ step, rollback }: Pick<Action, "step" | "rollback">): boolean {
  const undo = rollback !== undefined && "uses" in rollback ? [rollback] : [];
  return [step, ...undo].some(
    (one) => UNLOGGED_WRITERS.has(one.uses) && !(one.uses === "http" && one.with.method === "GET"),
  );
}

function outsideReasons(action: ActionWrites): readonly Reason[] {
  return action.outside.map(({ table, rows, examples }): Reason => {
    const some = examples.filter((path) => !path.endsWith("/(some)")).slice(0, NAMED_MAX);
    const message =
      `Under load ${actor(action)} wrote what it neither declares nor wrote on the quiet twin: ${counted(rows)} of ${table}` +
      `${some.length === 0 ? "" : ` (${some.join(", ")})`}. Its own transactions wrote them, not the application's.`;
    return { code: "UNDECLARED_EFFECT", subject: action.actionId, message };
  });
}

function unreturnedReason({ actionId, table, rows, examples, differs }: Unreturned): Reason {
  const some = examples.filter((path) => !path.endsWith("/(some)")).slice(0, NAMED_MAX);
  const which = some.length === 0 ? "" : ` (${some.join(", ")})`;
  const how = differs === true ? "wrote again, and not as they are on the control" : "did not touch again";
  const message = `Under load action ${actionId} wrote ${counted(rows)} of ${table}${which} that its undo ${how}.`;
  return { code: "UNDO_NOT_PROVEN", subject: actionId, message };
}

/** `Under load action a wrote 4 rows (flags 1, jobs 3), …; the application wrote the rest (8,735).`; undefined if not told. */
export function writtenSentence(writes: WriteProvenance | undefined): string | undefined {
  if (writes?.kind !== "told") return undefined;
  const wrote = writes.actions.map((action) => `${actor(action)} wrote ${wordsOf(action)}`);
  const actions = wrote.length === 0 ? "no action wrote a row by SQL" : wrote.join(", ");
  return `Under load ${actions}; the application wrote the rest (${counted(writes.application.rows)}).`;
}

function actor({ actionId, phase }: Pick<ActionWrites, "actionId" | "phase">): string {
  return phase === "act" ? `action ${actionId}` : `the undo of ${actionId}`;
}

function wordsOf({ rows, tables, times }: ActionWrites): string {
  const largest = tables.toSorted((a, b) => b.rows - a.rows).slice(0, NAMED_MAX);
  const more = tables.length > NAMED_MAX ? `, ${tables.length - NAMED_MAX} more tables` : "";
  const where = rows === 0 ? "" : ` (${largest.map(tableWords).join(", ")}${more})`;
  return `${counted(rows)}${where}${times === 1 ? "" : ` in ${times} performances`}`;
}

function tableWords({ table, rows }: TableCount): string {
  return `${table.split("/").at(-1) ?? table} ${rows.toLocaleString("en-US")}`;
}

function counted(rows: number): string {
  return `${rows.toLocaleString("en-US")} ${rows === 1 ? "row" : "rows"}`;
}
