import type { AlterTableCmd, Node, RangeVar } from "libpg-query";
import { encodeSegment } from "../../plan/resource-pattern.ts";
import { nodesOf, type SqlBody, wordsOf } from "./sql-tree.ts";

/**
 * A resource below `db/<service>/<database>/` that a statement changes, as patterns of which one must fit: a table that is
 * named without its schema may stand in any.
 */
export type SqlTarget = readonly string[];

/**
 * What a statement names to change it, as far as the words decide it; docs/resources.md says how it is spelled.
 * What they do not decide (the table of an index that is dropped) stays a wildcard, and what they leave open is left out.
 */
export function targetsOf(statement: Node): readonly SqlTarget[] {
  return [...rowTargets(statement), ...schemaTargets(statement)];
}

/** Things that a statement makes for certain: dropping them again in its own undo loses nothing that was there before. */
export function madeBy(statement: Node): readonly string[] {
  if ("CreateStmt" in statement && statement.CreateStmt.if_not_exists !== true)
    return [`table ${nameOf(statement.CreateStmt.relation)}`];
  if ("CreateTableAsStmt" in statement && statement.CreateTableAsStmt.if_not_exists !== true)
    return [`table ${nameOf(statement.CreateTableAsStmt.into?.rel)}`];
  if ("CreateSchemaStmt" in statement && statement.CreateSchemaStmt.if_not_exists !== true)
    return [`schema ${statement.CreateSchemaStmt.schemaname ?? ""}`];
  if ("CreateSeqStmt" in statement && statement.CreateSeqStmt.if_not_exists !== true)
    return [`sequence ${nameOf(statement.CreateSeqStmt.sequence)}`];
  if ("CreateExtensionStmt" in statement && statement.CreateExtensionStmt.if_not_exists !== true)
    return [`extension ${statement.CreateExtensionStmt.extname ?? ""}`];
  if (!("AlterTableStmt" in statement)) return [];
  const table = nameOf(statement.AlterTableStmt.relation);
  return commandsOf(statement.AlterTableStmt).flatMap(({ subtype, def, missing_ok }) =>
    subtype === "AT_AddColumn" && missing_ok !== true ? [`column ${table}.${columnOf(def)}`] : [],
  );
}

/** Things that hold data and that a statement does away with, named as `madeBy` names them; empty if it takes others along. */
export function droppedBy(statement: Node): readonly string[] {
  if ("DropStmt" in statement) {
    const { removeType, behavior, objects = [] } = statement.DropStmt;
    if (behavior === "DROP_CASCADE") return [];
    const kind = (removeType ?? "").replace("OBJECT_", "").toLowerCase();
    return objects.map((object) => `${kind} ${wordsOf(object).join(".")}`);
  }
  if (!("AlterTableStmt" in statement)) return [];
  const table = nameOf(statement.AlterTableStmt.relation);
  const drops = commandsOf(statement.AlterTableStmt).filter(
    ({ subtype, behavior }) => subtype === "AT_DropColumn" && behavior !== "DROP_CASCADE",
  );
  return drops.length === commandsOf(statement.AlterTableStmt).length
    ? drops.map(({ name = "" }) => `column ${table}.${name}`)
    : [];
}

/** Whether a statement is an UPDATE of nothing but columns that were made before it: no value of before is touched. */
export function fillsNewColumns(statement: Node, made: readonly string[]): boolean {
  if (!("UpdateStmt" in statement) || statement.UpdateStmt.withClause !== undefined) return false;
  const { relation, targetList = [] } = statement.UpdateStmt;
  const names = targetList.map((target) => ("ResTarget" in target ? (target.ResTarget.name ?? "") : ""));
  return names.length > 0 && names.every((name) => made.includes(`column ${nameOf(relation)}.${name}`));
}

function rowTargets(statement: Node): readonly SqlTarget[] {
  const written = (["InsertStmt", "UpdateStmt", "DeleteStmt", "MergeStmt"] as const).flatMap((kind) =>
    nodesOf(statement, kind).map(({ relation }) => relation),
  );
  return written.flatMap((relation) => ofTable(relation, (table) => `rows/${table}/**`));
}

