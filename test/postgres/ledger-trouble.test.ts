import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { openPostgresStore } from "../../src/ledger/postgres-store.ts";
import { killWriters } from "../support/killed-writers.ts";
import { codeOf } from "../support/ledger-contract.ts";
import { findingsIn, ledgerIn, newSigner, someEntries } from "../support/ledger-place.ts";
import { postgresPlace } from "../support/postgres-place.ts";
import { type PostgresServer, startPostgresServer } from "../support/postgres-server.ts";

const signer = newSigner();
let server: PostgresServer;
beforeAll(async () => {
  server = await startPostgresServer();
});
afterAll(() => server[Symbol.asyncDispose]());

test("a server that dies makes the ledger unavailable; when it is back the ledger goes on, and nothing is lost", async () => {
  const place = await postgresPlace(server);
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(3));
  await server.crash();
  expect(await codeOf(ledger.append(someEntries(1, 3)))).toBe("LEDGER_UNAVAILABLE");
  expect(await codeOf(ledger.head())).toBe("LEDGER_UNAVAILABLE");
  await server.start();
  await ledger.append(someEntries(1, 4));
  expect((await ledger.entries(0, 10)).map(({ claim }) => claim)).toEqual([
    "promotion:0",
    "promotion:1",
    "promotion:2",
    "promotion:4",
  ]);
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("a server that stops answering is slow, and what waited may be recorded or not, which a claim tells", async () => {
  const place = await postgresPlace(server);
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(1));
  await server.freeze();
  const answer = await codeOf(ledger.append(someEntries(1, 1)));
  await server.thaw();
  expect(answer).toBe("LEDGER_SLOW");
  await ledger.append(someEntries(1, 2));
  const size = (await ledger.head()).size;
  expect(size).toBe((await ledger.claimed("promotion:1")) === undefined ? 2 : 3);
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("another session that holds the head makes it slow, not wrong", async () => {
  const place = await postgresPlace(server);
  await using ledger = await ledgerIn(place, signer);
  const holding = server.query(
    place.url,
    "BEGIN; SELECT 1 FROM canary_ledger.head FOR UPDATE; SELECT pg_sleep(7); COMMIT",
  );
  await server.query(place.url, "SELECT pg_sleep(0.5)");
  expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_SLOW");
  await holding;
  await ledger.append(someEntries(1));
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("a database that takes no writes refuses to record", async () => {
  const place = await postgresPlace(server);
  await (await ledgerIn(place, signer))[Symbol.asyncDispose]();
  const name = new URL(place.url).pathname.slice(1);
  await server.query(place.url, `ALTER DATABASE ${name} SET default_transaction_read_only = on`);
  await using ledger = await ledgerIn(place, signer);
  expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_READ_ONLY");
});

test("a server without room is full", async () => {
  const place = await postgresPlace(server);
  await using ledger = await ledgerIn(place, signer);
  // The server's own words for it, from a trigger: a disk can not be filled in a test.
  await server.query(
    place.url,
    `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
     CREATE TRIGGER full_disk BEFORE INSERT ON canary_ledger.entries FOR EACH ROW EXECUTE FUNCTION full_disk()`,
  );
  expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_FULL");
  await server.query(place.url, "DROP TRIGGER full_disk ON canary_ledger.entries");
  await ledger.append(someEntries(1));
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("what fails only when it is committed is not acknowledged, and not there", async () => {
  const place = await postgresPlace(server);
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(1));
  await server.query(
    place.url,
    `CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'disk_full'; END $$;
     CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON canary_ledger.entries
       DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit()`,
  );
  expect(await codeOf(ledger.append(someEntries(1, 1)))).toBe("LEDGER_FULL");
  await server.query(place.url, "DROP TRIGGER at_commit ON canary_ledger.entries");
  expect((await ledger.head()).size).toBe(1);
  expect(await ledger.claimed("promotion:1")).toBeUndefined();
});

test("a server that does not flush what it acknowledges is not used", async () => {
  await using careless = await startPostgresServer(["fsync = off"]);
  const place = await postgresPlace(careless);
  await expect(place.open()).rejects.toThrow(/fsync or full_page_writes off/);
});

test("an address that is none, or leads nowhere, is said without its password", async () => {
  const wrong = await openPostgresStore({ url: "secret-password", access: "read" }).catch((error: unknown) => error);
  expect(wrong).toMatchObject({ code: "USAGE" });
  const nowhere = "postgres://gate:secret-password@127.0.0.1:1/ledger";
  const gone = await openPostgresStore({ url: nowhere, access: "read" }).catch((error: unknown) => error);
  expect(gone).toMatchObject({ code: "LEDGER_UNAVAILABLE" });
  expect(JSON.stringify([String(wrong), wrong, String(gone), gone])).not.toContain("secret");
});

test("the rights in docs/ledger.md let a gate append, and neither it nor a reader change anything", async () => {
  const place = await postgresPlace(server);
  await (await ledgerIn(place, signer))[Symbol.asyncDispose]();
  const rights = /```sql rights\n([\s\S]*?)```/.exec(readFileSync("docs/ledger.md", "utf8"))?.[1] ?? "";
  await server.query(place.url, rights);
  const as = (role: string): string => place.url.replace("//owner@", `//${role}@`);
  const store = await openPostgresStore({ url: as("canary_gate"), access: "append" });
  await using gate = await openLedger({ store, clock: systemClock, signer });
  await gate.append(someEntries(256), { documents: [Buffer.from("a verdict")] });
  for (const statement of [
    "UPDATE canary_ledger.entries SET leaf = leaf",
    "DELETE FROM canary_ledger.claims",
    "TRUNCATE canary_ledger.subjects",
    "UPDATE canary_ledger.ledger SET origin = 'x'",
    "DELETE FROM canary_ledger.head",
    "ALTER TABLE canary_ledger.entries DISABLE TRIGGER ALL",
    "DROP TRIGGER refuse_change ON canary_ledger.entries",
    "DROP TABLE canary_ledger.documents",
    "SET session_replication_role = replica",
    "CREATE TABLE canary_ledger.more (id int)",
    "CREATE OR REPLACE FUNCTION canary_ledger.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$",
  ]) {
    await expect(server.query(as("canary_gate"), statement), statement).rejects.toThrow(
      /permission denied|must be owner/,
    );
    await expect(server.query(as("canary_reader"), statement), statement).rejects.toThrow(
      /permission denied|must be owner/,
    );
  }
  await using reader = await openLedger({
    store: await openPostgresStore({ url: as("canary_reader"), access: "read" }),
    clock: systemClock,
    signer,
  });
  expect((await reader.head()).size).toBe(256);
  expect(await codeOf(reader.append(someEntries(1, 256)))).toBe("LEDGER_READ_ONLY");
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("of 10,000 tries from four ledgers to claim 100 things, each thing is claimed once", async () => {
  const place = await postgresPlace(server);
  const ledgers = await Promise.all(Array.from({ length: 4 }, () => ledgerIn(place, signer)));
  const answers = await Promise.all(
    Array.from({ length: 10_000 }, async (_, number) => {
      const [entry] = someEntries(1, number % 100);
      const ledger = ledgers[Math.floor(number / 100) % 4];
      if (entry === undefined || ledger === undefined) throw new Error("there are four ledgers");
      return await codeOf(ledger.append([{ ...entry, at: "2026-11-24T12:00:00.000Z" }]));
    }),
  );
  expect(answers.filter((answer) => answer === "resolved")).toHaveLength(100);
  expect(answers.filter((answer) => answer === "LEDGER_CLAIMED")).toHaveLength(9_900);
  expect(await findingsIn(place, signer)).toEqual([]);
  await Promise.all(ledgers.map((ledger) => ledger[Symbol.asyncDispose]()));
});

test("nothing that was acknowledged is lost when writers are killed under load", async () => {
  const place = await postgresPlace(server);
  await killWriters({ place, address: place.url, rounds: 3, writers: 2, seed: 7 });
});

test("nothing that was acknowledged is lost when the server dies at any moment under load", async () => {
  const place = await postgresPlace(server);
  await killWriters({ place, address: place.url, rounds: 5, writers: 1, seed: 11, server });
});
