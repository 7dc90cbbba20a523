import type { AlterTableCmd, AlterTableType, Node, ObjectType, TypeName } from "libpg-query";
import { tableName } from "./row-rules.ts";
import { found, type SqlFinding } from "./sql-finding.ts";
import { type SqlBody, wordsOf } from "./sql-tree.ts";

const CASCADE = "with CASCADE, which takes along whatever depends on it";
/** Dropping one of these takes data, or the last copy of a value, with it. */
const HOLDS_DATA: ReadonlySet<ObjectType> = new Set([
  "OBJECT_TABLE",
  "OBJECT_SCHEMA",
  "OBJECT_SEQUENCE",
  "OBJECT_EXTENSION",
  "OBJECT_COLUMN",
  "OBJECT_LARGEOBJECT",
]);

/** DROP of anything but databases, roles and table spaces, which have statements of their own. */
export function dropFindings({ removeType, behavior, objects = [] }: SqlBody<"DropStmt">): readonly SqlFinding[] {
  const kind = kindName(removeType);
  const names = objects.map((object) => wordsOf(object).join(".")).join(", ");
  if (behavior === "DROP_CASCADE") return [found("loss", `drops the ${kind} ${names} ${CASCADE}`)];
  const holdsData = removeType !== undefined && HOLDS_DATA.has(removeType);
  return [found(holdsData ? "loss" : "schema", `drops the ${kind} ${names}${holdsData ? " with what it holds" : ""}`)];
}

/** `OBJECT_TABLE` as people say it. */
export function kindName(kind: string | undefined): string {
  return (kind ?? "OBJECT_").replace("OBJECT_", "").toLowerCase().replaceAll("_", " ");
}

/** ALTER TABLE, and ALTER VIEW, INDEX, SEQUENCE and TYPE where the grammar makes them one. */
export function alterTableFindings({ relation, cmds = [], objtype }: SqlBody<"AlterTableStmt">): readonly SqlFinding[] {
  const table = `the ${kindName(objtype)} ${tableName(relation)}`;
  return cmds.flatMap((cmd) => ("AlterTableCmd" in cmd ? [alterFinding(cmd.AlterTableCmd, table)] : []));
}

/** Who may do or see what. */
const ACCESS: ReadonlySet<AlterTableType> = new Set([
  "AT_ChangeOwner",
  "AT_EnableRowSecurity",
  "AT_DisableRowSecurity",
  "AT_ForceRowSecurity",
  "AT_NoForceRowSecurity",
]);

function alterFinding({ subtype, name = "", behavior, def }: AlterTableCmd, table: string): SqlFinding {
  if (behavior === "DROP_CASCADE") return found("loss", `drops ${name} of ${table} ${CASCADE}`);
  if (subtype === "AT_DropColumn") return found("loss", `drops the column ${name} of ${table} with its values`);
  if (subtype === "AT_AlterColumnType") return typeFinding(name, def, table);
  if (subtype === "AT_SetUnLogged") return found("loss", `lets ${table} be emptied by a crash (UNLOGGED)`);
  if (subtype !== undefined && ACCESS.has(subtype)) return found("access", `changes who may use ${table}`);
  return found("schema", `alters ${table}`);
}

/** Types that hold every value that a column of the same kind could have held before. */
const WIDE = new Set(["text", "varchar", "int8", "numeric", "timestamptz"]);

/** The type a column had is not known before anything is raised, so only the widest types are believed to lose nothing. */
function typeFinding(column: string, def: Node | undefined, table: string): SqlFinding {
  const definition = def !== undefined && "ColumnDef" in def ? def.ColumnDef : undefined;
  const type = definition?.typeName;
  const told = `the column ${column} of ${table}`;
  if (definition?.raw_default !== undefined) return found("loss", `computes ${told} anew (USING)`);
  if (type !== undefined && isWide(type)) return found("schema", `changes the type of ${told}`);
  return found("loss", `may narrow ${told} to ${wordsOf(type?.names).at(-1) ?? "another type"}`);
}

function isWide({ names, typmods = [], arrayBounds = [] }: TypeName): boolean {
  return WIDE.has(wordsOf(names).at(-1) ?? "") && typmods.length === 0 && arrayBounds.length === 0;
}

/** Languages whose code can do no more than SQL can. */
const TRUSTED = new Set(["sql", "plpgsql"]);

/** CREATE FUNCTION and PROCEDURE: defining is a change of schema; calling is judged where it is called. */
export function functionDefinitionFindings(define: SqlBody<"CreateFunctionStmt">): readonly SqlFinding[] {
  const name = wordsOf(define.funcname).join(".");
  const options = (define.options ?? []).flatMap((option) => ("DefElem" in option ? [option.DefElem] : []));
  const language = options.find(({ defname }) => defname === "language")?.arg;
  const spoken = define.sql_body === undefined ? (wordsOf(language).at(0) ?? "").toLowerCase() : "sql";
  const definer = options.some(
    ({ defname, arg }) =>
      defname === "security" && arg !== undefined && "Boolean" in arg && arg.Boolean.boolval === true,
  );
  return [
    ...(TRUSTED.has(spoken)
      ? [found("schema", `defines the function ${name}`)]
      : [
          found("forbidden", `defines the function ${name} in ${spoken || "no language"}, which is not sql or plpgsql`),
        ]),
    ...(definer ? [found("access", `lets callers of ${name} act with its owner's rights (SECURITY DEFINER)`)] : []),
  ];
}

/**
 * Extensions of PostgreSQL's own contrib, and pgvector, that compute and index and nothing else: they open no file, start no
 * program, reach no server and run no text as SQL. An extension is code of the server's, so one that is not here is unknown code.
 */
const HARMLESS_EXTENSIONS = new Set(
  (
    "pg_trgm btree_gin btree_gist citext hstore pgcrypto uuid-ossp unaccent intarray ltree cube earthdistance " +
    "fuzzystrmatch isn seg dict_int bloom tsm_system_rows tsm_system_time pg_stat_statements pgstattuple pg_buffercache " +
    "plpgsql vector"
  ).split(" "),
);

/** CREATE EXTENSION, and ALTER EXTENSION, which brings another version of its code. */
export function extensionFindings({
  extname = "",
  options = [],
}: SqlBody<"CreateExtensionStmt">): readonly SqlFinding[] {
  if (!HARMLESS_EXTENSIONS.has(extname))
    return [
      found("forbidden", `adds or alters the extension ${extname}, which may reach files, programs or other servers`),
    ];
  const cascade = options.some((option) => "DefElem" in option && option.DefElem.defname === "cascade");
  return [found("schema", `adds the extension ${extname}${cascade ? " and those it needs" : ""}`)];
}
