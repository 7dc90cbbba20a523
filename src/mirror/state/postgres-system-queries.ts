// What initdb made: who may use it, and whether it is still what it was. Rows as in `postgres-catalogue-queries.ts`.
import { ACL, FIRST_ID_OF_USERS, IDENTITY } from "./postgres-sql-parts.ts";

/**
 * Catalogues whose things carry grants: with the column of the grants, the owner's, and their kind for `acldefault`. Of the
 * information schema `initdb` keeps no first grants: those are in the digests of definitions.
 */
const GRANTED = [
  { catalogue: "pg_class", acl: "relacl", owner: "relowner", kind: "r", schema: "relnamespace" },
  { catalogue: "pg_proc", acl: "proacl", owner: "proowner", kind: "f", schema: "" },
  { catalogue: "pg_type", acl: "typacl", owner: "typowner", kind: "T", schema: "" },
  { catalogue: "pg_namespace", acl: "nspacl", owner: "nspowner", kind: "n", schema: "" },
  { catalogue: "pg_language", acl: "lanacl", owner: "lanowner", kind: "l", schema: "" },
] as const;

/** Grants on the server's own things, where they are not what initdb gave. */
const SYSTEM_GRANTS = GRANTED.map(({ catalogue, acl, owner, kind, schema }) => {
  const usual = (list: string): string => `coalesce(${list}, acldefault('${kind}', x.${owner}))`;
  const [now, first] = [usual(`x.${acl}`), usual("i.initprivs")];
  return `
  SELECT 'system-grant', '', '', ${IDENTITY(catalogue, "x.oid")}, ${ACL(`x.${acl}`, kind, `x.${owner}`)}
    FROM ${catalogue} x LEFT JOIN pg_init_privs i ON i.classoid = '${catalogue}'::regclass AND i.objoid = x.oid AND i.objsubid = 0
   WHERE x.oid < ${FIRST_ID_OF_USERS} AND x.${acl} IS DISTINCT FROM i.initprivs
     AND NOT (${now} @> ${first} AND ${first} @> ${now})${schema === "" ? "" : ` AND x.${schema} <> 'information_schema'::regnamespace`}`;
});

const SYSTEM_COLUMN_GRANTS = `
  SELECT 'system-grant', '', '', (pg_identify_object('pg_class'::regclass, x.attrelid, x.attnum)).identity, ${ACL("x.attacl", "c", "c.relowner")}
    FROM pg_attribute x JOIN pg_class c ON c.oid = x.attrelid WHERE x.attrelid < ${FIRST_ID_OF_USERS} AND x.attacl IS NOT NULL`;

/** The server's own definitions, one digest a catalogue: nobody changes them, so one does not have to say which. */
const SYSTEM_DEFINITIONS = [
  {
    catalogue: "pg_proc",
    text: `concat_ws(' ', proname, proowner, prolang, prosecdef, proleakproof, proisstrict, provolatile, prorettype, proargtypes,
             proconfig, prosrc, probin)`,
  },
  {
    catalogue: "pg_class",
    text: "concat_ws(' ', relname, relowner, relkind, relrowsecurity, relforcerowsecurity, reloptions, relhasrules, relhastriggers, CASE WHEN relnamespace = 'information_schema'::regnamespace THEN relacl::text END)",
  },
  { catalogue: "pg_type", text: "concat_ws(' ', typname, typowner, typinput, typoutput, typisdefined, typdefault)" },
  {
    catalogue: "pg_operator",
    text: "concat_ws(' ', oprname, oprowner, oprcom, oprnegate, oprcode::oid, oprrest::oid, oprjoin::oid)",
  },
  { catalogue: "pg_cast", text: "pg_cast::text" },
  { catalogue: "pg_opclass", text: "pg_opclass::text" },
  { catalogue: "pg_amop", text: "pg_amop::text" },
  {
    catalogue: "pg_amproc",
    text: "concat_ws(' ', amprocfamily, amproclefttype, amprocrighttype, amprocnum, amproc::oid)",
  },
  { catalogue: "pg_ts_config", text: "pg_ts_config::text" },
  { catalogue: "pg_ts_dict", text: "pg_ts_dict::text" },
  { catalogue: "pg_rewrite", text: "concat_ws(' ', rulename, ev_class, ev_type, ev_enabled, is_instead)" },
].map(
  ({ catalogue, text }) => `
  SELECT 'system', '', '', '${catalogue}', count(*) || ' ' || sum(hashtextextended(${text}, 0))
    FROM ${catalogue} WHERE oid < ${FIRST_ID_OF_USERS}`,
);

/** The server's own things. */
export const SYSTEM_QUERIES: readonly string[] = [...SYSTEM_GRANTS, SYSTEM_COLUMN_GRANTS, ...SYSTEM_DEFINITIONS];
