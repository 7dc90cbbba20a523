import { randomBytes } from "node:crypto";
import { messageOf } from "../../core/errors.ts";
import { sha256Hex } from "../../core/sha256.ts";
import type { DatabaseRights, TableGrant } from "../../plan/database-rights.ts";
import { quoted } from "../state/postgres-rows.ts";
import type { SqlRow } from "../twin.ts";
import type { DatabaseActor } from "../write-log.ts";
import { type DatabaseAccess, sqlState } from "./database-access.ts";

/** What an actor logs in as. */
export type ActorRole =
  | {
      readonly kind: "own";
      readonly name: string;
      readonly password: string;
      readonly rights: DatabaseActor["rights"];
      /** Settings that the mirror's user has and a new role would not. */
      readonly settings: readonly (readonly [name: string, value: string])[];
      readonly words: string;
    }
  /** The server lets nobody make roles: its transactions still are its own. */
  | { readonly kind: "shared"; readonly words: string };

const NAME_CHARS_MAX = 63;
/** Told by it, a role of ours is removed also by a harness that did not make it. */
const MARK = "made by canary-harness for one action";

/** `canary/<run>/<action>`: what the server, its log and its views call an actor; cut as the server would cut it. */
export function applicationName(actor: Pick<DatabaseActor, "runId" | "actionId">): string {
  return `canary/${actor.runId}/${actor.actionId}`.slice(0, NAME_CHARS_MAX);
}

/** A name that no role of the mirror has. @param number - counts the roles of a twin */
export function roleName(actor: Pick<DatabaseActor, "runId" | "actionId">, number: number): string {
  const action = actor.actionId.replace(/[^a-z0-9]/g, "_");
  return `canary_${sha256Hex(actor.runId).slice(0, 8)}_${number}_${action}`.slice(0, NAME_CHARS_MAX);
}

const OWNER_SQL = `
  SELECT current_setting('server_version_num')::int AS version, (r.rolsuper OR r.rolbypassrls)::text AS bypass,
         (SELECT string_agg(quote_ident(s), ', ') FROM unnest(current_schemas(false)) AS s) AS path,
         (SELECT coalesce(json_agg(json_build_array(split_part(one, '=', 1), substr(one, strpos(one, '=') + 1))), '[]')::text
            FROM pg_db_role_setting d CROSS JOIN LATERAL unnest(d.setconfig) AS one
           WHERE d.setrole = r.oid AND d.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))) AS settings,
         (SELECT coalesce(json_agg(nspname), '[]')::text FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema') AS schemas
    FROM pg_roles r WHERE r.rolname = current_user`;

/** From this version on there are roles that may read or write every row without a grant on any table. */
const VERSION_WITH_DATA_ROLES = 140_000;

/**
 * Makes the role of one actor. With `owner` it is a member of the mirror's user and acts as it, so that what it creates belongs to whom
 * it would belong otherwise; else it holds what it was granted and nothing more.
 * @throws Error when what it was granted can not be given to it: it must not act with more
 */
export async function makeRole(access: DatabaseAccess, actor: DatabaseActor, name: string): Promise<ActorRole> {
  const { user } = access.state;
  const { rights } = actor;
  try {
    const owner = (await access.ask(OWNER_SQL))[0] ?? {};
    const password = randomBytes(24).toString("hex");
    const bypass = rights !== "owner" && owner["bypass"] === "true" ? " BYPASSRLS" : "";
    const make = [
      `CREATE ROLE ${name} LOGIN PASSWORD '${password}'${bypass}`,
      ...grantsTo(name, { rights, user, owner }),
    ];
    await access.ask([...make, `COMMENT ON ROLE ${name} IS '${MARK}'`].join("; "));
    return { kind: "own", name, password, rights, settings: settingsOf(owner, rights), words: wordsOf(rights, user) };
  } catch (cause) {
    if (sqlState(cause) === "") throw cause;
    if (rights !== "owner")
      throw new Error(`the scopes of the action can not be granted: ${messageOf(cause)}`, { cause });
    return { kind: "shared", words: `${user} itself (no role of its own: ${messageOf(cause)})` };
  }
}

