// The rest of PostgreSQL's catalogue: what has no statement of its own in `postgres-schema-queries.ts`. Every query answers
// (kind, namespace, parent, name, definition). Most are one row of a catalogue as JSON, so that a column which a later
// PostgreSQL adds is state without anybody's help; columns that hold object ids are told by the names of those objects.
import { ACL, DIGEST, FIRST_ID_OF_USERS, IDENTITY, NOT_OF_AN_EXTENSION } from "./postgres-sql-parts.ts";
import { SYSTEM_QUERIES } from "./postgres-system-queries.ts";

interface Catalogue {
  readonly kind: string;
  readonly catalogue: string;
  /** Prefix of its columns, as the catalogue has it. */
  readonly prefix: string;
  /** Columns, without the prefix, that the name tells already, that hold object ids, or that are told in `as`. */
  readonly without: readonly string[];
  /** What is told beside the row's own columns: name to SQL over `x`. */
  readonly as?: Readonly<Record<string, string>>;
}

const OWNER = (column: string): string => `pg_get_userbyid(x.${column})`;

const CATALOGUES: readonly Catalogue[] = [
  {
    kind: "cast",
    catalogue: "pg_cast",
    prefix: "cast",
    without: ["source", "target", "func"],
    as: { function: "nullif(x.castfunc, 0)::regprocedure" },
  },
  {
    kind: "operator",
    catalogue: "pg_operator",
    prefix: "opr",
    without: ["name", "namespace", "owner", "left", "right", "result", "com", "negate"],
    as: {
      owner: OWNER("oprowner"),
      result: "x.oprresult::regtype",
      commutator: "nullif(x.oprcom, 0)::regoperator",
      negator: "nullif(x.oprnegate, 0)::regoperator",
    },
  },
  {
    kind: "operator-class",
    catalogue: "pg_opclass",
    prefix: "opc",
    without: ["method", "name", "namespace", "owner", "family", "intype", "keytype"],
    as: {
      owner: OWNER("opcowner"),
      family: IDENTITY("pg_opfamily", "x.opcfamily"),
      type: "x.opcintype::regtype",
      key: "nullif(x.opckeytype, 0)::regtype",
    },
  },
  {
    kind: "operator-family",
    catalogue: "pg_opfamily",
    prefix: "opf",
    without: ["method", "name", "namespace", "owner"],
    as: { owner: OWNER("opfowner") },
  },
  {
    kind: "operator-of-family",
    catalogue: "pg_amop",
    prefix: "amop",
    without: ["family", "lefttype", "righttype", "opr", "method", "sortfamily"],
    as: { operator: "x.amopopr::regoperator" },
  },
  {
    kind: "function-of-family",
    catalogue: "pg_amproc",
    prefix: "am",
    without: ["procfamily", "proclefttype", "procrighttype"],
  },
  {
    kind: "collation",
    catalogue: "pg_collation",
    prefix: "coll",
    without: ["name", "namespace", "owner"],
    as: { owner: OWNER("collowner") },
  },
  {
    kind: "conversion",
    catalogue: "pg_conversion",
    prefix: "con",
    without: ["name", "namespace", "owner"],
    as: { owner: OWNER("conowner") },
  },
  {
    kind: "language",
    catalogue: "pg_language",
    prefix: "lan",
    without: ["name", "owner", "plcallfoid", "inline", "validator", "acl"],
    as: {
      owner: OWNER("lanowner"),
      handlers: "ARRAY[x.lanplcallfoid::regproc, x.laninline::regproc, x.lanvalidator::regproc]",
      grants: ACL("x.lanacl", "l", "x.lanowner"),
    },
  },
  { kind: "access-method", catalogue: "pg_am", prefix: "am", without: ["name"] },
  {
    kind: "transform",
    catalogue: "pg_transform",
    prefix: "trf",
    without: ["type", "lang"],
  },
  {
    kind: "text-search-configuration",
    catalogue: "pg_ts_config",
    prefix: "cfg",
    without: ["name", "namespace", "owner", "parser"],
    as: {
      owner: OWNER("cfgowner"),
      parser: IDENTITY("pg_ts_parser", "x.cfgparser"),
      mapping: `(SELECT jsonb_agg(concat_ws(' ', m.maptokentype, m.mapseqno, m.mapdict::regdictionary) ORDER BY m.maptokentype, m.mapseqno)
        FROM pg_ts_config_map m WHERE m.mapcfg = x.oid)`,
    },
  },
  {
    kind: "text-search-dictionary",
    catalogue: "pg_ts_dict",
    prefix: "dict",
    without: ["name", "namespace", "owner", "template"],
    as: { owner: OWNER("dictowner"), template: IDENTITY("pg_ts_template", "x.dicttemplate") },
  },
  { kind: "text-search-parser", catalogue: "pg_ts_parser", prefix: "prs", without: ["name", "namespace"] },
  { kind: "text-search-template", catalogue: "pg_ts_template", prefix: "tmpl", without: ["name", "namespace"] },
  {
    kind: "foreign-data-wrapper",
    catalogue: "pg_foreign_data_wrapper",
    prefix: "fdw",
    without: ["name", "owner", "handler", "validator", "acl", "options"],
    as: {
      owner: OWNER("fdwowner"),
      handlers: "ARRAY[x.fdwhandler::regproc, x.fdwvalidator::regproc]",
      options: DIGEST("x.fdwoptions::text"),
      grants: ACL("x.fdwacl", "F", "x.fdwowner"),
    },
  },
  {
    kind: "foreign-server",
    catalogue: "pg_foreign_server",
    prefix: "srv",
    without: ["name", "owner", "fdw", "acl", "options"],
    as: {
      owner: OWNER("srvowner"),
      wrapper: IDENTITY("pg_foreign_data_wrapper", "x.srvfdw"),
      options: DIGEST("x.srvoptions::text"),
      grants: ACL("x.srvacl", "S", "x.srvowner"),
    },
  },
  {
    kind: "statistics",
    catalogue: "pg_statistic_ext",
    prefix: "stx",
    without: ["relid", "name", "namespace", "owner", "keys", "exprs"],
    as: { owner: OWNER("stxowner"), definition: "pg_get_statisticsobjdef(x.oid)" },
  },
  {
    kind: "tablespace",
    catalogue: "pg_tablespace",
    prefix: "spc",
    without: ["name", "owner", "acl"],
    as: {
      owner: OWNER("spcowner"),
      location: "pg_tablespace_location(x.oid)",
      grants: ACL("x.spcacl", "t", "x.spcowner"),
    },
  },
];

