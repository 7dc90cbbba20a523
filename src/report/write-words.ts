import type { ActionWrites, TableCount } from "../replay/proof/write-provenance.ts";
import type { RunReport } from "./run-report.ts";

/** One line of who wrote what: an action (or its undo), or the application. */
export interface WriteWords {
  readonly who: string;
  readonly as: string;
  readonly rows: string;
  /** `orders: 12 inserted, 3 updated`, table by table. */
  readonly tables: readonly string[];
  readonly result: { readonly tone: "pass" | "fail" | "plain"; readonly text: string };
}

/** What the log of writes told, in words; undefined where no SQL acted under load. */
export function writeWords({
  writes,
}: Pick<RunReport, "writes">):
  | { readonly lines: readonly WriteWords[]; readonly doubts: readonly string[] }
  | { readonly unavailable: string }
  | undefined {
  if (writes === undefined) return undefined;
  if (writes.kind === "unavailable") return { unavailable: `not available: ${writes.why}` };
  const { application } = writes;
  const rest: WriteWords = {
    who: "the application",
    as: "",
    rows: number(application.rows),
    tables: application.tables.map(tableWords),
    result: { tone: "plain", text: "the rest" },
  };
  return { lines: [...writes.actions.map(actionLine), rest], doubts: writes.doubts };
}

function actionLine(action: ActionWrites): WriteWords {
  const { actionId, phase, times, outside } = action;
  const often = times === 1 ? "" : `, ${times} times`;
  const beyond = outside.map(({ table, rows }) => `${number(rows)} outside: ${nameOf(table)}`);
  return {
    who: `${phase === "act" ? actionId : `undo of ${actionId}`}${often}`,
    as: action.role,
    rows: number(action.rows),
    tables: action.tables.map(tableWords),
    result: beyond.length === 0 ? { tone: "pass", text: "as expected" } : { tone: "fail", text: beyond.join("; ") },
  };
}

function tableWords(table: TableCount): string {
  const kinds = (["inserted", "updated", "deleted", "truncated"] as const).filter((kind) => table[kind] > 0);
  return `${nameOf(table.table)}: ${kinds.map((kind) => `${number(table[kind])} ${kind}`).join(", ")}`;
}

function nameOf(table: string): string {
  return table.split("/").at(-1) ?? table;
}

function number(count: number): string {
  return count.toLocaleString("en-US");
}
