import type { Node } from "libpg-query";
import { circumstanceFindings } from "./circumstance-rules.ts";
import { bodyFindings } from "./function-bodies.ts";
import type { SqlParser } from "./parse-sql.ts";
import { partFindings } from "./row-rules.ts";
import { found, gravest, type SqlFinding } from "./sql-finding.ts";
import { droppedBy, fillsNewColumns, madeBy, type SqlTarget, targetsOf } from "./sql-objects.ts";
import { hasOption, kindFindings } from "./statement-rules.ts";

/** One statement as its parse tree shows it. */
export interface SqlStatement {
  /** Place in the list `statements` of its step, from 1, for messages. */
  readonly entry: number;
  readonly findings: readonly SqlFinding[];
  readonly targets: readonly SqlTarget[];
  /** PostgreSQL refuses to run it in a transaction. */
  readonly aloneOnly: boolean;
}

/** What a list of texts does as SQL, or why it may not be run at all. */
export interface SqlReading {
  readonly statements: readonly SqlStatement[];
  /** The gravest finding of all, which decides the tier. */
  readonly gravest: SqlFinding;
  /** Sentences without a subject: "has a statement (entry 2) that does not parse at …". */
  readonly refusals: readonly string[];
  /** What an author should know, of the same form, though nothing stands against it. */
  readonly remarks: readonly string[];
  readonly made: readonly string[];
}

/** The texts of a `sql` step. */
export interface SqlTexts {
  readonly statements: readonly string[];
  readonly landed?: string | undefined;
  /** Whether they run as one transaction; not looked at where somebody else decides it. */
  readonly transaction?: boolean;
}

/**
 * Reads a step's texts with PostgreSQL's grammar: what each statement does, what it names, and what keeps it from being
 * carried out. Comments, quoting and the number of statements in one text make no difference.
 * @param undoOf - of an undo: what the action makes, which may be dropped again without loss
 */
export function readSql(texts: SqlTexts, parse: SqlParser, undoOf: readonly string[] = []): SqlReading {
  const read: Entry[] = [];
  for (const [index, text] of texts.statements.entries()) {
    // What earlier entries made is new to those that follow.
    const fresh = read.flatMap(({ made }) => made);
    read.push(readEntry({ text, entry: index + 1 }, parse, { undoOf, fresh, inBody: false }));
  }
  const statements = read.flatMap((entry) => entry.statements);
  return {
    statements,
    gravest: gravest([...read.flatMap(({ unread }) => unread), ...statements.flatMap(({ findings }) => findings)]),
    refusals: [
      ...read.flatMap(({ refusals }) => refusals),
      ...statements.flatMap(({ entry, findings }) =>
        findings
          .filter(({ effect }) => effect === "forbidden")
          .map(({ because }) => `has a statement (entry ${entry}) that ${because}`),
      ),
      ...transactionRefusals(texts, statements),
      ...(texts.landed === undefined ? [] : landedRefusals(texts.landed, parse)),
    ],
    remarks: transactionRemarks(texts, statements),
    made: read.flatMap(({ made }) => made),
  };
}

interface Entry {
  readonly statements: readonly SqlStatement[];
  readonly refusals: readonly string[];
  readonly made: readonly string[];
  /** What nobody can read may do anything. */
  readonly unread: readonly SqlFinding[];
}

function readEntry(
  { text, entry }: { readonly text: string; readonly entry: number },
  parse: SqlParser,
  known: KnownThings,
): Entry {
  const parsed = parse(text);
  if (parsed.kind === "unreadable") {
    const place = `at line ${parsed.line}, column ${parsed.column}`;
    const refusals = [`has a statement (entry ${entry}) that does not parse ${place}: ${parsed.message}`];
    return { statements: [], refusals, made: [], unread: [found("forbidden", "does not parse")] };
  }
  if (parsed.statements.length === 0)
    return { statements: [], refusals: [`has an entry ${entry} without a statement`], made: [], unread: [] };
  const bodies = bodyFindings(parsed, { parse, judge: (inner) => findingsOf(inner, IN_A_BODY) });
  return {
    statements: parsed.statements.map((tree) => ({
      entry,
      findings: [...findingsOf(tree, known), ...(bodies.get(tree) ?? [])],
      // Values of a new column are part of the column, not effects of their own (docs/resources.md).
      targets: fillsNewColumns(tree, known.fresh) ? [] : targetsOf(tree),
      aloneOnly: runsAlone(tree),
    })),
    refusals: [],
    made: parsed.statements.flatMap(madeBy),
    unread: [],
  };
}

