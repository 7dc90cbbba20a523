import { quoted } from "../state/postgres-rows.ts";
import type { SqlRow } from "../twin.ts";

/** Asks the server's maintenance database: the one that is copied can not be connected to meanwhile. */
export type AskServer = (text: string, params?: readonly unknown[]) => Promise<readonly SqlRow[]>;

/** Statements that give a database what no copy carries; its name stands between the two parts. */
export interface DatabaseProperty {
  readonly before: string;
  readonly after: string;
}

/** Settings whose stored value is a list that is quoted already. */
const LISTS = [
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories",
]
  .map((name) => `'${name}'`)
  .join(", ");

/** Owner, limit, grants and settings of a database: CREATE DATABASE ... TEMPLATE copies none of them. */
const PROPERTIES_SQL = `
  WITH d AS (SELECT * FROM pg_database WHERE datname = $1)
  SELECT 1 AS place, 'ALTER DATABASE' AS before, 'OWNER TO ' || quote_ident(pg_get_userbyid(datdba)) AS after FROM d
  UNION ALL SELECT 2, 'ALTER DATABASE', 'CONNECTION LIMIT ' || datconnlimit FROM d
  UNION ALL SELECT 3, 'REVOKE ALL ON DATABASE', 'FROM PUBLIC' FROM d WHERE datacl IS NOT NULL
  UNION ALL SELECT 3, 'REVOKE ALL ON DATABASE', 'FROM ' || quote_ident(pg_get_userbyid(datdba)) FROM d WHERE datacl IS NOT NULL
  UNION ALL SELECT 4, 'GRANT ' || a.privilege_type || ' ON DATABASE', 'TO ' || coalesce(quote_ident(r.rolname), 'PUBLIC')
         || CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
    FROM d CROSS JOIN LATERAL aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee
  UNION ALL SELECT 5, CASE WHEN s.setrole = 0 THEN 'ALTER DATABASE' ELSE 'ALTER ROLE ' || quote_ident(pg_get_userbyid(s.setrole)) || ' IN DATABASE' END,
         'SET ' || quote_ident(split_part(one, '=', 1)) || ' TO ' ||
         CASE WHEN split_part(one, '=', 1) IN (${LISTS}) THEN substr(one, strpos(one, '=') + 1) ELSE quote_literal(substr(one, strpos(one, '=') + 1)) END
    FROM d JOIN pg_db_role_setting s ON s.setdatabase = d.oid CROSS JOIN LATERAL unnest(s.setconfig) AS one
  ORDER BY 1, 2, 3`;

/** What a copy of this database has to be given. */
export async function propertiesOf(ask: AskServer, database: string): Promise<readonly DatabaseProperty[]> {
  const rows = await ask(PROPERTIES_SQL, [database]);
  return rows.map((row) => ({ before: String(row["before"]), after: String(row["after"]) }));
}

/** Creates `to` as a copy of `from`, to which nobody may be connected; 26 MB take about 0.2 s. */
export async function copyDatabase(
  ask: AskServer,
  copy: { readonly from: string; readonly to: string; readonly properties: readonly DatabaseProperty[] },
): Promise<void> {
  await ask(`CREATE DATABASE ${quoted(copy.to)} TEMPLATE ${quoted(copy.from)}`);
  for (const { before, after } of copy.properties) await ask(`${before} ${quoted(copy.to)} ${after}`);
}

/** Removes a database if it is there, whoever is connected to it. */
export async function dropDatabase(ask: AskServer, database: string): Promise<void> {
  await ask(`DROP DATABASE IF EXISTS ${quoted(database)} WITH (FORCE)`);
}

/** Cuts every connection to a database and refuses new ones. */
export async function refuseConnections(ask: AskServer, database: string): Promise<void> {
  await ask(`ALTER DATABASE ${quoted(database)} WITH ALLOW_CONNECTIONS false`);
  await ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", [database]);
}

/** Lets connections in again. */
export async function allowConnections(ask: AskServer, database: string): Promise<void> {
  await ask(`ALTER DATABASE ${quoted(database)} WITH ALLOW_CONNECTIONS true`);
}

/** Whether the server has this database. */
export async function databaseExists(ask: AskServer, database: string): Promise<boolean> {
  return (await ask("SELECT FROM pg_database WHERE datname = $1", [database])).length > 0;
}
