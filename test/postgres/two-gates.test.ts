import { afterAll, beforeAll, expect, test } from "vitest";
import { raceGates } from "../gate/race-gates.ts";
import { findingsIn, ledgerIn, newSigner } from "../support/ledger-place.ts";
import { postgresPlace } from "../support/postgres-place.ts";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";

let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("two gates on one PostgreSQL never admit the same verdict twice", async () => {
  const place = await postgresPlace(server);
  const signer = newSigner();
  await using ledgers = new AsyncDisposableStack();
  const both = [ledgers.use(await ledgerIn(place, signer)), ledgers.use(await ledgerIn(place, signer))] as const;
  const report = await raceGates({ ledgers: both, verdicts: 20, triesEach: 50 });
  expect(report.offences).toEqual([]);
  expect(report.admitted).toBeGreaterThan(0);
  expect(await findingsIn(place, signer)).toEqual([]);
});
