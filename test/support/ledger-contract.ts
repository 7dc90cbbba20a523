import { expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { CanaryError } from "../../src/core/errors.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { entryBytes } from "../../src/ledger/entry.ts";
import { goesOnFrom, openLedger } from "../../src/ledger/open-ledger.ts";
import { checkProof } from "../../src/ledger/tlog-proof.ts";
import {
  appendEach,
  findingsIn,
  type LedgerPlace,
  ledgerIn,
  newSigner,
  ORIGIN,
  someEntries,
  subjectOf,
} from "./ledger-place.ts";

/** The code of what a promise rejects with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return await work.then(
    () => "resolved",
    (error: unknown) => (error instanceof CanaryError ? error.code : String(error)),
  );
}

/** What every store must do; one table, run over each of them. */
export function ledgerContract(newPlace: () => Promise<LedgerPlace>): void {
  const signer = newSigner();

  test("a new log is empty and has a signed checkpoint that says so", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    expect(await ledger.head()).toMatchObject({ origin: ORIGIN, size: 0, root: sha256Hex("") });
    expect(await ledger.entry(0)).toBeUndefined();
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("what was recorded is there after reopening, in order, chained, found by subject, kind and claim", async () => {
    await using place = await newPlace();
    {
      await using ledger = await ledgerIn(place, signer);
      await appendEach(ledger, someEntries(3));
      const [receipt] = await ledger.append([
        { kind: "verdict", at: "2026-11-24T01:00:00.000Z", body: { verdict: "promote" }, about: [subjectOf(1)] },
      ]);
      expect(receipt?.index).toBe(3);
    }
    await using ledger = await ledgerIn(place, signer);
    const entries = await ledger.entries(0, 10);
    expect(entries.map(({ index, kind }) => `${index} ${kind}`)).toEqual([
      "0 decision",
      "1 decision",
      "2 decision",
      "3 verdict",
    ]);
    for (const [at, entry] of entries.entries()) {
      const before = entries[at - 1];
      expect(entry.prev).toBe(before === undefined ? null : sha256Hex(entryBytes(before)));
    }
    expect((await ledger.entriesAbout(subjectOf(1))).map(({ index }) => index)).toEqual([1, 3]);
    expect((await ledger.entriesAbout(subjectOf(1), ["verdict"])).map(({ index }) => index)).toEqual([3]);
    expect(await ledger.entriesAbout(subjectOf(1), [])).toEqual([]);
    expect(await ledger.entriesAbout(subjectOf(99))).toEqual([]);
    expect((await ledger.claimed("promotion:2"))?.index).toBe(2);
    expect(await ledger.claimed("promotion:3")).toBeUndefined();
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("a claim can be taken once; the second whole append is refused and names the first", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(1));
    const again = ledger.append([...someEntries(1, 7), ...someEntries(1)]);
    await expect(again).rejects.toThrow(/promotion:0 was claimed before, by entry 0/);
    expect(await codeOf(ledger.append(someEntries(1)))).toBe("LEDGER_CLAIMED");
    expect((await ledger.head()).size).toBe(1);
    expect(await codeOf(ledger.append([...someEntries(1, 5), ...someEntries(1, 5)]))).toBe("LEDGER_ENTRY_INVALID");
  });

  test("an append is refused whole if something came that it was decided without, also in its own transaction", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    const about = [{ subject: subjectOf(1), kind: "verdict" as const }];
    const came = { kind: "verdict" as const, at: "2026-11-24T10:01:00.000Z", body: {}, about: [subjectOf(1)] };
    const decided = (size: number) =>
      codeOf(ledger.append([{ ...came, kind: "decision", about: [] }], { unless: { size, about } }));
    await ledger.append([came]);
    expect(await decided(0)).toBe("LEDGER_MOVED_ON");
    expect(await decided(1)).toBe("resolved");
    await ledger.append([
      { ...came, kind: "plan" },
      { ...came, about: [subjectOf(2)] },
    ]);
    expect(await decided(1)).toBe("resolved");
    const { size } = await ledger.head();
    const together = await Promise.all([codeOf(ledger.append([came])), decided(size), decided(size + 1)]);
    expect(together).toEqual(["resolved", "LEDGER_MOVED_ON", "resolved"]);
    expect(await decided(size + 1)).toBe("resolved");
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("of many who make one claim at once, through two ledgers, exactly one gets it", async () => {
    await using place = await newPlace();
    await using one = await ledgerIn(place, signer);
    await using other = await ledgerIn(place, signer);
    const answers = await Promise.all(
      Array.from(
        { length: 200 },
        async (_, number) => await codeOf([one, other][number % 2]?.append(someEntries(1)) ?? Promise.reject()),
      ),
    );
    expect(answers.filter((answer) => answer === "resolved")).toHaveLength(1);
    expect(answers.filter((answer) => answer === "LEDGER_CLAIMED")).toHaveLength(199);
    expect((await one.head()).size).toBe(1);
  });

  test("appends of two ledgers on one database follow each other without a gap", async () => {
    await using place = await newPlace();
    await using one = await ledgerIn(place, signer);
    await using other = await ledgerIn(place, signer);
    const at = "2026-11-24T00:00:00.000Z";
    const receipts = await Promise.all(
      Array.from({ length: 300 }, async (_, number) => {
        const ledger = number % 2 === 0 ? one : other;
        return await ledger.append([{ kind: "intent", at, body: { number } }]);
      }),
    );
    expect(
      receipts
        .flat()
        .map(({ index }) => index)
        .toSorted((a, b) => a - b),
    ).toEqual([...Array(300).keys()]);
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("documents are stored with the entry that names them, once, and given back by their digest", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    const bundle = Buffer.from("the bytes of a verdict");
    const [receipt] = await ledger.append(someEntries(1), { documents: [bundle, bundle, Buffer.alloc(0)] });
    await ledger.append(someEntries(1, 1), { documents: [bundle] });
    expect(receipt?.entry.documents).toEqual([sha256Hex(bundle), sha256Hex("")]);
    expect(Buffer.from((await ledger.document(sha256Hex(bundle))) ?? [])).toEqual(bundle);
    expect(await ledger.document(sha256Hex("another"))).toBeUndefined();
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("a document of an append that is refused is not stored", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(1));
    const document = Buffer.from("of nobody");
    expect(await codeOf(ledger.append(someEntries(1), { documents: [document] }))).toBe("LEDGER_CLAIMED");
    expect(await ledger.document(sha256Hex(document))).toBeUndefined();
  });

  test("every entry is proven by a text that needs only the log's public key", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(200));
    await ledger.append(someEntries(200, 200));
    for (const index of [0, 1, 199, 255, 256, 399]) {
      const proof = await ledger.prove(index);
      const checked = checkProof(proof.text, entryBytes(proof.entry), () => [signer]);
      expect(checked).toMatchObject({ kind: "proven", index, checkpoint: { size: 400 } });
      const forged = entryBytes({ ...proof.entry, body: { allow: true, number: 1000 } });
      expect(checkProof(proof.text, forged, () => [signer]).kind).toBe("problem");
      expect(checkProof(proof.text, entryBytes(proof.entry), () => [newSigner()]).kind).toBe("problem");
    }
    expect(await codeOf(ledger.prove(400))).toBe("LEDGER_ENTRY_INVALID");
  });

  test("every checkpoint that was given out is shown to be the beginning of the newest", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    const seen = [await ledger.head()];
    for (let round = 0; round < 6; round += 1) {
      await ledger.append(someEntries(97, round * 97));
      seen.push(await ledger.head());
    }
    for (const checkpoint of seen) expect(await goesOnFrom(ledger, checkpoint)).toBe(true);
    const [, second, third] = seen;
    expect(await goesOnFrom(ledger, { size: second?.size ?? 0, root: third?.root ?? "" })).toBe(false);
    expect(await goesOnFrom(ledger, { size: 10_000, root: third?.root ?? "" })).toBe(false);
  });

  test("a clock that was set back a little records the newest time, one set back further is refused", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    const entry = (at: string) => ({ kind: "intent" as const, at, body: {} });
    await ledger.append([entry("2026-11-24T10:00:00.000Z")]);
    const [behind] = await ledger.append([entry("2026-11-24T09:59:56.000Z")]);
    expect(behind?.entry.at).toBe("2026-11-24T10:00:00.000Z");
    expect(await codeOf(ledger.append([entry("2026-11-24T09:59:54.000Z")]))).toBe("LEDGER_CLOCK_SET_BACK");
    expect((await ledger.head()).at).toBe("2026-11-24T10:00:00.000Z");
  });

  test("one request that is refused does not take those with it that share its transaction", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(1, 50));
    const answers = await Promise.all([
      codeOf(ledger.append(someEntries(1, 51))),
      codeOf(ledger.append(someEntries(1, 50))),
      codeOf(ledger.append(someEntries(1, 2))),
      codeOf(ledger.append(someEntries(1, 52))),
    ]);
    expect(answers).toEqual(["resolved", "LEDGER_CLAIMED", "LEDGER_CLOCK_SET_BACK", "resolved"]);
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test.each([
    "UPDATE {schema}entries SET entry = entry",
    "DELETE FROM {schema}entries WHERE idx = 1",
    "UPDATE {schema}claims SET idx = 2",
    "DELETE FROM {schema}claims",
    "UPDATE {schema}subjects SET kind = 'approval'",
    "DELETE FROM {schema}subjects",
    "UPDATE {schema}documents SET bytes = bytes",
    "DELETE FROM {schema}documents",
    "DELETE FROM {schema}checkpoints",
    "UPDATE {schema}checkpoints SET note = ''",
    "UPDATE {schema}subtrees SET hash = hash",
    "DELETE FROM {schema}subtrees",
    "DELETE FROM {schema}head",
    "UPDATE {schema}head SET size = 1",
    "UPDATE {schema}head SET note = ''",
    "UPDATE {schema}ledger SET origin = 'another'",
  ])("the database itself refuses: %s", async (statement) => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(256), { documents: [Buffer.from("a document")] });
    await expect(place.sql(statement)).rejects.toThrow(/the ledger only grows/);
    expect(await findingsIn(place, signer)).toEqual([]);
  });

  test("a ledger without a key reads and refuses to record", async () => {
    await using place = await newPlace();
    await (await ledgerIn(place, signer))[Symbol.asyncDispose]();
    await using reader = await openLedger({ store: await place.open("read"), clock: systemClock, verifiers: [signer] });
    expect((await reader.head()).size).toBe(0);
    expect(await codeOf(reader.append(someEntries(1)))).toBe("LEDGER_READ_ONLY");
  });

  test("a log is not opened under another name, nor believed with another key", async () => {
    await using place = await newPlace();
    await (await ledgerIn(place, signer))[Symbol.asyncDispose]();
    expect(await codeOf(ledgerIn(place, { ...signer, name: "canary.test/other" }))).toBe("USAGE");
    expect(await codeOf(ledgerIn(place, newSigner()))).toBe("LEDGER_TAMPERED");
  });

  test("a place without a log has none to read", async () => {
    await using place = await newPlace();
    await (await place.open("append"))[Symbol.asyncDispose]();
    const store = await place.open("read");
    expect(await codeOf(openLedger({ store, clock: systemClock, verifiers: [signer] }))).toBe("LEDGER_UNAVAILABLE");
  });

  test("a closed ledger records nothing, and finishes what was under way", async () => {
    await using place = await newPlace();
    const ledger = await ledgerIn(place, signer);
    const underWay = ledger.append(someEntries(5));
    await ledger[Symbol.asyncDispose]();
    expect(await underWay).toHaveLength(5);
    expect(await codeOf(ledger.append(someEntries(1, 9)))).toBe("LEDGER_UNAVAILABLE");
  });
}
