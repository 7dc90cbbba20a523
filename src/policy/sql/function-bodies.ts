import type { Node } from "libpg-query";
import { dependencies } from "./circumstance-rules.ts";
import type { ParsedSql, SqlParser } from "./parse-sql.ts";
import { type BlockTexts, textsOfBlock } from "./plpgsql-block.ts";
import { found, gravest, SQL_EFFECTS, type SqlFinding } from "./sql-finding.ts";
import { type SqlBody, wordsOf } from "./sql-tree.ts";

/** How what stands in a body is judged: as if it stood alone. */
export interface BodyReader {
  readonly parse: SqlParser;
  readonly judge: (statement: Node) => readonly SqlFinding[];
}

/** Functions that define functions that define functions: nobody writes that to be read. */
const DEPTH_MAX = 3;

/** What is worse than the definition itself, which is a change of schema. */
const WORSE = SQL_EFFECTS.slice(SQL_EFFECTS.indexOf("schema") + 1);

/**
 * What the functions do that a text defines by a text of their own (`AS $$ … $$`), for each such definition. What is refused or
 * a loss outside a function is no less inside one, and a body that can not be read is refused as DO is.
 */
export function bodyFindings(
  parsed: Extract<ParsedSql, { kind: "parsed" }>,
  reader: BodyReader,
  depth = 1,
): ReadonlyMap<Node, readonly SqlFinding[]> {
  const defined = parsed.statements.filter(definesByText);
  const inPlpgsql = defined.filter((one) => languageOf(one.CreateFunctionStmt) === "plpgsql");
  return new Map(
    defined.map((statement) => {
      const { CreateFunctionStmt: definition } = statement;
      const block = parsed.blocks[inPlpgsql.indexOf(statement)];
      const body = languageOf(definition) === "sql" ? sqlBody(definition) : plpgsqlBody(block, reader.parse);
      const defines = `defines the function ${wordsOf(definition.funcname).join(".")}, whose body`;
      const findings = findingsOf(body, reader, depth);
      return [statement, findings.map(({ effect, because }) => found(effect, `${defines} ${because}`))];
    }),
  );
}

type Definition = Extract<Node, { CreateFunctionStmt: unknown }>;

/** Other languages are refused by their name. */
function definesByText(statement: Node): statement is Definition {
  return (
    "CreateFunctionStmt" in statement &&
    statement.CreateFunctionStmt.sql_body === undefined &&
    ["sql", "plpgsql"].includes(languageOf(statement.CreateFunctionStmt))
  );
}

/** The language that a definition names, in lower case; empty without one. */
export function languageOf({ options = [] }: SqlBody<"CreateFunctionStmt">): string {
  const [language] = optionsNamed(options, "language");
  return (wordsOf(language).at(0) ?? "").toLowerCase();
}

function optionsNamed(options: readonly Node[], name: string): readonly Node[] {
  return options.flatMap((one) => ("DefElem" in one && one.DefElem.defname === name ? (one.DefElem.arg ?? []) : []));
}

function sqlBody({ options = [] }: SqlBody<"CreateFunctionStmt">): BlockTexts {
  const texts = wordsOf(optionsNamed(options, "as"));
  return texts.length === 1 ? { kind: "read", texts } : { kind: "unread", why: "it is not one text" };
}

function plpgsqlBody(
  block: Extract<ParsedSql, { kind: "parsed" }>["blocks"][number] | undefined,
  parse: SqlParser,
): BlockTexts {
  if (block?.kind === "parsed") return textsOfBlock(block.tree, parse);
  return { kind: "unread", why: block?.message ?? "PL/pgSQL's grammar answers nothing" };
}

function findingsOf(body: BlockTexts, reader: BodyReader, depth: number): readonly SqlFinding[] {
  const unread = (why: string): readonly SqlFinding[] => [found("forbidden", `can not be read here: ${why}`)];
  if (body.kind === "unread") return unread(body.why);
  if (depth > DEPTH_MAX) return unread("it defines functions that define functions");
  const parts = body.texts.map(reader.parse);
  const findings = parts.flatMap((part): readonly SqlFinding[] => {
    if (part.kind === "unreadable") return unread(part.message);
    const nested = bodyFindings(part, reader, depth + 1);
    return part.statements.flatMap((statement) => [...reader.judge(statement), ...(nested.get(statement) ?? [])]);
  });
  // A condition (IF session_user …) writes nothing itself and decides what is written elsewhere in its block.
  const writes = gravest(findings).effect !== "read";
  return [...findings, ...(writes ? parts.flatMap(questionsIn) : [])].filter(({ effect }) => WORSE.includes(effect));
}

function questionsIn(part: ParsedSql): readonly SqlFinding[] {
  if (part.kind === "unreadable") return [];
  return part.statements.flatMap((statement) => ("SelectStmt" in statement ? dependencies(statement) : []));
}
