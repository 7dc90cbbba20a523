import { afterAll, beforeAll } from "vitest";
import { ledgerContract } from "../support/ledger-contract.ts";
import { tamperingTable } from "../support/ledger-tampering.ts";
import { postgresPlace } from "../support/postgres-place.ts";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server[Symbol.asyncDispose]());

ledgerContract(() => postgresPlace(server));
tamperingTable(() => postgresPlace(server));
