import type { SqlParser } from "./parse-sql.ts";
import { membersOf } from "./sql-tree.ts";

/** A body in PL/pgSQL as texts that the grammar of SQL reads, or why nobody can read it here. */
export type BlockTexts =
  | { readonly kind: "read"; readonly texts: readonly string[] }
  | { readonly kind: "unread"; readonly why: string };

/** Statements of PL/pgSQL that do what their expressions do, and no more. */
const PLAIN = new Set(
  (
    "block assign if case loop while fori fors forc foreach_a exit return return_next return_query raise assert " +
    "execsql getdiag open fetch close perform call dynexecute dynfors"
  ).split(" "),
);

/**
 * The statements and expressions of one function, cursors and defaults of variables included, in no order that matters.
 * @param tree - what PL/pgSQL's grammar answers for it (libpg_query 18: `PLpgSQL_function`)
 */
export function textsOfBlock(tree: unknown, parse: SqlParser): BlockTexts {
  const texts: string[] = [];
  for (const [name, value] of membersOf(tree)) {
    const kind = /^PLpgSQL_stmt_(\w+)$/.exec(name)?.[1];
    if (kind !== undefined && !PLAIN.has(kind)) return unread(`${kind.toUpperCase()} is not known`);
    const expression = name === "PLpgSQL_expr" ? expressionOf(value) : undefined;
    if (name === "PLpgSQL_expr") {
      const text = expression === undefined ? undefined : asStatement(expression, parse);
      if (text === undefined) return unread("it has an expression of a kind that is not known");
      texts.push(text);
    }
    for (const run of runAsSql(name, value)) {
      const text = constantText(run, parse);
      if (text === undefined) return unread("it runs text as SQL that is put together when it runs");
      texts.push(text);
    }
  }
  return { kind: "read", texts };
}

const unread = (why: string): BlockTexts => ({ kind: "unread", why });

interface Expression {
  readonly query: string;
  /** PostgreSQL's RawParseMode: 0 a statement, 2 an expression, 3 to 5 an assignment. */
  readonly parseMode: number;
}

function expressionOf(value: unknown): Expression | undefined {
  if (typeof value !== "object" || value === null || !("query" in value) || !("parseMode" in value)) return undefined;
  const { query, parseMode } = value;
  return typeof query === "string" && typeof parseMode === "number" ? { query, parseMode } : undefined;
}

function asStatement({ query, parseMode }: Expression, parse: SqlParser): string | undefined {
  if (parseMode === 0) return query;
  if (parseMode === 2) return `SELECT ${query}`;
  return parseMode >= 3 && parseMode <= 5 ? assigned(query, parse) : undefined;
}

/**
 * `x[f(a := 1)] := g(2)` as `SELECT x[f(a := 1)], g(2)`: at the first sign of an assignment before which a whole target
 * stands. A comment could hide the sign that counts, so a target with one is not read.
 */
function assigned(text: string, parse: SqlParser): string | undefined {
  for (const { index, 0: sign } of text.matchAll(/:?=/g)) {
    const target = text.slice(0, index);
    if (target.includes("--") || target.includes("/*")) return undefined;
    if (parse(`SELECT ${target}`).kind === "parsed") return `SELECT ${target}, ${text.slice(index + sign.length)}`;
  }
  return undefined;
}

/** Expressions whose value is run as SQL: EXECUTE, and FOR, OPEN and RETURN QUERY with it. */
function runAsSql(name: string, value: unknown): readonly Expression[] {
  if (typeof value !== "object" || value === null) return [];
  const dynamic = /^PLpgSQL_stmt_dyn/.test(name) && "query" in value ? value.query : undefined;
  const asked = "dynquery" in value ? value.dynquery : undefined;
  return [dynamic, asked].flatMap((one) =>
    typeof one === "object" && one !== null && "PLpgSQL_expr" in one ? (expressionOf(one.PLpgSQL_expr) ?? []) : [],
  );
}

function constantText(expression: Expression, parse: SqlParser): string | undefined {
  const parsed = parse(`SELECT ${expression.query}`);
  const [statement] = parsed.kind === "parsed" ? parsed.statements : [];
  if (statement === undefined || !("SelectStmt" in statement)) return undefined;
  const { targetList = [] } = statement.SelectStmt;
  const [target] = targetList;
  const value = target !== undefined && "ResTarget" in target ? target.ResTarget.val : undefined;
  return targetList.length === 1 && value !== undefined && "A_Const" in value ? value.A_Const.sval?.sval : undefined;
}