function rowsOf({ kind, catalogue, prefix, without, as = {} }: Catalogue): string {
  const dropped = ["oid", ...without.map((column) => `${prefix}${column}`)].map((column) => `'${column}'`);
  const added = Object.entries(as).map(([name, sql]) => `'${name}', ${sql}`);
  return `
  SELECT '${kind}', '', '', ${IDENTITY(catalogue, "x.oid")},
         jsonb_strip_nulls((to_jsonb(x) - ARRAY[${dropped.join(", ")}]) || jsonb_build_object(${added.join(", ")}))::text
    FROM ${catalogue} x WHERE x.oid >= ${FIRST_ID_OF_USERS} AND ${NOT_OF_AN_EXTENSION(catalogue, "x.oid")}`;
}

/** What is granted on things that will be made: `default-grant/<role>[:<schema>]:<kind of thing>`. */
const DEFAULT_GRANTS = `
  SELECT 'default-grant', '', '', concat_ws(':', pg_get_userbyid(x.defaclrole), n.nspname, x.defaclobjtype::text),
         ${ACL("x.defaclacl", "r", "x.defaclrole")}
    FROM pg_default_acl x LEFT JOIN pg_namespace n ON n.oid = x.defaclnamespace`;

/** The view shows options to those who may see them; they hold passwords. */
const USER_MAPPINGS = `
  SELECT 'user-mapping', '', '', x.srvname || ':' || x.usename, coalesce(${DIGEST("x.umoptions::text")}, '')
    FROM pg_user_mappings x`;

