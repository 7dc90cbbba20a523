import type { DefElem, Node } from "libpg-query";
import { tableName } from "./row-rules.ts";
import {
  alterTableFindings,
  dropFindings,
  extensionFindings,
  functionDefinitionFindings,
  kindName,
} from "./schema-rules.ts";
import { found, type SqlFinding } from "./sql-finding.ts";
import { type SqlBody, type SqlKind, wordsOf } from "./sql-tree.ts";

type Rules = { readonly [Kind in SqlKind]?: (body: SqlBody<Kind>) => readonly SqlFinding[] };

const one = (effect: SqlFinding["effect"], because: string) => (): readonly SqlFinding[] => [found(effect, because)];
/** What the parts of it do is all it does. */
const itsParts = (): readonly SqlFinding[] => [];
const OTHER_SERVERS = one("forbidden", "reaches another server, which no twin can show");
const SESSION = one("forbidden", "changes the session, which the harness shares with its own statements");

const READING: Rules = {
  SelectStmt: itsParts,
  InsertStmt: itsParts,
  UpdateStmt: itsParts,
  DeleteStmt: itsParts,
  MergeStmt: itsParts,
  VariableShowStmt: itsParts,
  // Without ANALYZE the statement is planned and not run, but it is judged as if it were: a plan has no use for the difference.
  ExplainStmt: ({ query }) => (query === undefined ? [] : kindFindings(query)),
  PrepareStmt: ({ query }) => (query === undefined ? [] : kindFindings(query)),
  DeallocateStmt: itsParts,
  DeclareCursorStmt: ({ query }) => (query === undefined ? [] : kindFindings(query)),
  FetchStmt: itsParts,
  ClosePortalStmt: itsParts,
  ConstraintsSetStmt: itsParts,
  LockStmt: ({ relations = [] }) => [
    found("rows", `locks ${relations.map((each) => wordsOf(each).join(".")).join(", ")}`),
  ],
};

const CHANGING: Rules = {
  CreateStmt: ({ relation }) => [found("schema", `creates the table ${tableName(relation)}`)],
  IndexStmt: ({ relation }) => [found("schema", `creates an index on ${tableName(relation)}`)],
  CreateTableAsStmt: ({ into }) => [found("schema", `creates the table ${tableName(into?.rel)} from a query`)],
  ViewStmt: ({ view }) => [found("schema", `defines the view ${tableName(view)}`)],
  CreateSeqStmt: ({ sequence }) => [found("schema", `creates the sequence ${tableName(sequence)}`)],
  AlterSeqStmt: ({ sequence }) => [found("schema", `alters the sequence ${tableName(sequence)}`)],
  AlterTableStmt: alterTableFindings,
  DropStmt: dropFindings,
  RenameStmt: ({ renameType, newname }) => [found("schema", `renames a ${kindName(renameType)} to ${newname ?? ""}`)],
  AlterEnumStmt: ({ typeName, oldVal }) =>
    oldVal === undefined
      ? [
          {
            ...found("schema", `adds a value to ${wordsOf(typeName).join(".")}, which can not be removed again`),
            irreversible: true,
          },
        ]
      : [found("schema", `renames a value of ${wordsOf(typeName).join(".")}`)],
  CreateFunctionStmt: functionDefinitionFindings,
  CreateExtensionStmt: extensionFindings,
  AlterExtensionStmt: extensionFindings,
  AlterExtensionContentsStmt: extensionFindings,
  RefreshMatViewStmt: ({ relation }) => [found("rebuild", `computes ${tableName(relation)} anew`)],
  ...Object.fromEntries(
    (
      [
        "CreateSchemaStmt",
        "CreateTrigStmt",
        "RuleStmt",
        "CommentStmt",
        "DefineStmt",
        "CreateDomainStmt",
        "AlterDomainStmt",
        "CompositeTypeStmt",
        "CreateEnumStmt",
        "CreateRangeStmt",
        "CreateStatsStmt",
        "AlterStatsStmt",
        "AlterFunctionStmt",
        "AlterObjectSchemaStmt",
        "AlterObjectDependsStmt",
        "AlterOperatorStmt",
        "AlterTypeStmt",
        "AlterCollationStmt",
        "AlterTSDictionaryStmt",
        "AlterTSConfigurationStmt",
        "AlterTableMoveAllStmt",
        "CreateOpClassStmt",
        "CreateOpFamilyStmt",
        "AlterOpFamilyStmt",
        "CreateConversionStmt",
        "CreateCastStmt",
        "CreateTransformStmt",
        "CreatePublicationStmt",
        "AlterPublicationStmt",
        "CreatedbStmt",
        "CreateTableSpaceStmt",
        "AlterTableSpaceOptionsStmt",
        "AlterDatabaseRefreshCollStmt",
      ] as const
    ).map((kind) => [kind, one("schema", "changes the schema")]),
  ),
};

