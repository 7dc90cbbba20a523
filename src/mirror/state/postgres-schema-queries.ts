// The catalogue of PostgreSQL 12 and later, read as definitions. Each query answers (kind, namespace, parent, name, definition).
// Members of extensions are left out: the extension, its version and a digest of its members stand for them.
import { CATALOGUE_QUERIES, SUPERUSER_CATALOGUE_QUERIES } from "./postgres-catalogue-queries.ts";
import { ACL, FIRST_ID_OF_USERS, NOT_OF_AN_EXTENSION } from "./postgres-sql-parts.ts";

/** Of the users: what lies in their schemas, and what they put among the server's own. */
const OWN = (namespace: string, oid: string): string =>
  `(${namespace}.nspname <> 'information_schema' AND ${namespace}.nspname !~ '^pg_'
    OR ${oid} >= ${FIRST_ID_OF_USERS} AND ${namespace}.nspname IN ('pg_catalog', 'information_schema'))`;

const RELATION = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND ${OWN("n", "c.oid")}`;
const RELATION_OWN = `${RELATION} AND ${NOT_OF_AN_EXTENSION("pg_class", "c.oid")}`;

const TABLESPACE = (relation: string): string =>
  `'tablespace=' || (SELECT s.spcname FROM pg_tablespace s WHERE s.oid = ${relation}.reltablespace)`;

/**
 * What the planner and the executor no longer see, though it is there. The other way round is no state: the flags stay set
 * until the next VACUUM after the last index, rule or trigger was dropped.
 */
const HIDDEN = (relation: string): string => `
  CASE WHEN NOT ${relation}.relhasindex AND EXISTS (SELECT FROM pg_index x WHERE x.indrelid = ${relation}.oid) THEN 'indexes hidden' END,
  CASE WHEN NOT ${relation}.relhasrules AND EXISTS (SELECT FROM pg_rewrite w WHERE w.ev_class = ${relation}.oid) THEN 'rules hidden' END,
  CASE WHEN NOT ${relation}.relhastriggers AND EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = ${relation}.oid) THEN 'triggers hidden' END`;

const TABLES = `
  SELECT 'table', n.nspname::text, '', c.relname::text, concat_ws(' ', 'kind=' || c.relkind::text, 'owner=' || pg_get_userbyid(c.relowner),
         'persistence=' || c.relpersistence::text, 'identity=' || c.relreplident::text, 'rls=' || c.relrowsecurity || c.relforcerowsecurity,
         'options=' || c.reloptions::text, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid),
         'inherits ' || (SELECT string_agg(h.inhparent::regclass::text, ',' ORDER BY h.inhseqno) FROM pg_inherits h WHERE h.inhrelid = c.oid),
         'method=' || (SELECT m.amname FROM pg_am m WHERE m.oid = c.relam AND m.amname <> 'heap'), ${TABLESPACE("c")},
         (SELECT 'foreign ' || s.srvname || ' ' || f.ftoptions::text FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid),
         ${HIDDEN("c")})
    FROM ${RELATION_OWN} WHERE c.relkind IN ('r', 'p', 'f')`;

/** How a column is stored and sampled, where that is not the default of its type. */
const STORED = (column: string): string => `
  'statistics=' || nullif(${column}.attstattarget, -1), 'options=' || ${column}.attoptions::text, 'foreign=' || ${column}.attfdwoptions::text,
  'compression=' || nullif(to_jsonb(${column})->>'attcompression', ''), 'storage=' || (
    SELECT ${column}.attstorage::text FROM pg_type y WHERE y.oid = ${column}.atttypid AND y.typstorage <> ${column}.attstorage)`;

const COLUMNS = `
  SELECT 'column', n.nspname::text, c.relname::text, a.attname::text, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attnotnull THEN 'not null' END, 'default ' || pg_get_expr(d.adbin, d.adrelid),
         'identity=' || nullif(a.attidentity::text, ''), 'generated=' || nullif(a.attgenerated::text, ''), 'collate ' || l.collname, ${STORED("a")})
    FROM ${RELATION_OWN} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
   WHERE c.relkind IN ('r', 'p', 'f')`;

const INDEXES = `
  SELECT 'index', n.nspname::text, c.relname::text, i.relname::text,
         concat_ws(' ', pg_get_indexdef(i.oid), CASE WHEN NOT x.indisvalid THEN 'INVALID' END, CASE WHEN NOT x.indisready THEN 'NOT READY' END,
         CASE WHEN NOT x.indislive THEN 'NOT LIVE' END, CASE WHEN NOT x.indimmediate THEN 'deferred' END, CASE WHEN x.indisclustered THEN 'clustered' END,
         CASE WHEN x.indisreplident THEN 'replica identity' END, ${TABLESPACE("i")},
         'part of ' || (SELECT h.inhparent::regclass::text FROM pg_inherits h WHERE h.inhrelid = i.oid),
         'statistics ' || (SELECT string_agg(a.attnum || '=' || a.attstattarget, ',' ORDER BY a.attnum) FROM pg_attribute a
           WHERE a.attrelid = i.oid AND a.attstattarget >= 0))
    FROM ${RELATION_OWN} JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid`;

const CONSTRAINTS = `
  SELECT 'constraint', n.nspname::text, c.relname::text, k.conname::text, pg_get_constraintdef(k.oid) ||
         coalesce((SELECT ' enforced by ' || string_agg(t.tgenabled::text, '' ORDER BY t.tgenabled::text) FROM pg_trigger t WHERE t.tgconstraint = k.oid), '')
    FROM ${RELATION_OWN} JOIN pg_constraint k ON k.conrelid = c.oid`;

const TRIGGERS = `
  SELECT 'trigger', n.nspname::text, c.relname::text, t.tgname::text, pg_get_triggerdef(t.oid) || ' enabled=' || t.tgenabled::text
    FROM ${RELATION_OWN} JOIN pg_trigger t ON t.tgrelid = c.oid AND NOT t.tgisinternal`;

const POLICIES = `
  SELECT 'policy', n.nspname::text, c.relname::text, p.polname::text, concat_ws(' ', p.polcmd::text, p.polpermissive,
         (SELECT string_agg(r::regrole::text, ',' ORDER BY r::regrole::text) FROM unnest(p.polroles) r),
         'using ' || pg_get_expr(p.polqual, p.polrelid), 'check ' || pg_get_expr(p.polwithcheck, p.polrelid))
    FROM ${RELATION_OWN} JOIN pg_policy p ON p.polrelid = c.oid`;

const RULES = `
  SELECT 'rule', n.nspname::text, c.relname::text, w.rulename::text, pg_get_ruledef(w.oid) || ' enabled=' || w.ev_enabled::text
    FROM ${RELATION_OWN} JOIN pg_rewrite w ON w.ev_class = c.oid AND w.rulename <> '_RETURN'`;

const GRANTS = `
  SELECT 'grant', n.nspname::text, c.relname::text, coalesce(r.rolname, 'PUBLIC')::text,
         string_agg(g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END, ',' ORDER BY g.privilege_type)
    FROM ${RELATION_OWN} CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) g
    LEFT JOIN pg_roles r ON r.oid = g.grantee
   WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') GROUP BY n.nspname, c.relname, r.rolname`;