/** Temporary ones end with their session; the write log's are. */
const SLOTS = `
  SELECT 'replication-slot', '', '', x.slot_name::text, concat_ws(' ', x.slot_type, x.plugin, 'database=' || x.database)
    FROM pg_replication_slots x WHERE NOT x.temporary
   UNION ALL SELECT 'replication-origin', '', '', roname, '' FROM pg_replication_origin`;

const SECURITY_LABELS = `
  SELECT 'security-label', '', '', provider || ':' || (pg_identify_object(classoid, objoid, objsubid)).identity, label
    FROM pg_seclabel
   UNION ALL SELECT 'security-label', '', '', provider || ':' || (pg_identify_object(classoid, objoid, 0)).identity, label
    FROM pg_shseclabel`;

/** Owner and grants; what they hold only a superuser may read (`LARGE_OBJECTS_HELD`). */
const LARGE_OBJECTS = `
  SELECT 'large-object', '', '', x.oid || ':grants', concat_ws(' ', 'owner=' || pg_get_userbyid(x.lomowner),
         ${ACL("x.lomacl", "L", "x.lomowner")}) FROM pg_largeobject_metadata x`;

/** Answers (catalogue) for those of `catalogueQueries` in which anybody made anything: most databases have none. */
export const CATALOGUES_IN_USE_SQL = CATALOGUES.map(
  ({ catalogue }) =>
    `SELECT '${catalogue}' AS catalogue WHERE EXISTS (SELECT FROM ${catalogue} WHERE oid >= ${FIRST_ID_OF_USERS})`,
).join(" UNION ALL ");

/** The rows of these catalogues. Planning a query costs more than it finds, so those that are not in use are not asked. */
export function catalogueQueries(inUse: ReadonlySet<string>): readonly string[] {
  return CATALOGUES.filter(({ catalogue }) => inUse.has(catalogue)).map(rowsOf);
}

/** Beside what `SCHEMA_QUERIES` has, for every database. */
export const CATALOGUE_QUERIES: readonly string[] = [
  DEFAULT_GRANTS,
  USER_MAPPINGS,
  SLOTS,
  SECURITY_LABELS,
  LARGE_OBJECTS,
  ...SYSTEM_QUERIES,
];

/** From PostgreSQL 15 on: who may set which parameter, and publications of whole schemas. */
export const CATALOGUE_QUERIES_15: readonly string[] = [
  `SELECT 'parameter-grant', '', '', x.parname, ${ACL("x.paracl", "p", "10")} FROM pg_parameter_acl x`,
  `SELECT 'publication', '', '', p.pubname || ':schemas', string_agg(x.pnnspid::regnamespace::text, ',' ORDER BY x.pnnspid::regnamespace::text)
     FROM pg_publication_namespace x JOIN pg_publication p ON p.oid = x.pnpubid GROUP BY p.pubname`,
];

/** Larger than this, large objects are told by number and size. */
export const LARGE_OBJECT_BYTES_MAX = 64 * 1024 * 1024;

/** For superusers: what large objects hold, and connections to other servers (which hold passwords). */
export const SUPERUSER_CATALOGUE_QUERIES: readonly string[] = [
  `SELECT 'large-object', '', '', x.loid::text, sum(length(x.data)) || ' bytes, ' || left(md5(string_agg(md5(x.data), '' ORDER BY x.pageno)), 16)
     FROM pg_largeobject x WHERE pg_relation_size('pg_largeobject') <= ${LARGE_OBJECT_BYTES_MAX} GROUP BY x.loid`,
  `SELECT 'large-object', '', '', '(uncompared)', pg_relation_size('pg_largeobject') || ' bytes, too large to compare'
    WHERE pg_relation_size('pg_largeobject') > ${LARGE_OBJECT_BYTES_MAX}`,
  `SELECT 'subscription', '', '', x.subname::text, jsonb_strip_nulls((to_jsonb(x) - ARRAY['oid', 'subdbid', 'subname', 'subowner', 'subconninfo', 'subskiplsn'])
          || jsonb_build_object('owner', pg_get_userbyid(x.subowner), 'connection', ${DIGEST("x.subconninfo")}))::text
     FROM pg_subscription x WHERE x.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`,
];
