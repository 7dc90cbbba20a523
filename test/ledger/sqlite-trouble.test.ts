import { copyFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { CanaryError } from "../../src/core/errors.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { sqliteError } from "../../src/ledger/sqlite-errors.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import { killWriters } from "../support/killed-writers.ts";
import { codeOf } from "../support/ledger-contract.ts";
import { appendEach, findingsIn, ledgerIn, newSigner, someEntries, sqlitePlace } from "../support/ledger-place.ts";
import { simulatedClock } from "../support/simulated-clock.ts";

const signer = newSigner();

test.each([
  ["removed", (file: string) => rmSync(file)],
  [
    "replaced by another",
    (file: string) => {
      copyFileSync(file, `${file}.other`);
      renameSync(`${file}.other`, file);
    },
  ],
  ["robbed of its write-ahead log", (file: string) => rmSync(`${file}-wal`)],
  ["robbed of the index of its write-ahead log", (file: string) => rmSync(`${file}-shm`)],
])(
  "nothing is recorded in a file that was %s while it was open, and it has no head to decide by",
  async (_, happen) => {
    await using place = await sqlitePlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(1));
    happen(place.file);
    expect(await codeOf(ledger.append(someEntries(1, 1)))).toBe("LEDGER_UNAVAILABLE");
    expect(await codeOf(ledger.head())).toBe("LEDGER_UNAVAILABLE");
  },
);

test("a file that was away and is back is the one that was opened", async () => {
  await using place = await sqlitePlace();
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(1));
  renameSync(place.file, `${place.file}.away`);
  expect(await codeOf(ledger.head())).toBe("LEDGER_UNAVAILABLE");
  renameSync(`${place.file}.away`, place.file);
  expect((await ledger.head()).size).toBe(1);
  expect(await ledger.append(someEntries(1, 1))).toHaveLength(1);
});

test("a folder that does not exist holds no ledger", () => {
  const open = () => openSqliteStore({ file: "/nowhere/at/all/ledger.db", access: "append", clock: systemClock });
  expect(open).toThrow(expect.objectContaining({ code: "LEDGER_UNAVAILABLE" }));
});

test("a file that does not exist is not made by reading it", async () => {
  await using place = await sqlitePlace();
  expect(await codeOf(place.open("read"))).toBe("LEDGER_UNAVAILABLE");
});

test("a file that can only be read refuses to record", async () => {
  await using place = await sqlitePlace();
  await (await ledgerIn(place, signer))[Symbol.asyncDispose]();
  await using ledger = await openLedger({ store: await place.open("read"), clock: systemClock, signer });
  expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_READ_ONLY");
});

test("a file without room is full, and what is in it stays", async () => {
  await using place = await sqlitePlace();
  const database = new DatabaseSync(place.file);
  database.exec("CREATE TABLE filler (bytes BLOB); PRAGMA max_page_count = 10");
  const fill = (): unknown => {
    try {
      for (let page = 0; page < 20; page += 1) database.exec("INSERT INTO filler VALUES (zeroblob(4096))");
      return undefined;
    } catch (error) {
      return error;
    }
  };
  const error = sqliteError(fill(), place.file);
  database.close();
  expect(error).toBeInstanceOf(CanaryError);
  expect(error).toMatchObject({ code: "LEDGER_FULL", exitCode: 20 });
});

test("a database that another process holds is waited for, and then is slow", async () => {
  await using place = await sqlitePlace();
  const clock = simulatedClock();
  await using ledger = await openLedger({
    store: openSqliteStore({ file: place.file, access: "append", clock }),
    clock,
    signer,
  });
  const holder = new DatabaseSync(place.file);
  holder.exec("BEGIN IMMEDIATE");
  expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_SLOW");
  expect((await ledger.head()).size).toBe(0);
  const waiting = ledger.append(someEntries(1));
  clock.at(clock.monotonicMs() + 1000, () => holder.exec("ROLLBACK"));
  expect(await waiting).toHaveLength(1);
  holder.close();
});

test.each([
  ["cut in half", (file: string, size: number) => truncateSync(file, Math.floor(size / 2))],
  ["cut to one page", (file: string) => truncateSync(file, 4096)],
  ["overwritten", (file: string, size: number) => writeFileSync(file, Buffer.alloc(size, 7))],
])("a file that was %s is damaged, and says so", async (_, damage) => {
  await using place = await sqlitePlace();
  {
    await using ledger = await ledgerIn(place, signer);
    for (let from = 0; from < 600; from += 100) await ledger.append(someEntries(100, from));
  }
  damage(place.file, statSync(place.file).size);
  const outcome = await findingsIn(place, signer).catch((error: unknown) => error);
  expect(outcome).toMatchObject({ code: "LEDGER_TAMPERED" });
});

test("a file whose write-ahead log was lost is shorter than what was signed elsewhere", async () => {
  await using place = await sqlitePlace();
  const before = await ledgerIn(place, signer);
  await before.append(someEntries(2));
  await before[Symbol.asyncDispose]();
  const ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(3, 2));
  // The file alone, as of now: everything since the last move of the log into it is missing.
  copyFileSync(place.file, `${place.file}.alone`);
  const { note } = await ledger.head();
  await ledger[Symbol.asyncDispose]();
  copyFileSync(`${place.file}.alone`, place.file);
  const outcome = await findingsIn(place, signer, [{ note, from: "the copy" }]).catch((error: unknown) => error);
  expect(outcome).toEqual(["TRUNCATED 5 entries were signed (the copy), and there are 2"]);
});

test("what fails only when it is committed is not acknowledged, and not there", async () => {
  await using place = await sqlitePlace();
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(1));
  for (const statement of [
    "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
    "CREATE TABLE children (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)",
    "CREATE TRIGGER at_commit AFTER INSERT ON entries BEGIN INSERT INTO children VALUES (NEW.idx); END",
  ]) {
    await place.sql(statement);
  }
  expect(await codeOf(ledger.append(someEntries(1, 1)))).toBe("LEDGER_TAMPERED");
  await place.sql("DROP TRIGGER at_commit");
  expect((await ledger.head()).size).toBe(1);
  await ledger.append(someEntries(1, 1));
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("the file and its companions are for their owner only", async () => {
  await using place = await sqlitePlace();
  await using ledger = await ledgerIn(place, signer);
  await ledger.append(someEntries(1));
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(`${place.file}${suffix}`).mode & 0o077).toBe(0);
});

test("REPLACE, which deletes without asking the triggers of DELETE, is refused too", async () => {
  await using place = await sqlitePlace();
  await using ledger = await ledgerIn(place, signer);
  await appendEach(ledger, someEntries(3));
  for (const statement of [
    "REPLACE INTO entries VALUES (1, x'00', x'00')",
    "INSERT OR REPLACE INTO claims VALUES ('promotion:1', 9)",
    "INSERT OR REPLACE INTO head VALUES (1, 9, x'00', '')",
    "INSERT OR REPLACE INTO checkpoints VALUES (0, 'x')",
  ]) {
    await expect(place.sql(statement)).rejects.toThrow(/the ledger only grows/);
  }
  expect(await findingsIn(place, signer)).toEqual([]);
});

test("nothing that was acknowledged is lost when two writers are killed at any moment under load", async () => {
  await using place = await sqlitePlace();
  await killWriters({ place, address: place.file, rounds: 5, writers: 2, seed: 20261124 });
});