const COLUMN_GRANTS = `
  SELECT 'grant', n.nspname::text, c.relname::text, coalesce(r.rolname, 'PUBLIC') || ':' || a.attname,
         string_agg(g.privilege_type || CASE WHEN g.is_grantable THEN '*' ELSE '' END, ',' ORDER BY g.privilege_type)
    FROM ${RELATION_OWN} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL AND NOT a.attisdropped
    CROSS JOIN LATERAL aclexplode(a.attacl) g LEFT JOIN pg_roles r ON r.oid = g.grantee
   GROUP BY n.nspname, c.relname, r.rolname, a.attname`;

const SEQUENCES = `
  SELECT 'sequence', n.nspname::text, '', c.relname::text, concat_ws(' ', format_type(s.seqtypid, NULL), 'start', s.seqstart,
         'increment', s.seqincrement, 'min', s.seqmin, 'max', s.seqmax, 'cache', s.seqcache, 'cycle', s.seqcycle,
         'owner=' || pg_get_userbyid(c.relowner), 'persistence=' || c.relpersistence::text, 'owned by ' || (
           SELECT (pg_identify_object('pg_class'::regclass, o.refobjid, o.refobjsubid)).identity FROM pg_depend o
            WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.refclassid = 'pg_class'::regclass AND o.deptype IN ('a', 'i')),
         ${ACL("c.relacl", "s", "c.relowner")})
    FROM ${RELATION_OWN} JOIN pg_sequence s ON s.seqrelid = c.oid`;