interface KnownThings {
  /** Made by the action whose undo this is. */
  readonly undoOf: readonly string[];
  /** Made by earlier entries of the same step. */
  readonly fresh: readonly string[];
  /** It stands in a function that the text defines. */
  readonly inBody: boolean;
}

/** What is in a body may run at any time. */
const IN_A_BODY: KnownThings = { undoOf: [], fresh: [], inBody: true };

/** What its own action made is not lost when its undo drops it again: it was not there before. */
function findingsOf(tree: Node, { undoOf, fresh, inBody }: KnownThings): readonly SqlFinding[] {
  const dropped = droppedBy(tree);
  if (dropped.length > 0 && dropped.every((thing) => undoOf.includes(thing)))
    return [found("schema", `drops the ${dropped.join(", the ")} again, which its own action made`)];
  const does = [...kindFindings(tree), ...partFindings(tree)];
  const findings = [...does, ...circumstanceFindings(tree, does, inBody)];
  if (!fillsNewColumns(tree, fresh)) return findings;
  const filled = found("rows", "fills columns that the same step adds");
  return findings.map((one) => (one.because.startsWith("changes every row of") ? filled : one));
}

function transactionRefusals(texts: SqlTexts, statements: readonly SqlStatement[]): readonly string[] {
  if (texts.transaction === undefined) return [];
  const alone = statements.filter(({ aloneOnly }) => aloneOnly);
  if (texts.transaction)
    return alone.map(
      ({ entry }) => `has a statement (entry ${entry}) that can not run in a transaction: say \`transaction: false\``,
    );
  return alone
    .filter(({ entry }) => statements.filter((other) => other.entry === entry).length > 1)
    .map(({ entry }) => `has a statement (entry ${entry}) that must stand alone in its entry`);
}

/** Statements may have to be committed one by one; that half of them can stay behind should then be meant. */
function transactionRemarks(texts: SqlTexts, statements: readonly SqlStatement[]): readonly string[] {
  const needed = texts.transaction !== false || statements.some(({ aloneOnly }) => aloneOnly);
  return needed
    ? []
    : ["has nothing that needs `transaction: false`: without a transaction half of it can stay behind"];
}

/** The landed query is asked at any time and by both proofs, so it must not do anything. */
function landedRefusals(text: string, parse: SqlParser): readonly string[] {
  const parsed = parse(text);
  if (parsed.kind === "unreadable")
    return [
      `has a landed query that does not parse at line ${parsed.line}, column ${parsed.column}: ${parsed.message}`,
    ];
  const [statement, ...more] = parsed.statements;
  if (statement === undefined || more.length > 0) return ["has a landed query that is not one statement"];
  const { effect, because } = gravest(findingsOf(statement, { undoOf: [], fresh: [], inBody: false }));
  return effect === "read" && "SelectStmt" in statement ? [] : [`has a landed query that ${because}: it may only read`];
}

/** PostgreSQL 12 to 18, "cannot run inside a transaction block". */
function runsAlone(tree: Node): boolean {
  if ("VacuumStmt" in tree) return tree.VacuumStmt.is_vacuumcmd === true;
  if ("IndexStmt" in tree) return tree.IndexStmt.concurrent === true;
  if ("DropStmt" in tree) return tree.DropStmt.concurrent === true;
  if ("ClusterStmt" in tree) return tree.ClusterStmt.relation === undefined;
  if ("ReindexStmt" in tree) {
    const { kind, params = [] } = tree.ReindexStmt;
    return hasOption(params, "concurrently") || (kind !== "REINDEX_OBJECT_INDEX" && kind !== "REINDEX_OBJECT_TABLE");
  }
  if ("AlterTableStmt" in tree)
    return (tree.AlterTableStmt.cmds ?? []).some(
      (cmd) =>
        "AlterTableCmd" in cmd &&
        cmd.AlterTableCmd.def !== undefined &&
        "PartitionCmd" in cmd.AlterTableCmd.def &&
        cmd.AlterTableCmd.def.PartitionCmd.concurrent === true,
    );
  return ["CreatedbStmt", "DropdbStmt", "CreateTableSpaceStmt", "DropTableSpaceStmt", "AlterSystemStmt"].some(
    (kind) => kind in tree,
  );
}