function schemaTargets(statement: Node): readonly SqlTarget[] {
  if ("CreateStmt" in statement) return ofTable(statement.CreateStmt.relation, (table) => `schema/${table}`);
  if ("IndexStmt" in statement) {
    const { relation, idxname } = statement.IndexStmt;
    return ofTable(
      relation,
      (table) => `schema/${table}/index/${idxname === undefined ? "*" : encodeSegment(idxname)}`,
    );
  }
  if ("ViewStmt" in statement) return ofTable(statement.ViewStmt.view, (view) => `schema/view/${view}`);
  if ("CreateSeqStmt" in statement)
    return ofTable(statement.CreateSeqStmt.sequence, (sequence) => `schema/sequence/${sequence}`);
  if ("CreateTrigStmt" in statement) {
    const { relation, trigname = "" } = statement.CreateTrigStmt;
    return ofTable(relation, (table) => `schema/${table}/trigger/${encodeSegment(trigname)}`);
  }
  if ("CreateRoleStmt" in statement) return [[`schema/role/${encodeSegment(statement.CreateRoleStmt.role ?? "")}`]];
  if ("DropStmt" in statement) return dropTargets(statement.DropStmt);
  if (!("AlterTableStmt" in statement) || statement.AlterTableStmt.objtype !== "OBJECT_TABLE") return [];
  const { relation } = statement.AlterTableStmt;
  return commandsOf(statement.AlterTableStmt).flatMap((command) =>
    ofTable(relation, (table) => `schema/${table}/${alteredPart(command)}`),
  );
}

function dropTargets({ removeType, objects = [] }: SqlBody<"DropStmt">): readonly SqlTarget[] {
  return objects.flatMap((object): readonly SqlTarget[] => {
    const words = wordsOf(object);
    const [last = ""] = words.slice(-1);
    switch (removeType) {
      case "OBJECT_TABLE":
        return [relationSegments(words).map((table) => `schema/${table}`)];
      case "OBJECT_INDEX":
        return [[`schema/*/index/${encodeSegment(last)}`]];
      case "OBJECT_VIEW":
      case "OBJECT_MATVIEW":
        return [relationSegments(words).map((view) => `schema/view/${view}`)];
      case "OBJECT_SEQUENCE":
        return [relationSegments(words).map((sequence) => `schema/sequence/${sequence}`)];
      case "OBJECT_TRIGGER":
        return [relationSegments(words.slice(0, -1)).map((table) => `schema/${table}/trigger/${encodeSegment(last)}`)];
      default:
        return [];
    }
  });
}

/** The part of a table that ALTER TABLE names; all of it where the words do not say. */
function alteredPart({ subtype, name, def }: AlterTableCmd): string {
  switch (subtype) {
    case "AT_AddColumn":
      return `column/${encodeSegment(columnOf(def))}`;
    case "AT_DropColumn":
    case "AT_AlterColumnType":
    case "AT_ColumnDefault":
    case "AT_SetNotNull":
    case "AT_DropNotNull":
      return `column/${encodeSegment(name ?? "")}`;
    case "AT_DropConstraint":
      return `constraint/${encodeSegment(name ?? "")}`;
    default:
      return "**";
  }
}

/** A temporary table is gone with its session, so nothing needs to be said of it. */
function ofTable(relation: RangeVar | undefined, path: (segment: string) => string): readonly SqlTarget[] {
  if (relation === undefined || relation.relpersistence === "t") return [];
  return [relationSegments(wordsOf({ RangeVar: relation })).map(path)];
}

/** A relation as one segment of a path: `public` goes without saying, and without a schema it may be in any. */
function relationSegments(words: readonly string[]): readonly string[] {
  const [name = "", schema] = words.toReversed().map((word) => encodeSegment(word).replaceAll(".", "%2E"));
  if (schema === undefined) return [name, `*.${name}`];
  return [schema === "public" ? name : `${schema}.${name}`];
}

function commandsOf({ cmds = [] }: SqlBody<"AlterTableStmt">): readonly AlterTableCmd[] {
  return cmds.flatMap((cmd) => ("AlterTableCmd" in cmd ? [cmd.AlterTableCmd] : []));
}

function columnOf(def: Node | undefined): string {
  return def !== undefined && "ColumnDef" in def ? (def.ColumnDef.colname ?? "") : "";
}

function nameOf(relation: RangeVar | undefined): string {
  return relation === undefined ? "" : wordsOf({ RangeVar: relation }).join(".");
}
