import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import { systemClock } from "../../src/cli/system.ts";
import type { Ledger, NewEntry } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import type { NoteSigner } from "../../src/ledger/signed-note.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import type { LedgerStore } from "../../src/ledger/store.ts";
import { verifyLog } from "../../src/ledger/verify-log.ts";

export const ORIGIN = "canary.test/ledger";

/** An empty database for one test, and a way round everything that protects it. */
export interface LedgerPlace extends AsyncDisposable {
  readonly open: (access?: "read" | "append") => Promise<LedgerStore>;
  /** Runs SQL as whoever owns the database; `{schema}` becomes what stands before names of tables. @returns rows */
  readonly sql: (statement: string) => Promise<readonly Record<string, unknown>[]>;
  /** The same with everything switched off that refuses changes: the attacker owns the database. */
  readonly tamper: (statement: string) => Promise<void>;
  /** Bytes as a literal. */
  readonly bytes: (value: Uint8Array) => string;
}

export function newSigner(name = ORIGIN): NoteSigner {
  return { name, ...generateKeyPairSync("ed25519") };
}

/** A SQLite file in a folder of its own. */
export async function sqlitePlace(): Promise<LedgerPlace & { readonly file: string }> {
  const folder = await mkdtemp(path.join(tmpdir(), "canary-ledger-"));
  const file = path.join(folder, "ledger.db");
  const run = (statement: string): readonly Record<string, unknown>[] => {
    const database = new DatabaseSync(file, { timeout: 5000 });
    try {
      const prepared = database.prepare(statement.replaceAll("{schema}", ""));
      return prepared.all();
    } finally {
      database.close();
    }
  };
  return {
    file,
    open: async (access = "append") => openSqliteStore({ file, access, clock: systemClock }),
    sql: async (statement) => run(statement),
    tamper: async (statement) => {
      const triggers = run("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'");
      for (const { name } of triggers) run(`DROP TRIGGER ${String(name)}`);
      run(statement);
      for (const { sql } of triggers) run(String(sql));
    },
    bytes: (value) => `x'${Buffer.from(value).toString("hex")}'`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A ledger in a place, with a signer of its own unless one is given. */
export async function ledgerIn(place: LedgerPlace, signer: NoteSigner): Promise<Ledger> {
  return await openLedger({ store: await place.open(), clock: systemClock, signer });
}

/** Findings of a whole verification, as `CODE message`. */
export async function findingsIn(
  place: LedgerPlace,
  signer: NoteSigner,
  known: readonly { readonly note: string; readonly from: string }[] = [],
): Promise<readonly string[]> {
  await using store = await place.open("read");
  const signal = new AbortController().signal;
  const { findings } = await verifyLog({ reader: store, origin: signer.name, verifiers: [signer], known, signal });
  return findings.map(({ code, message }) => `${code} ${message}`);
}

const START_MS = Date.UTC(2026, 10, 24);

/** Entries that differ, a second apart. @param from - number of the first */
export function someEntries(count: number, from = 0): readonly NewEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    kind: "decision",
    at: new Date(START_MS + (from + index) * 1000).toISOString(),
    body: { allow: true, number: from + index },
    about: [subjectOf(from + index)],
    claim: `promotion:${from + index}`,
  }));
}

export function subjectOf(number: number): string {
  return number.toString(16).padStart(64, "0");
}

/** Appends one by one, so that each has a transaction of its own. */
export async function appendEach(ledger: Ledger, entries: readonly NewEntry[]): Promise<void> {
  for (const entry of entries) await ledger.append([entry]);
}
