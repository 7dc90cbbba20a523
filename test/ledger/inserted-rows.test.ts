import { expect, test } from "vitest";
import { entryBytes, toEntry } from "../../src/ledger/entry.ts";
import type { NewEntry } from "../../src/ledger/ledger.ts";
import { leafHash } from "../../src/ledger/merkle.ts";
import { codeOf } from "../support/ledger-contract.ts";
import {
  appendEach,
  type LedgerPlace,
  ledgerIn,
  newSigner,
  someEntries,
  sqlitePlace,
  subjectOf,
} from "../support/ledger-place.ts";

// Whoever may insert rows, as a gate may in PostgreSQL, and has no key.

const signer = newSigner();

async function insertEntry(place: LedgerPlace, index: number, entry: NewEntry): Promise<void> {
  const bytes = entryBytes(toEntry(entry, { index, at: entry.at, documents: [], prev: "0".repeat(64) }));
  await place.sql(`INSERT INTO entries VALUES (${index}, ${place.bytes(bytes)}, ${place.bytes(leafHash(bytes))})`);
}

test.each([3, 1_000_000])(
  "an entry that was inserted as number %s, behind three that are signed, is read by nobody",
  async (index) => {
    await using place = await sqlitePlace();
    await using ledger = await ledgerIn(place, signer);
    await appendEach(ledger, someEntries(3));
    const claim = "promotion:never";
    await insertEntry(place, index, {
      ...someEntries(1)[0],
      kind: "approval",
      at: "2026-11-25T00:00:00.000Z",
      body: {},
      about: [subjectOf(1)],
      claim,
    });
    await place.sql(`INSERT INTO subjects (idx, subject, kind) VALUES (${index}, '${subjectOf(1)}', 'approval')`);
    await place.sql(`INSERT INTO claims (claim, idx) VALUES ('${claim}', ${index})`);
    const reads = [
      ledger.entry(index),
      ledger.entries(0, 4),
      ledger.entriesAbout(subjectOf(1)),
      ledger.entriesAbout(subjectOf(1), ["approval"]),
      ledger.claimed(claim),
    ];
    expect(await Promise.all(reads.map(codeOf))).toEqual(reads.map(() => "LEDGER_TAMPERED"));
    expect((await ledger.entries(0, 3)).map((entry) => entry.index)).toEqual([0, 1, 2]);
  },
);

test("an entry that can be found by what it is not about, as what it is not or by a claim of another, is not given", async () => {
  await using place = await sqlitePlace();
  await using ledger = await ledgerIn(place, signer);
  await appendEach(ledger, [...someEntries(3), { kind: "drill", at: "2026-11-25T00:00:00.000Z", body: {} }]);
  await place.sql(`INSERT INTO subjects (idx, subject, kind) VALUES (2, '${subjectOf(1)}x', 'decision')`);
  await place.sql(`INSERT INTO subjects (idx, subject, kind) VALUES (2, '${subjectOf(9)}', 'approval')`);
  await place.tamper("INSERT INTO claims (claim, idx) VALUES ('promotion:next', 3)");
  const reads = [
    ledger.entriesAbout(`${subjectOf(1)}x`),
    ledger.entriesAbout(subjectOf(9), ["approval"]),
    ledger.claimed("promotion:next"),
  ];
  expect(await Promise.all(reads.map(codeOf))).toEqual(reads.map(() => "LEDGER_TAMPERED"));
});

test("what another process has appended since is read, however far it is ahead", async () => {
  await using place = await sqlitePlace();
  await using reader = await ledgerIn(place, signer);
  await using writer = await ledgerIn(place, signer);
  await appendEach(writer, someEntries(3));
  expect((await reader.entry(2))?.index).toBe(2);
  await appendEach(writer, someEntries(2, 3));
  expect((await reader.entriesAbout(subjectOf(4))).map(({ index }) => index)).toEqual([4]);
});