const VIEWS = `
  SELECT 'view', n.nspname::text, '', c.relname::text, concat_ws(' ', 'kind=' || c.relkind::text,
         'owner=' || pg_get_userbyid(c.relowner), 'options=' || c.reloptions::text, pg_get_viewdef(c.oid),
         (SELECT string_agg(concat_ws(' ', a.attname, 'default ' || pg_get_expr(d.adbin, d.adrelid), ${STORED("a")}), ', ' ORDER BY a.attnum)
            FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
           WHERE a.attrelid = c.oid AND a.attnum > 0 AND (d.oid IS NOT NULL OR a.attstattarget >= 0 OR a.attoptions IS NOT NULL)),
         CASE WHEN NOT c.relispopulated THEN 'not populated' END, ${TABLESPACE("c")}, ${HIDDEN("c")},
         (SELECT 'enabled=' || w.ev_enabled::text FROM pg_rewrite w WHERE w.ev_class = c.oid AND w.rulename = '_RETURN' AND w.ev_enabled <> 'O'))
    FROM ${RELATION_OWN} WHERE c.relkind IN ('v', 'm')`;

const FUNCTIONS = `
  SELECT 'function', n.nspname::text, '', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         concat_ws(' ', CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
           SELECT (to_jsonb(g) - ARRAY['aggfnoid', 'aggtranstype', 'aggmtranstype', 'aggsortop'] || jsonb_build_object('state', g.aggtranstype::regtype,
                  'moving', g.aggmtranstype::regtype, 'sort', g.aggsortop::regoperator, 'result', p.prorettype::regtype))::text
             FROM pg_aggregate g WHERE g.aggfnoid = p.oid) END,
         'owner=' || pg_get_userbyid(p.proowner), ${ACL("p.proacl", "f", "p.proowner")})
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND ${OWN("n", "p.oid")}
   WHERE ${NOT_OF_AN_EXTENSION("pg_proc", "p.oid")}`;

const TYPES = `
  SELECT 'type', n.nspname::text, '', t.typname::text, concat_ws(' ', 'kind=' || t.typtype::text, 'owner=' || pg_get_userbyid(t.typowner),
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, 'default ' || t.typdefault,
         CASE WHEN t.typnotnull THEN 'not null' END,
         (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid),
         (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped),
         (SELECT concat_ws(' ', g.rngsubtype::regtype, g.rngcanonical::regproc, g.rngsubdiff::regproc) FROM pg_range g WHERE g.rngtypid = t.oid),
         CASE WHEN t.typtype = 'b' THEN (to_jsonb(t) - ARRAY['oid', 'typname', 'typnamespace', 'typowner', 'typrelid', 'typelem', 'typarray',
           'typbasetype', 'typcollation', 'typacl'])::text END,
         ${ACL("t.typacl", "T", "t.typowner")})
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND ${OWN("n", "t.oid")}
    LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE (t.typtype IN ('e', 'd', 'r', 'c') OR t.typtype = 'b' AND t.typelem = 0) AND (t.typrelid = 0 OR c.relkind = 'c') AND ${NOT_OF_AN_EXTENSION("pg_type", "t.oid")}`;

const NAMESPACES = `
  SELECT 'namespace', '', '', n.nspname::text, concat_ws(' ', 'owner=' || pg_get_userbyid(n.nspowner), ${ACL("n.nspacl", "n", "n.nspowner")})
    FROM pg_namespace n WHERE n.nspname <> 'information_schema' AND n.nspname !~ '^pg_'`;

/** With a digest of its members as far as they can be called, read or granted. */
const EXTENSIONS = `
  SELECT 'extension', '', '', e.extname::text, concat_ws(' ', e.extversion, 'owner=' || pg_get_userbyid(e.extowner),
         'schema=' || e.extnamespace::regnamespace, 'members ' || (
           SELECT count(*) || ' ' || sum(hashtextextended(concat_ws(' ', (pg_identify_object(d.classid, d.objid, 0)).identity,
                  p.proowner::regrole, p.proacl, p.prosecdef, p.provolatile, p.proconfig, p.prosrc, p.probin, c.relowner::regrole, c.relacl,
                  c.reloptions, pg_get_viewdef(v.oid)), 0))
             FROM pg_depend d LEFT JOIN pg_proc p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
             LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
             LEFT JOIN pg_class v ON v.oid = c.oid AND v.relkind IN ('v', 'm')
            WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'))
    FROM pg_extension e`;

const EVENT_TRIGGERS = `
  SELECT 'event-trigger', '', '', evtname::text, concat_ws(' ', 'owner=' || pg_get_userbyid(evtowner), evtevent, evtfoid::regproc, evtenabled, evttags::text) FROM pg_event_trigger`;

