import type { Node } from "libpg-query";
import { found, gravest, type SqlFinding } from "./sql-finding.ts";
import { functionFinding } from "./sql-functions.ts";
import { membersOf, nodesOf, type SqlKind, wordsOf } from "./sql-tree.ts";

/**
 * What a statement that writes may not ask: who it is, which server it is on, what day it is. An action is rehearsed under a
 * role and a connection name of its own, on a twin, today; a write that depends on them can do something else in production,
 * and nothing of it would have been seen. What it asks of its own tables, and the clock against their columns, is its business.
 * @param does - what else was found in the statement: a question may ask what it likes
 * @param inBody - it stands in a function: those of audit triggers write down who asked, which decides nothing
 */
export function circumstanceFindings(
  statement: Node,
  does: readonly SqlFinding[],
  inBody: boolean,
): readonly SqlFinding[] {
  if (inBody && onlyWritesDownWhoAsked(statement)) return [];
  return actsAtOnce(statement, does) || WRITES.some((kind) => nodesOf(statement, kind).length > 0)
    ? dependencies(statement)
    : [];
}

/** The same of any part of a tree that is known to belong to something that writes. */
export function dependencies(tree: unknown): readonly SqlFinding[] {
  const sessions = endsSessionsOnly(tree);
  const asker = askersIn(tree).find((name) => !(sessions && name === "pg_backend_pid"));
  const catalog = sessions ? undefined : catalogIn(tree);
  return [
    ...(asker === undefined ? [] : [found("forbidden", `depends on who asks and where (${asker}), ${OTHERWISE}`)]),
    ...(catalog === undefined
      ? []
      : [found("forbidden", `writes by what the server's own catalogs hold (${catalog}), ${OTHERWISE}`)]),
    ...(hasDeadline(tree)
      ? [found("forbidden", `compares the clock with nothing but constants: what it does depends on the day it runs`)]
      : []),
  ];
}

const OTHERWISE = "so that it may do something else in production";
const WRITES = ["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"] as const satisfies readonly SqlKind[];

/** Statements that are carried out as they stand; a view, a policy or a default only says what will be asked later. */
const AT_ONCE: readonly SqlKind[] = [
  ...WRITES,
  "SelectStmt",
  "CreateTableAsStmt",
  "ExplainStmt",
  "PrepareStmt",
  "ExecuteStmt",
  "DeclareCursorStmt",
  "CallStmt",
];

function actsAtOnce(statement: Node, does: readonly SqlFinding[]): boolean {
  return AT_ONCE.some((kind) => kind in statement) && gravest(does).effect !== "read";
}

/**
 * `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE … AND pid <> pg_backend_pid()`: which sessions there are
 * stands nowhere else, and nothing but sessions is touched.
 */
function endsSessionsOnly(tree: unknown): boolean {
  const acting = nodesOf(tree, "FuncCall").flatMap(({ funcname }) => {
    const name = wordsOf(funcname);
    return functionFinding(name) === undefined ? [] : (name.at(-1) ?? "");
  });
  const ends = acting.length > 0 && acting.every((name) => /^pg_(terminate|cancel)_backend$/.test(name));
  return ends && WRITES.every((kind) => nodesOf(tree, kind).length === 0);
}

/** An INSERT in which nothing but whole values, of no expression, say who asks. */
function onlyWritesDownWhoAsked(statement: Node): boolean {
  if (!("InsertStmt" in statement)) return false;
  const { selectStmt } = statement.InsertStmt;
  const select = selectStmt !== undefined && "SelectStmt" in selectStmt ? selectStmt.SelectStmt : {};
  const values = (select.valuesLists ?? []).flatMap((row) => ("List" in row ? (row.List.items ?? []) : []));
  const selected = (select.targetList ?? []).flatMap((one) => ("ResTarget" in one ? (one.ResTarget.val ?? []) : []));
  const whole = [...values, ...selected].filter((value) => "SQLValueFunction" in value);
  const others = dependencies(statement).length - (askersIn(statement).length === 0 ? 0 : 1);
  const functions = nodesOf(statement, "FuncCall").some(({ funcname }) => ASKER.test(wordsOf(funcname).at(-1) ?? ""));
  return others === 0 && !functions && whole.length === nodesOf(statement, "SQLValueFunction").length;
}

