import { openPostgresStore } from "../../src/ledger/postgres-store.ts";
import type { LedgerPlace } from "./ledger-place.ts";
import type { PostgresServer } from "./postgres-server.ts";

/** An empty database on a server of ours. */
export async function postgresPlace(server: PostgresServer): Promise<LedgerPlace & { readonly url: string }> {
  const url = await server.newDatabase();
  const inSchema = (statement: string): string => statement.replaceAll("{schema}", "canary_ledger.");
  return {
    url,
    open: (access = "append") => openPostgresStore({ url, access }),
    sql: (statement) => server.query(url, inSchema(statement)),
    tamper: async (statement) => {
      await server.query(url, `SET session_replication_role = replica; ${inSchema(statement)}`);
    },
    bytes: (value) => `'\\x${Buffer.from(value).toString("hex")}'::bytea`,
    // Databases go with their server.
    [Symbol.asyncDispose]: async () => undefined,
  };
}
