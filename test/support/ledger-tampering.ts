import { expect, test } from "vitest";
import { sha256Hex } from "../../src/core/sha256.ts";
import { signCheckpoint } from "../../src/ledger/checkpoint.ts";
import { entryBytes } from "../../src/ledger/entry.ts";
import type { Entry } from "../../src/ledger/ledger.ts";
import { EMPTY_FRONTIER, leafHash, rootOf, withLeaf } from "../../src/ledger/merkle.ts";
import { codeOf } from "./ledger-contract.ts";
import { findingsIn, type LedgerPlace, ledgerIn, newSigner, someEntries, subjectOf } from "./ledger-place.ts";

const ENTRIES = 300;
const DOCUMENT = Buffer.from("the bytes of a verdict");

/** Everything that somebody who owns the database can do to it, and how verification names it. */
export function tamperingTable(newPlace: () => Promise<LedgerPlace>): void {
  const signer = newSigner();

  /** A log of 300 entries, then whatever an attacker does. */
  async function attacked(
    attack: (place: LedgerPlace, entries: readonly Entry[]) => Promise<unknown>,
  ): Promise<LedgerPlace> {
    const place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    for (let from = 0; from < ENTRIES; from += 64) {
      await ledger.append(someEntries(Math.min(64, ENTRIES - from), from), { documents: [DOCUMENT] });
    }
    const entries = await ledger.entries(0, ENTRIES);
    await ledger[Symbol.asyncDispose]();
    expect(await findingsIn(place, signer)).toEqual([]);
    await attack(place, entries);
    return place;
  }

  const forged = (entry: Entry | undefined): Buffer => {
    if (entry === undefined) throw new Error("there is such an entry");
    return entryBytes({ ...entry, body: { allow: true, number: 4711 } });
  };

  test("a changed entry is named", async () => {
    await using place = await attacked((there, entries) =>
      there.tamper(`UPDATE {schema}entries SET entry = ${there.bytes(forged(entries[17]))} WHERE idx = 17`),
    );
    const findings = await findingsIn(place, signer);
    expect(findings).toContain("CHANGED entry 17 was changed: its hash is not the one recorded beside it");
    expect(findings).toContain("CHAIN_BROKEN entry 18 does not follow from entry 17: one of them was changed");
    expect(findings.filter((finding) => finding.startsWith("FORKED"))).toHaveLength(1);
  });

  test("an entry changed together with its hash breaks the chain and the signed root", async () => {
    await using place = await attacked((there, entries) => {
      const bytes = forged(entries[17]);
      return there.tamper(
        `UPDATE {schema}entries SET entry = ${there.bytes(bytes)}, leaf = ${there.bytes(leafHash(bytes))} WHERE idx = 17`,
      );
    });
    expect((await findingsIn(place, signer)).map((finding) => finding.split(" ")[0])).toEqual([
      "CHAIN_BROKEN",
      "FORKED",
      // The subtree's hash, and the head's.
      "INDEX_CHANGED",
      "INDEX_CHANGED",
    ]);
  });

  test("a history that was rewritten from some entry on, chain and hashes and all, is not what was signed", async () => {
    await using place = await attacked(async (there, entries) => {
      let prev = entries[270]?.prev ?? null;
      for (const entry of entries.slice(270)) {
        const bytes = entryBytes({ ...entry, body: { allow: false }, prev });
        prev = sha256Hex(bytes);
        const changes = `entry = ${there.bytes(bytes)}, leaf = ${there.bytes(leafHash(bytes))}`;
        await there.tamper(`UPDATE {schema}entries SET ${changes} WHERE idx = ${entry.index}`);
      }
    });
    expect(await findingsIn(place, signer)).toEqual(
      [
        "FORKED the first 300 entries are not those that were signed (the head); the first 256 are",
        "INDEX_CHANGED the hashes that the head keeps are not those of the entries",
      ].toSorted(),
    );
    await expect(ledgerIn(place, signer)).rejects.toMatchObject({ code: "LEDGER_TAMPERED" });
  });

  test("the newest entry changed is found as soon as the log is opened", async () => {
    await using place = await attacked((there, entries) => {
      const bytes = forged(entries[299]);
      return there.tamper(
        `UPDATE {schema}entries SET entry = ${there.bytes(bytes)}, leaf = ${there.bytes(leafHash(bytes))} WHERE idx = 299`,
      );
    });
    expect(await codeOf(ledgerIn(place, signer))).toBe("LEDGER_TAMPERED");
  });

  test.each([
    ["one", "idx = 100", "MISSING entry 100 is missing"],
    ["several", "idx BETWEEN 100 AND 120", "MISSING entries 100 to 120 are missing"],
    ["the last", "idx >= 290", "MISSING entries 290 to 299 are missing"],
    ["all", "idx >= 0", "MISSING entries 0 to 299 are missing"],
  ])("missing rows are named: %s", async (_, where, finding) => {
    await using place = await attacked((there) => there.tamper(`DELETE FROM {schema}entries WHERE ${where}`));
    expect(await findingsIn(place, signer)).toContain(finding);
  });

  test("a log set back to its older state is longer in the checkpoints that were kept, and in those that are elsewhere", async () => {
    let newest = "";
    await using place = await attacked(async (there, entries) => {
      [newest] = (await there.sql("SELECT note FROM {schema}head")).map(({ note }) => String(note)) as [string];
      const shorter = entries
        .slice(0, 200)
        .reduce((all, entry) => withLeaf(all, leafHash(entryBytes(entry))), EMPTY_FRONTIER);
      // An old checkpoint and everything that fits it: a restored backup.
      const { note } = signCheckpoint(200, rootOf(shorter), signer);
      for (const table of ["entries", "subjects", "claims"])
        await there.tamper(`DELETE FROM {schema}${table} WHERE idx >= 200`);
      await there.tamper("DELETE FROM {schema}checkpoints WHERE size > 200");
      await there.tamper("DELETE FROM {schema}subtrees");
      await there.tamper(
        `UPDATE {schema}head SET size = 200, note = '${note}', frontier = ${there.bytes(Buffer.concat(shorter.hashes))}`,
      );
    });
    expect(await findingsIn(place, signer)).toEqual([]);
    expect(await findingsIn(place, signer, [{ note: newest, from: "the copy" }])).toEqual([
      "TRUNCATED 300 entries were signed (the copy), and there are 200",
    ]);
  });

  test("two signed checkpoints of one size with different roots are a fork, whoever signed the second", async () => {
    await using place = await attacked(async () => undefined);
    const twin = signCheckpoint(300, leafHash(Buffer.from("another history")), signer);
    expect(await findingsIn(place, signer, [{ note: twin.note, from: "a receipt" }])).toEqual([
      "FORKED two checkpoints of 300 entries have different roots: of the head and of a receipt",
    ]);
    const older = signCheckpoint(150, leafHash(Buffer.from("another history")), signer);
    expect(await findingsIn(place, signer, [{ note: older.note, from: "a receipt" }])).toEqual([
      "FORKED the first 150 entries are not those that were signed (a receipt); the first 0 are",
    ]);
  });

  test("the store takes no second checkpoint of one size", async () => {
    await using place = await attacked(async () => undefined);
    await expect(place.sql("INSERT INTO {schema}checkpoints VALUES (300, 'a'), (300, 'b')")).rejects.toThrow();
  });

  test("a claim that was taken away, so that it can be made again, is named", async () => {
    await using place = await attacked((there) => there.tamper("DELETE FROM {schema}claims WHERE idx = 42"));
    expect(await findingsIn(place, signer)).toEqual([
      "INDEX_CHANGED it can not be found that entry 42 claims promotion:42",
    ]);
  });

  test("a claim without an entry, made to block a promotion, is named", async () => {
    await using place = await attacked((there) =>
      there.sql("INSERT INTO {schema}claims VALUES ('promotion:next', 5000)"),
    );
    expect(await findingsIn(place, signer)).toEqual([
      "SURPLUS promotion:next is claimed by entry 5000, which does not exist",
    ]);
  });

  test("a revocation that can not be found any more, and an approval that never was, are named", async () => {
    await using place = await attacked(async (there) => {
      await there.tamper("DELETE FROM {schema}subjects WHERE idx = 7");
      await there.sql(`INSERT INTO {schema}subjects (idx, subject, kind) VALUES (8, '${subjectOf(7)}', 'approval')`);
    });
    expect(await findingsIn(place, signer)).toEqual([
      `INDEX_CHANGED it can not be found that entry 7 (decision) is about ${subjectOf(7)}`,
      `INDEX_CHANGED nothing says that entry 8 (approval) is about ${subjectOf(7)}`,
    ]);
  });

  test("a changed document is named, and not given out", async () => {
    await using place = await attacked((there) =>
      there.tamper(`UPDATE {schema}documents SET bytes = ${there.bytes(Buffer.from("another verdict"))}`),
    );
    const digest = sha256Hex(DOCUMENT);
    expect(await findingsIn(place, signer)).toEqual([`DOCUMENT_CHANGED document ${digest} was changed`]);
    await using ledger = await ledgerIn(place, signer);
    expect(await codeOf(ledger.document(digest))).toBe("LEDGER_TAMPERED");
  });

  test("a missing document and one that nobody names are named", async () => {
    const stranger = "f".repeat(64);
    await using place = await attacked(async (there) => {
      await there.tamper("DELETE FROM {schema}documents");
      await there.sql(`INSERT INTO {schema}documents VALUES ('${stranger}', ${there.bytes(Buffer.from("x"))})`);
    });
    expect((await findingsIn(place, signer)).toSorted()).toEqual([
      `DOCUMENT_MISSING document ${sha256Hex(DOCUMENT)} is missing`,
      `SURPLUS no entry names document ${stranger}`,
    ]);
  });

  test("an entry behind the head is named, and nothing is appended over it", async () => {
    await using place = await attacked((there) =>
      there.sql(
        `INSERT INTO {schema}entries VALUES (300, ${there.bytes(Buffer.from("{}"))}, ${there.bytes(leafHash(Buffer.from("{}")))})`,
      ),
    );
    expect(await findingsIn(place, signer)).toEqual(["SURPLUS entry 300 is behind the head, which knows 300"]);
    await using ledger = await ledgerIn(place, signer);
    expect(await codeOf(ledger.append(someEntries(1, 300)))).toBe("LEDGER_TAMPERED");
  });

  test("a changed hash of a subtree is named, and no proof is given with it", async () => {
    await using place = await attacked((there) =>
      there.tamper(`UPDATE {schema}subtrees SET hash = ${there.bytes(leafHash(Buffer.from("x")))}`),
    );
    expect(await findingsIn(place, signer)).toEqual([
      "INDEX_CHANGED the stored hash of subtree 1/0 is not that of its entries",
    ]);
    // The newest entry is proven when a log is opened.
    expect(await codeOf(ledgerIn(place, signer))).toBe("LEDGER_TAMPERED");
  });

  test.each([
    ["a signature that does not fit", "replace(note, '300', '301')"],
    ["no signature", "'x'"],
  ])("a head with %s is named, and nothing is appended to it", async (_, note) => {
    await using place = await attacked((there) => there.tamper(`UPDATE {schema}head SET note = ${note}`));
    expect((await findingsIn(place, signer))[0]).toMatch(/^UNSIGNED the checkpoint of the head/);
    expect(await codeOf(ledgerIn(place, signer))).toBe("LEDGER_TAMPERED");
  });

  test("a log that is set back while it is open is noticed at the next append", async () => {
    await using place = await newPlace();
    await using ledger = await ledgerIn(place, signer);
    await ledger.append(someEntries(3));
    const before = await place.sql("SELECT note, frontier FROM {schema}head");
    await ledger.append(someEntries(1, 3));
    const [old] = before;
    const frontier = old?.["frontier"];
    if (!(frontier instanceof Uint8Array)) throw new Error("there is a head");
    for (const table of ["entries", "subjects", "claims"])
      await place.tamper(`DELETE FROM {schema}${table} WHERE idx >= 3`);
    await place.tamper(
      `UPDATE {schema}head SET size = 3, note = '${String(old?.["note"])}', frontier = ${place.bytes(frontier)}`,
    );
    await expect(ledger.append(someEntries(1, 3))).rejects.toThrow(
      /was set back from 4 to 3 entries while it was open/,
    );
    await expect(ledger.head()).rejects.toThrow(/was set back/);
  });
}