const PUBLICATIONS = `
  SELECT 'publication', '', '', p.pubname::text, jsonb_strip_nulls((to_jsonb(p) - ARRAY['oid', 'pubname', 'pubowner']) || jsonb_build_object(
         'owner', pg_get_userbyid(p.pubowner), 'tables', (
           SELECT jsonb_agg(concat_ws(' ', r.prrelid::regclass, to_jsonb(r)->>'prattrs', 'where ' || pg_get_expr((to_jsonb(r)->>'prqual')::pg_node_tree, r.prrelid))
                  ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = p.oid)))::text
    FROM pg_publication p`;

/** Databases of the server: creating another one is an effect too. */
const DATABASES = `
  SELECT 'database', '', '', d.datname::text, concat_ws(' ', 'owner=' || pg_get_userbyid(d.datdba), 'connections', d.datconnlimit,
         'allow=' || d.datallowconn, 'template=' || d.datistemplate, ${ACL("d.datacl", "d", "d.datdba")}) FROM pg_database d`;

/** ALTER DATABASE ... SET is `setting/<name>`, ALTER ROLE ... SET is `setting/role:<role>:<name>`. */
const DATABASE_SETTINGS = `
  SELECT 'setting', '', '', concat_ws(':', CASE WHEN s.setrole <> 0 THEN 'role:' || pg_get_userbyid(s.setrole) END, split_part(one, '=', 1)),
         substr(one, strpos(one, '=') + 1)
    FROM pg_db_role_setting s CROSS JOIN LATERAL unnest(s.setconfig) AS one
   WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))`;

/** What the server's command line sets: `setting/server:<name>`. */
const SERVER_SETTINGS = `
  SELECT 'setting', '', '', 'server:' || name, setting FROM pg_settings WHERE source IN ('command line', 'environment variable')`;

const ROLES = `
  SELECT 'role', '', '', r.rolname::text, concat_ws(' ', CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolcanlogin THEN 'login' END,
         CASE WHEN r.rolcreaterole THEN 'createrole' END, CASE WHEN r.rolcreatedb THEN 'createdb' END,
         CASE WHEN r.rolreplication THEN 'replication' END, CASE WHEN r.rolbypassrls THEN 'bypassrls' END,
         CASE WHEN r.rolinherit THEN 'inherit' END, 'connections', r.rolconnlimit, 'until ' || r.rolvaliduntil::text,
         'member of ' || (SELECT string_agg(one, ',' ORDER BY one) FROM (SELECT concat_ws(' ', g.rolname, CASE WHEN m.admin_option THEN 'with admin' END,
             to_jsonb(m) - ARRAY['oid', 'roleid', 'member', 'grantor', 'admin_option']) AS one
           FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid) AS memberships))
    FROM pg_roles r`;

/** Every definition that makes up a schema. */
export const SCHEMA_QUERIES: readonly string[] = [
  TABLES,
  COLUMNS,
  INDEXES,
  CONSTRAINTS,
  TRIGGERS,
  POLICIES,
  RULES,
  GRANTS,
  COLUMN_GRANTS,
  SEQUENCES,
  VIEWS,
  FUNCTIONS,
  TYPES,
  NAMESPACES,
  EXTENSIONS,
  EVENT_TRIGGERS,
  PUBLICATIONS,
  DATABASES,
  DATABASE_SETTINGS,
  SERVER_SETTINGS,
  ROLES,
  ...CATALOGUE_QUERIES,
];

/**
 * For superusers: what the server's files say (also ALTER SYSTEM before its reload) and digests of stored passwords.
 * A password set again to the same text is stored under a new salt and so shows as a change.
 */
export const SUPERUSER_QUERIES: readonly string[] = [
  `SELECT DISTINCT ON (name) 'setting', '', '', 'server:' || name, setting
     FROM pg_file_settings WHERE name IS NOT NULL ORDER BY name, seqno DESC`,
  `SELECT 'role', '', '', rolname || ':password', left(encode(sha256(convert_to(rolpassword, 'UTF8')), 'hex'), 12)
     FROM pg_authid WHERE rolpassword IS NOT NULL`,
  `SELECT 'setting', '', '', 'server:(error):' || sourceline, error || ' ' || coalesce(name, '') FROM pg_file_settings WHERE error IS NOT NULL`,
  ...SUPERUSER_CATALOGUE_QUERIES,
];

/** For everyone else: the files' settings as in force. */
export const ORDINARY_USER_QUERIES: readonly string[] = [
  `SELECT 'setting', '', '', 'server:' || name, setting FROM pg_settings WHERE source IN ('configuration file', 'global')`,
];