/** Of PostgreSQL 12 to 18: session, connection, rights, server and its progress. */
const ASKER =
  /^(current_(setting|user|role|catalog|database|query|schemas?)|session_user|user|version|row_security_active|to_regrole|has_\w+_privilege|inet_(client|server)_(addr|port)|txid_\w+|pg_(backend_pid|has_role|get_userbyid|is_in_\w+|stat_\w+|postmaster_\w+|conf_\w+|current_\w+|last_\w+|snapshot_\w+|blocking_pids|safe_snapshot_\w+|lock_status|show_\w+|control_\w+|jit_available|listening_channels|my_temp_schema|is_other_temp_schema|get_replication_slots|database_size|tablespace_\w+))$/;

function askersIn(tree: unknown): readonly string[] {
  // CURRENT_USER and its like are nodes of their own, beside the functions and the instants of the clock.
  const keywords = nodesOf(tree, "SQLValueFunction").flatMap(({ op = "" }) => op.replace("SVFOP_", "").toLowerCase());
  const functions = nodesOf(tree, "FuncCall").flatMap(({ funcname }) => wordsOf(funcname).slice(-1));
  return [...keywords, ...functions].filter((name) => ASKER.test(name));
}

function catalogIn(tree: unknown): string | undefined {
  for (const [, value] of membersOf(tree)) {
    if (typeof value !== "object" || value === null || !("relname" in value)) continue;
    const schema = "schemaname" in value ? String(value.schemaname) : "pg_catalog";
    const name = String(value.relname);
    if (schema === "information_schema") return `${schema}.${name}`;
    if (schema === "pg_catalog" && (name.startsWith("pg_") || "schemaname" in value)) return name;
  }
  return undefined;
}

/** Operators that compute an instant or a duration; every other one compares. */
const COMPUTING = /^([-+*/%^]|\|\|)$/;
/** The functions behind operators that compare. */
const COMPARING_FUNCTION = /^(overlaps|\w+_(eq|ne|lt|le|gt|ge|cmp))$/;

/** Whether the clock is compared with what no table holds. */
function hasDeadline(tree: unknown): boolean {
  const comparisons: readonly unknown[] = [
    ...nodesOf(tree, "A_Expr").filter(({ name }) => !COMPUTING.test(wordsOf(name).at(-1) ?? "")),
    ...nodesOf(tree, "FuncCall").filter(({ funcname }) => COMPARING_FUNCTION.test(wordsOf(funcname).at(-1) ?? "")),
    ...nodesOf(tree, "CaseExpr").flatMap(({ arg, args = [] }) =>
      arg === undefined ? [] : [[arg, ...args.flatMap((one) => ("CaseWhen" in one ? [one.CaseWhen.expr] : []))]],
    ),
  ];
  return comparisons.some((one) => nodesOf(one, "ColumnRef").length === 0 && asksTheClock(one));
}

const CLOCK =
  /^(now|clock_timestamp|statement_timestamp|transaction_timestamp|timeofday|current_(date|time|timestamp)(_n)?|localtime(stamp)?(_n)?)$/;

function asksTheClock(tree: unknown): boolean {
  return (
    nodesOf(tree, "FuncCall").some(({ funcname }) => CLOCK.test(wordsOf(funcname).at(-1) ?? "")) ||
    nodesOf(tree, "SQLValueFunction").some(({ op = "" }) => CLOCK.test(op.replace("SVFOP_", "").toLowerCase())) ||
    // 'now'::timestamptz and its like.
    nodesOf(tree, "A_Const").some((value) => /^\s*(now|today|tomorrow|yesterday)\b/i.test(value.sval?.sval ?? ""))
  );
}
