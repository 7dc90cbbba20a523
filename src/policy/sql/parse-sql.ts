import type { Node } from "libpg-query";
import { messageOf } from "../../core/errors.ts";
import { freshGrammar, type Grammar, type GrammarInstance } from "./grammar-instance.ts";

/** A text as PostgreSQL's own grammar reads it: its statements, or where it stops making sense. */
export type ParsedSql =
  | {
      readonly kind: "parsed";
      readonly statements: readonly Node[];
      /** The bodies in PL/pgSQL that are defined by a text of their own, in the order of their statements. */
      readonly blocks: readonly ParsedBlock[];
    }
  /** Line and column count from 1, in characters. */
  | { readonly kind: "unreadable"; readonly message: string; readonly line: number; readonly column: number };

/** A body as PL/pgSQL's own grammar reads it (`PLpgSQL_function`), or why it does not. */
export type ParsedBlock =
  | { readonly kind: "parsed"; readonly tree: unknown }
  | { readonly kind: "unreadable"; readonly message: string };

/**
 * Reads a text of any number of statements.
 * @throws Error where another's text made the grammar stop after this parser was loaded: load one again and ask it
 */
export type SqlParser = (text: string) => ParsedSql;

let newest: Promise<GrammarInstance> | undefined;

/**
 * Loads the grammar (libpg_query 18, a WebAssembly module of 1.7 MB; about 25 ms, so only commands that need it ask), once for all
 * until a text makes it stop: that text is unreadable, with everything that its parser is given afterwards, and whoever
 * loads a parser then gets one over a fresh instance.
 * The parser it answers is synchronous and takes about 0.1 ms a statement.
 */
export async function loadSqlParser(): Promise<SqlParser> {
  newest ??= freshGrammar();
  const instance = await newest.catch((error: unknown) => {
    newest = undefined;
    throw error;
  });
  let stoppedAt: string | undefined;
  return (text) => {
    if (stoppedAt !== undefined) return { kind: "unreadable", message: stoppedAt, line: 1, column: 1 };
    if (instance.hasStopped) throw new Error("the grammar of SQL stopped at another text; ask again");
    try {
      return parsed(text, instance.grammar);
    } catch (thrown) {
      instance.hasStopped = true;
      newest = undefined;
      stoppedAt = `the grammar stopped at an earlier text: ${messageOf(thrown)}`;
      return { kind: "unreadable", message: messageOf(thrown), line: 1, column: 1 };
    }
  };
}

/** @throws what says that the grammar itself has stopped */
function parsed(text: string, grammar: Grammar): ParsedSql {
  // The grammar is C: it would read no further than a zero byte, and what follows would go unseen.
  const zeroAt = text.indexOf("\0");
  if (zeroAt >= 0) return { kind: "unreadable", message: "a zero byte", ...placeOf(text, zeroAt) };
  if (text.trim() === "") return { kind: "parsed", statements: [], blocks: [] };
  try {
    const { stmts = [] } = grammar.parseSync(text);
    const statements = stmts.flatMap(({ stmt }) => stmt ?? []);
    return { kind: "parsed", statements, blocks: blocksOf(text, statements, grammar.parsePlPgSQLSync) };
  } catch (thrown) {
    if (isTrap(thrown)) throw thrown;
    const at = grammar.hasSqlDetails(thrown) ? (thrown.sqlDetails?.cursorPosition ?? 0) : 0;
    return { kind: "unreadable", message: messageOf(thrown), ...placeOf(text, at) };
  }
}

/** The grammar answers one tree for each function of the text; one without an action is of another language. */
function blocksOf(text: string, statements: readonly Node[], parse: (text: string) => unknown): readonly ParsedBlock[] {
  if (!statements.some((one) => "CreateFunctionStmt" in one)) return [];
  const unreadable = (message: string): readonly ParsedBlock[] =>
    statements.map(() => ({ kind: "unreadable", message }));
  // The grammar of PL/pgSQL takes every function and every DO of the text for one with a body in text, and aborts at others.
  if (!statements.every(hasBodyInText))
    return unreadable("it stands beside a function that has no text of its own, or DO");
  try {
    const answer = parse(text);
    const trees =
      typeof answer === "object" && answer !== null && "plpgsql_funcs" in answer ? answer.plpgsql_funcs : [];
    return (Array.isArray(trees) ? trees : [])
      .filter((tree) => "action" in (tree?.PLpgSQL_function ?? {}))
      .map((tree: unknown) => ({ kind: "parsed", tree }));
  } catch (thrown) {
    if (isTrap(thrown)) throw thrown;
    // One message for all of them: the grammar does not say which it was.
    return unreadable(messageOf(thrown));
  }
}

function hasBodyInText(statement: Node): boolean {
  if ("DoStmt" in statement) return false;
  if (!("CreateFunctionStmt" in statement)) return true;
  const { options = [] } = statement.CreateFunctionStmt;
  return options.some((option) => "DefElem" in option && option.DefElem.defname === "as");
}

/** A trap of the module, or the end of its stack, which it leaves where it was. */
function isTrap(thrown: unknown): boolean {
  return thrown instanceof Error && ["RuntimeError", "RangeError"].includes(thrown.name);
}

/** Line and column of the n-th character; the grammar counts code points, not UTF-16 units. */
function placeOf(text: string, index: number): { readonly line: number; readonly column: number } {
  const before = [...text].slice(0, index).join("").split("\n");
  return { line: before.length, column: [...(before.at(-1) ?? "")].length + 1 };
}
