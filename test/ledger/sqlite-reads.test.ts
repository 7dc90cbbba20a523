import { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import { sharedReads } from "../../src/ledger/sqlite-reads.ts";

function opened() {
  const database = new DatabaseSync(":memory:");
  database.exec("CREATE TABLE numbers (n INTEGER) STRICT; INSERT INTO numbers VALUES (7)");
  const seen: boolean[] = [];
  const number = (): unknown => {
    seen.push(database.isTransaction);
    return database.prepare("SELECT n FROM numbers").get()?.["n"];
  };
  return {
    database,
    seen,
    number,
    reads: sharedReads(database),
    [Symbol.dispose]: () => database.isOpen && database.close(),
  };
}

test("reads of one turn are answered out of one transaction, and none stays open", async () => {
  using it = opened();
  expect(await Promise.all([it.reads.read(it.number), it.reads.read(it.number)])).toEqual([7, 7]);
  expect(it.seen).toEqual([true, true]);
  expect(it.database.isTransaction).toBe(false);
  expect(await it.reads.read(it.number)).toBe(7);
});

test("a read that fails fails for whoever asked, and for nobody else", async () => {
  using it = opened();
  const broken = it.reads.read(() => it.database.prepare("SELECT n FROM nowhere").get());
  const [first, second] = await Promise.allSettled([broken, it.reads.read(it.number)]);
  expect(first).toMatchObject({ status: "rejected", reason: { message: expect.stringContaining("nowhere") } });
  expect(second).toEqual({ status: "fulfilled", value: 7 });
});

test("what still waits is answered before the file is closed; what comes after is refused", async () => {
  using it = opened();
  const waiting = it.reads.read(it.number);
  it.reads.finish();
  it.database.close();
  expect(await waiting).toBe(7);
  await expect(it.reads.read(it.number)).rejects.toThrow(/not open/);
});

test("where no transaction can be begun every read is refused, and later ones are answered", async () => {
  using it = opened();
  it.database.exec("BEGIN");
  const both = await Promise.allSettled([it.reads.read(it.number), it.reads.read(it.number)]);
  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  it.database.exec("ROLLBACK");
  expect(await it.reads.read(it.number)).toBe(7);
});
