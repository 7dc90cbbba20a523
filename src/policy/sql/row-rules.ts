import type { Node, RangeVar } from "libpg-query";
import { found, type SqlFinding } from "./sql-finding.ts";
import { functionFinding } from "./sql-functions.ts";
import { membersOf, nodesOf, type SqlBody, wordsOf } from "./sql-tree.ts";

/**
 * What the parts of a statement do, wherever they stand in it: rows written by a common table expression, functions
 * called, rows locked, a table made by SELECT INTO. The names and the position of a statement excuse nothing.
 */
export function partFindings(statement: Node): readonly SqlFinding[] {
  return [
    ...nodesOf(statement, "InsertStmt").map(({ relation }) => found("rows", `writes rows of ${tableName(relation)}`)),
    ...nodesOf(statement, "UpdateStmt").map((update) => boundedOrLoss(update, "changes")),
    ...nodesOf(statement, "DeleteStmt").map((remove) => boundedOrLoss(remove, "deletes")),
    ...nodesOf(statement, "MergeStmt").map(mergeFinding),
    ...nodesOf(statement, "FuncCall").flatMap(({ funcname }) => functionFinding(wordsOf(funcname)) ?? []),
    ...namedFunctions(statement).flatMap((name) => behindName(name)),
    ...nodesOf(statement, "A_Expr").flatMap(({ name }) => operatorFinding(wordsOf(name))),
    ...[...membersOf(statement)].flatMap(([name, value]) => memberFinding(name, value)),
    ...settingFindings(statement),
  ];
}

/** A table as people write it. */
export function tableName(relation: RangeVar | undefined): string {
  return wordsOf(relation === undefined ? undefined : { RangeVar: relation }).join(".");
}

function boundedOrLoss(
  statement: SqlBody<"UpdateStmt"> | SqlBody<"DeleteStmt">,
  verb: "changes" | "deletes",
): SqlFinding {
  const table = tableName(statement.relation);
  const { whereClause } = statement;
  if (whereClause === undefined) return found("loss", `${verb} every row of ${table}: there is no WHERE`);
  if (alwaysTrue(whereClause)) return found("loss", `${verb} every row of ${table}: its WHERE excludes none`);
  return found("rows", `${verb} rows of ${table}`);
}

function mergeFinding({ relation, joinCondition, mergeWhenClauses = [] }: SqlBody<"MergeStmt">): SqlFinding {
  const table = tableName(relation);
  const deletes = mergeWhenClauses.some(
    (one) => "MergeWhenClause" in one && one.MergeWhenClause.commandType === "CMD_DELETE",
  );
  const unmatched = mergeWhenClauses.some(
    (one) =>
      "MergeWhenClause" in one &&
      one.MergeWhenClause.matchKind === "MERGE_WHEN_NOT_MATCHED_BY_SOURCE" &&
      one.MergeWhenClause.condition === undefined,
  );
  const unbounded = unmatched || (joinCondition !== undefined && alwaysTrue(joinCondition));
  return deletes && unbounded
    ? found("loss", `deletes rows of ${table} that nothing bounds`)
    : found("rows", `writes rows of ${table}`);
}

/** Settings by which a server reads a text otherwise than the grammar here does. */
const READ_OTHERWISE = /^(standard_conforming_strings|backslash_quote|escape_string_warning|client_encoding)$/i;

/** SET in all its places (LOCAL, of a role, a database, the server or a function), and the function that does the same. */
function settingFindings(statement: Node): readonly SqlFinding[] {
  const statements = [...membersOf({ statement })].flatMap(([, value]) =>
    typeof value === "object" && value !== null && "kind" in value && String(value.kind).startsWith("VAR_SET")
      ? [String("name" in value ? value.name : "")]
      : [],
  );
  const calls = nodesOf(statement, "FuncCall")
    .filter(({ funcname }) => wordsOf(funcname).at(-1) === "set_config")
    .map(({ args: [name] = [] }) => (name !== undefined && "A_Const" in name ? (name.A_Const.sval?.sval ?? "") : ""));
  return [...statements, ...calls].flatMap((name) => {
    if (READ_OTHERWISE.test(name))
      return [found("forbidden", `sets ${name}, by which later texts would be read otherwise than here`)];
    return name === "" ? [found("forbidden", "sets what can not be read here")] : [];
  });
}

/** Functions that stand behind a new operator, aggregate, cast or trigger, which then call them by another name. */
function namedFunctions(statement: Node): readonly (readonly string[])[] {
  if ("CreateCastStmt" in statement) return [wordsOf(statement.CreateCastStmt.func?.objname)];
  if ("CreateTrigStmt" in statement) return [wordsOf(statement.CreateTrigStmt.funcname)];
  return "DefineStmt" in statement ? nodesOf(statement, "TypeName").map(({ names }) => wordsOf(names)) : [];
}

/** To name a function of one's own is a change of schema, which the statement is already. */
function behindName(name: readonly string[]): readonly SqlFinding[] {
  const finding = functionFinding(name);
  return finding !== undefined && ["forbidden", "loss", "access"].includes(finding.effect) ? [finding] : [];
}

/** An operator of another schema is a function of its owner's. */
function operatorFinding(name: readonly string[]): readonly SqlFinding[] {
  return name.length > 1 && name[0] !== "pg_catalog"
    ? [found("program", `uses the operator ${name.join(".")}, which is not known to only read`)]
    : [];
}

function memberFinding(name: string, value: unknown): readonly SqlFinding[] {
  if (name === "lockingClause") return [found("rows", "locks the rows it reads")];
  if (name !== "intoClause") return [];
  const { rel } = value as SqlBody<"IntoClause">;
  return [found("schema", `makes the table ${tableName(rel)}`)];
}

/**
 * Whether a condition can be seen to exclude no row: constants, something compared with itself, or no column at all.
 * What only the data could tell (`id > 0`) is for the quiet twin.
 */
function alwaysTrue(condition: Node): boolean {
  if ("BoolExpr" in condition) {
    const { boolop, args = [] } = condition.BoolExpr;
    if (boolop === "OR_EXPR") return args.some(alwaysTrue);
    if (boolop === "AND_EXPR") return args.every(alwaysTrue);
  }
  if ("A_Expr" in condition) {
    const { lexpr, rexpr } = condition.A_Expr;
    if (lexpr !== undefined && rexpr !== undefined && withoutPlaces(lexpr) === withoutPlaces(rexpr)) return true;
  }
  if ("CurrentOfExpr" in condition) return false;
  return nodesOf(condition, "ColumnRef").length === 0;
}

function withoutPlaces(node: Node): string {
  return JSON.stringify(node, (name, value: unknown) => (name === "location" ? undefined : value));
}
