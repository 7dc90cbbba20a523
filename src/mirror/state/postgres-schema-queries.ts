// The catalogue of PostgreSQL 12 and later, read as definitions. Each query answers (kind, namespace, parent, name, definition).
// Members of extensions are left out: the extension and its version stand for them.

const OWN = (namespace: string): string =>
  `${namespace}.nspname <> 'information_schema' AND ${namespace}.nspname !~ '^pg_'`;

const NOT_OF_AN_EXTENSION = (catalogue: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = '${catalogue}'::regclass AND d.objid = ${oid} AND d.deptype = 'e')`;

/** Grants as sorted text; a list that was never touched reads like the default it stands for. */
const ACL = (acl: string, kind: string, owner: string): string => `(
  SELECT string_agg(one, ' ' ORDER BY one) FROM (
    SELECT coalesce(r.rolname, 'PUBLIC') || '=' ||
           string_agg(a.privilege_type || CASE WHEN a.is_grantable THEN '*' ELSE '' END, ',' ORDER BY a.privilege_type) AS one
      FROM aclexplode(coalesce(${acl}, acldefault('${kind}', ${owner}))) a LEFT JOIN pg_roles r ON r.oid = a.grantee
     GROUP BY r.rolname) AS grants)`;

const RELATION = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND ${OWN("n")}`;
const RELATION_OWN = `${RELATION} AND ${NOT_OF_AN_EXTENSION("pg_class", "c.oid")}`;

const TABLES = `
  SELECT 'table', n.nspname::text, '', c.relname::text, concat_ws(' ', 'kind=' || c.relkind::text, 'owner=' || pg_get_userbyid(c.relowner),
         'persistence=' || c.relpersistence::text, 'identity=' || c.relreplident::text, 'rls=' || c.relrowsecurity || c.relforcerowsecurity,
         'options=' || c.reloptions::text, pg_get_partkeydef(c.oid), pg_get_expr(c.relpartbound, c.oid))
    FROM ${RELATION_OWN} WHERE c.relkind IN ('r', 'p', 'f')`;

const COLUMNS = `
  SELECT 'column', n.nspname::text, c.relname::text, a.attname::text, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
         CASE WHEN a.attnotnull THEN 'not null' END, 'default ' || pg_get_expr(d.adbin, d.adrelid),
         'identity=' || nullif(a.attidentity::text, ''), 'generated=' || nullif(a.attgenerated::text, ''), 'collate ' || l.collname)
    FROM ${RELATION_OWN} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation AND l.collname <> 'default'
   WHERE c.relkind IN ('r', 'p', 'f')`;

const INDEXES = `
  SELECT 'index', n.nspname::text, c.relname::text, i.relname::text,
         pg_get_indexdef(i.oid) || CASE WHEN x.indisvalid THEN '' ELSE ' INVALID' END
    FROM ${RELATION_OWN} JOIN pg_index x ON x.indrelid = c.oid JOIN pg_class i ON i.oid = x.indexrelid`;

const CONSTRAINTS = `
  SELECT 'constraint', n.nspname::text, c.relname::text, k.conname::text, pg_get_constraintdef(k.oid) ||
         CASE WHEN EXISTS (SELECT FROM pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled = 'D') THEN ' NOT ENFORCED' ELSE '' END
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
         'owner=' || pg_get_userbyid(c.relowner), ${ACL("c.relacl", "s", "c.relowner")})
    FROM ${RELATION_OWN} JOIN pg_sequence s ON s.seqrelid = c.oid`;

const VIEWS = `
  SELECT 'view', n.nspname::text, '', c.relname::text, concat_ws(' ', 'kind=' || c.relkind::text,
         'owner=' || pg_get_userbyid(c.relowner), 'options=' || c.reloptions::text, pg_get_viewdef(c.oid))
    FROM ${RELATION_OWN} WHERE c.relkind IN ('v', 'm')`;

const FUNCTIONS = `
  SELECT 'function', n.nspname::text, '', p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
         concat_ws(' ', CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE 'kind=' || p.prokind::text END,
         'owner=' || pg_get_userbyid(p.proowner), ${ACL("p.proacl", "f", "p.proowner")})
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace AND ${OWN("n")}
   WHERE ${NOT_OF_AN_EXTENSION("pg_proc", "p.oid")}`;

const TYPES = `
  SELECT 'type', n.nspname::text, '', t.typname::text, concat_ws(' ', 'kind=' || t.typtype::text, 'owner=' || pg_get_userbyid(t.typowner),
         CASE WHEN t.typtype = 'd' THEN format_type(t.typbasetype, t.typtypmod) END, 'default ' || t.typdefault,
         CASE WHEN t.typnotnull THEN 'not null' END,
         (SELECT string_agg(quote_literal(e.enumlabel), ',' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid),
         (SELECT string_agg(k.conname || ' ' || pg_get_constraintdef(k.oid), ',' ORDER BY k.conname) FROM pg_constraint k WHERE k.contypid = t.oid),
         (SELECT string_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod), ',' ORDER BY a.attnum)
            FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped))
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace AND ${OWN("n")}
    LEFT JOIN pg_class c ON c.oid = t.typrelid
   WHERE t.typtype IN ('e', 'd', 'r', 'c') AND (t.typrelid = 0 OR c.relkind = 'c') AND ${NOT_OF_AN_EXTENSION("pg_type", "t.oid")}`;

const NAMESPACES = `
  SELECT 'namespace', '', '', n.nspname::text, concat_ws(' ', 'owner=' || pg_get_userbyid(n.nspowner), ${ACL("n.nspacl", "n", "n.nspowner")})
    FROM pg_namespace n WHERE ${OWN("n")}`;

const EXTENSIONS = `SELECT 'extension', '', '', extname::text, extversion FROM pg_extension`;

const EVENT_TRIGGERS = `
  SELECT 'event-trigger', '', '', evtname::text, concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags::text) FROM pg_event_trigger`;

const PUBLICATIONS = `SELECT 'publication', '', '', p.pubname::text, to_jsonb(p)::text FROM
  (SELECT pubname, puballtables, pubinsert, pubupdate, pubdelete, pubtruncate FROM pg_publication) p`;

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
         'member of ' || (SELECT string_agg(g.rolname, ',' ORDER BY g.rolname) FROM pg_auth_members m
           JOIN pg_roles g ON g.oid = m.roleid WHERE m.member = r.oid))
    FROM pg_roles r WHERE r.rolname !~ '^pg_'`;

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
];

/** For everyone else: the files' settings as in force. */
export const ORDINARY_USER_QUERIES: readonly string[] = [
  `SELECT 'setting', '', '', 'server:' || name, setting FROM pg_settings WHERE source IN ('configuration file', 'global')`,
];