/** What gives a role its rights, and no other ones, as statements. */
function grantsTo(
  name: string,
  of: { readonly rights: DatabaseRights; readonly user: string; readonly owner: SqlRow },
): readonly string[] {
  const { rights } = of;
  if (rights === "owner") return [`GRANT ${quoted(of.user)} TO ${name}`];
  if (rights !== "rows") return rights.tables.flatMap((grant) => tableGrants(name, grant));
  if (Number(of.owner["version"]) >= VERSION_WITH_DATA_ROLES)
    return [`GRANT pg_read_all_data, pg_write_all_data TO ${name}`];
  const schemas = JSON.parse(String(of.owner["schemas"] ?? "[]")) as readonly string[];
  return schemas.flatMap((schema) =>
    tableGrants(name, { schema, table: "*", privileges: ["select", "insert", "update", "delete"] }),
  );
}

function tableGrants(name: string, { schema, table, privileges }: TableGrant): readonly string[] {
  const where = quoted(schema);
  const rows = table === "*" ? `ALL TABLES IN SCHEMA ${where}` : `${where}.${quoted(table)}`;
  return [
    `GRANT USAGE ON SCHEMA ${where} TO ${name}`,
    `GRANT ${privileges.join(", ")} ON ${rows} TO ${name}`,
    // A default that counts needs its sequence; the rows of no other table can be reached by it.
    ...(privileges.includes("insert") ? [sequenceGrants(name, { schema, table })] : []),
  ];
}

/** Of the sequences that belong to columns of the table, or of all tables of the schema. */
function sequenceGrants(name: string, { schema, table }: Pick<TableGrant, "schema" | "table">): string {
  if (table === "*") return `GRANT USAGE ON ALL SEQUENCES IN SCHEMA ${quoted(schema)} TO ${name}`;
  const oid = `${literal(`${quoted(schema)}.${quoted(table)}`)}::regclass`;
  return `DO $grant$ DECLARE one regclass; BEGIN
    FOR one IN SELECT d.objid::regclass FROM pg_depend d JOIN pg_class c ON c.oid = d.objid AND c.relkind = 'S'
               WHERE d.refobjid = ${oid} AND d.deptype IN ('a', 'i')
    LOOP EXECUTE format('GRANT USAGE ON SEQUENCE %s TO ${name}', one); END LOOP; END $grant$`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function wordsOf(rights: DatabaseRights, user: string): string {
  if (rights === "owner") return `a role that acts as ${user}`;
  if (rights === "rows") return "a role that may only write rows";
  const grants = rights.tables.map(({ schema, table, privileges }) => `${privileges.join(", ")} on ${schema}.${table}`);
  return grants.length === 0 ? "a role that may do nothing" : `a role that may only ${grants.join("; ")}`;
}

function settingsOf(owner: SqlRow, rights: DatabaseRights): readonly (readonly [string, string])[] {
  const own = JSON.parse(String(owner["settings"] ?? "[]")) as readonly (readonly [string, string])[];
  const kept = own.filter(([name]) => !/^(role|session_authorization|statement_timeout|application_name)$/i.test(name));
  // `"$user"` in a search path means another schema to another role.
  return rights !== "owner" && typeof owner["path"] === "string" ? [...kept, ["search_path", owner["path"]]] : kept;
}

/** Removes roles that a harness left which was killed while an action ran, and ends what still runs as one of them. */
export async function dropForgottenRoles(access: DatabaseAccess): Promise<void> {
  const forgotten = await access.ask(FORGOTTEN_SQL, [MARK]);
  for (const { name } of forgotten) await dropRole(access, String(name));
}

const FORGOTTEN_SQL = `
  SELECT r.rolname::text AS name, (SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.usesysid = r.oid)::text AS ended
    FROM pg_roles r WHERE r.rolname ~ '^canary_[0-9a-f]{8}_[0-9]+_' AND shobj_description(r.oid, 'pg_authid') = $1`;

/** Removes the role and whatever it was granted; what it may have come to own goes to the mirror's user. */
export async function dropRole(access: DatabaseAccess, name: string): Promise<void> {
  const present = await access.ask("SELECT 1 FROM pg_roles WHERE rolname = $1", [name]);
  if (present.length === 0) return;
  const owner = quoted(access.state.user);
  await access.ask(`REASSIGN OWNED BY ${name} TO ${owner}; DROP OWNED BY ${name}; DROP ROLE ${name}`);
}