const GUARDED: Rules = {
  ...Object.fromEntries(
    (
      [
        "GrantStmt",
        "GrantRoleStmt",
        "AlterDefaultPrivilegesStmt",
        "CreateRoleStmt",
        "AlterRoleStmt",
        "AlterRoleSetStmt",
        "DropRoleStmt",
        "ReassignOwnedStmt",
        "AlterOwnerStmt",
        "SecLabelStmt",
        "CreatePolicyStmt",
        "AlterPolicyStmt",
        "CreateEventTrigStmt",
        "AlterEventTrigStmt",
      ] as const
    ).map((kind) => [kind, one("access", "changes roles, credentials or who may do what")]),
  ),
  AlterSystemStmt: one("access", "changes settings of the whole server"),
  AlterDatabaseStmt: one("access", "changes settings of a database"),
  AlterDatabaseSetStmt: one("access", "changes settings of a database"),
  VariableSetStmt: ({ kind, name = "", is_local }) => {
    if (kind === "VAR_SET_MULTI" && name === "TRANSACTION") return [];
    if (is_local !== true)
      return [found("forbidden", `sets ${name || "everything"} beyond its transaction: write SET LOCAL`)];
    return HARMLESS_SETTINGS.has(name)
      ? []
      : [found("access", `sets ${name}, which can change what later statements may do`)];
  },
  TruncateStmt: ({ relations = [] }) => [
    found("loss", `empties ${relations.map((each) => wordsOf(each).join(".")).join(", ")}`),
  ],
  DropdbStmt: ({ dbname }) => [found("loss", `drops the database ${dbname ?? ""}`)],
  DropOwnedStmt: one("loss", "drops everything that a role owns"),
  DropTableSpaceStmt: one("loss", "drops a table space"),
  NotifyStmt: () => [{ ...found("message", "sends a message that nobody can take back"), irreversible: true }],
  CallStmt: ({ funccall }) => [found("program", `calls the procedure ${wordsOf(funccall?.funcname).join(".")}`)],
  // The parser sees the name only; what was prepared is judged where it is prepared.
  ExecuteStmt: ({ name }) => [found("program", `executes ${name ?? ""}, which was prepared elsewhere`)],
};

const UPKEEP: Rules = {
  VacuumStmt: ({ options = [], is_vacuumcmd }) =>
    hasOption(options, "full")
      ? [found("rebuild", "rewrites tables under an exclusive lock (VACUUM FULL)")]
      : [found("maintenance", is_vacuumcmd === true ? "vacuums" : "collects statistics")],
  ReindexStmt: one("rebuild", "rebuilds indexes"),
  ClusterStmt: one("rebuild", "rewrites a table under an exclusive lock"),
  CheckPointStmt: one("maintenance", "writes a checkpoint"),
};

const FORBIDDEN: Rules = {
  TransactionStmt: ({ kind }) => [
    found(
      "forbidden",
      `controls the transaction (${kind?.replace("TRANS_STMT_", "") ?? ""}), which is the harness's to open and to end`,
    ),
  ],
  DoStmt: one("forbidden", "runs a block of code that can not be read here"),
  LoadStmt: one("forbidden", "loads a library into the server"),
  CopyStmt: ({ is_program, filename, is_from }) => [
    found(
      "forbidden",
      is_program === true
        ? "runs a program on the server (COPY PROGRAM)"
        : filename !== undefined
          ? `${is_from === true ? "reads" : "writes"} a file of the server`
          : "streams rows to or from the client: write INSERT or SELECT",
    ),
  ],
  CreatePLangStmt: one("forbidden", "adds a language to the server"),
  CreateAmStmt: one("forbidden", "adds an access method to the server"),
  ListenStmt: SESSION,
  UnlistenStmt: SESSION,
  DiscardStmt: SESSION,
  CreateFdwStmt: OTHER_SERVERS,
  AlterFdwStmt: OTHER_SERVERS,
  CreateForeignServerStmt: OTHER_SERVERS,
  AlterForeignServerStmt: OTHER_SERVERS,
  CreateForeignTableStmt: OTHER_SERVERS,
  ImportForeignSchemaStmt: OTHER_SERVERS,
  CreateUserMappingStmt: OTHER_SERVERS,
  AlterUserMappingStmt: OTHER_SERVERS,
  DropUserMappingStmt: OTHER_SERVERS,
  CreateSubscriptionStmt: OTHER_SERVERS,
  AlterSubscriptionStmt: OTHER_SERVERS,
  DropSubscriptionStmt: OTHER_SERVERS,
};

/** Settings that only bound or speed up the statements of one transaction. */
const HARMLESS_SETTINGS = new Set([
  "statement_timeout",
  "lock_timeout",
  "idle_in_transaction_session_timeout",
  "work_mem",
  "maintenance_work_mem",
  "deadlock_timeout",
  "max_parallel_workers_per_gather",
  "max_parallel_maintenance_workers",
  "application_name",
  "timezone",
  "datestyle",
]);

const RULES: Rules = { ...READING, ...CHANGING, ...GUARDED, ...UPKEEP, ...FORBIDDEN };

/** What a statement does by its own kind, beside what its parts do. One that no rule knows is forbidden. */
export function kindFindings(statement: Node): readonly SqlFinding[] {
  const [[kind, body] = ["nothing", {}]] = Object.entries(statement);
  // The table is keyed by the very kinds that the bodies belong to, which a lookup by a plain string can not show.
  const rule = (RULES as Readonly<Record<string, ((body: unknown) => readonly SqlFinding[]) | undefined>>)[kind];
  return rule?.(body) ?? [found("forbidden", `is a ${kind}, which no rule knows`)];
}

/** Whether a list of options says yes to one of that name. */
export function hasOption(options: readonly Node[], name: string): boolean {
  return options.some((option) => "DefElem" in option && option.DefElem.defname === name && isOn(option.DefElem));
}

/** `FULL`, `FULL on`, `FULL true` and `FULL 1` are the same. */
function isOn({ arg }: DefElem): boolean {
  if (arg === undefined) return true;
  if ("Integer" in arg) return arg.Integer.ival !== 0 && arg.Integer.ival !== undefined;
  if ("Boolean" in arg) return arg.Boolean.boolval === true;
  return !/^(off|false|no|0)$/i.test(wordsOf(arg).join(""));
}
