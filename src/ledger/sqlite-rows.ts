import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import type { Additions, CheckpointRow, ClaimRow, EntryRow, LedgerStore, StoredHead, SubjectRow } from "./store.ts";
import { tampered } from "./tampered.ts";

type Row = Record<string, SQLOutputValue>;

/** What can be asked of an open file, synchronously. */
export interface SqliteStatements {
  readonly origin: () => string | undefined;
  readonly head: () => StoredHead;
  readonly rows: (from: number, count: number) => readonly EntryRow[];
  readonly hashes: (level: number, from: number, count: number) => readonly Uint8Array[];
  readonly document: (sha256: string) => Uint8Array | undefined;
  readonly about: (subject: string, kinds: readonly string[] | undefined, count: number) => readonly EntryRow[];
  readonly claimHolder: (claim: string) => EntryRow | undefined;
  readonly taken: (claims: readonly string[]) => ReadonlyMap<string, number>;
  readonly newestAbout: (subjects: readonly string[], from: number) => readonly SubjectRow[];
  readonly indexText: (from: number, to: number) => string;
  readonly subjectsBetween: (from: number, to: number) => readonly SubjectRow[];
  readonly claimsBetween: (from: number, to: number) => readonly ClaimRow[];
  readonly checkpoints: (fromSize: number, count: number) => readonly CheckpointRow[];
  readonly documentDigests: (after: string, count: number) => readonly string[];
  readonly subtreeCounts: () => Awaited<ReturnType<LedgerStore["subtreeCounts"]>>;
  readonly initialise: (origin: string, note: string) => void;
  readonly add: (additions: Additions) => void;
}

/** Prepares every statement once. Reading needs tables; a file without them has no origin and nothing else is asked of it. */
export function sqliteStatements(database: DatabaseSync): SqliteStatements {
  const cache = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const statement = (sql: string) => {
    const prepared = cache.get(sql) ?? database.prepare(sql);
    cache.set(sql, prepared);
    return prepared;
  };
  const all = (sql: string, ...values: readonly (string | number | Uint8Array)[]): readonly Row[] =>
    statement(sql).all(...values);
  const run = (sql: string, ...values: readonly (string | number | Uint8Array)[]): void =>
    void statement(sql).run(...values);
  const hasTables = (): boolean => all("SELECT 1 FROM sqlite_schema WHERE name = 'head'").length > 0;
  const claimHolder = (claim: string): EntryRow | undefined =>
    all("SELECT e.idx, e.entry, e.leaf FROM claims c JOIN entries e ON e.idx = c.idx WHERE c.claim = ?", claim).map(
      entryRow,
    )[0];
  return {
    origin: () => (hasTables() ? all("SELECT origin FROM ledger").map((row) => text(row, "origin"))[0] : undefined),
    head: () => {
      const [row] = all("SELECT h.*, e.entry FROM head h LEFT JOIN entries e ON e.idx = h.size - 1");
      if (row === undefined) throw tampered("the head of the ledger is missing");
      const head = { size: number(row, "size"), frontier: bytes(row, "frontier"), note: text(row, "note") };
      return row["entry"] === null ? head : { ...head, last: bytes(row, "entry") };
    },
    rows: (from, count) =>
      all("SELECT idx, entry, leaf FROM entries WHERE idx >= ? ORDER BY idx LIMIT ?", from, count).map(entryRow),
    hashes: (level, from, count) =>
      level === 0
        ? all("SELECT leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx", from, from + count).map((row) =>
            bytes(row, "leaf"),
          )
        : all(
            "SELECT hash FROM subtrees WHERE level = ? AND idx >= ? AND idx < ? ORDER BY idx",
            level,
            from,
            from + count,
          ).map((row) => bytes(row, "hash")),
    document: (sha256) =>
      all("SELECT bytes FROM documents WHERE sha256 = ?", sha256).map((row) => bytes(row, "bytes"))[0],
    about: (subject, kinds, count) =>
      all(
        `SELECT e.idx, e.entry, e.leaf FROM subjects s JOIN entries e ON e.idx = s.idx WHERE s.subject = ?
         ${kinds === undefined ? "" : `AND s.kind IN (${kinds.map(() => "?").join(", ")})`} ORDER BY s.idx LIMIT ?`,
        subject,
        ...(kinds ?? []),
        count,
      ).map(entryRow),
    claimHolder,
    taken: (claims) => {
      const holders = claims.flatMap((claim) => {
        const [row] = all("SELECT idx FROM claims WHERE claim = ?", claim);
        return row === undefined ? [] : [[claim, number(row, "idx")] as const];
      });
      return new Map(holders);
    },
    newestAbout: (subjects, from) =>
      all(
        `SELECT subject, kind, max(idx) AS idx FROM subjects WHERE subject IN (${subjects.map(() => "?").join(", ")})
         AND idx >= ? AND idx < (SELECT size FROM head) GROUP BY subject, kind`,
        ...subjects,
        from,
      ).map(subjectRow),
    indexText: (from, to) => {
      const [row] = all(
        `SELECT coalesce((SELECT group_concat(idx || ' claims ' || claim || char(10), '' ORDER BY idx)
             FROM claims WHERE idx >= ?1 AND idx < ?2), '')
           || coalesce((SELECT group_concat(idx || ' ' || kind || ' about ' || subject || char(10), '' ORDER BY idx, subject)
             FROM subjects WHERE idx >= ?1 AND idx < ?2), '') AS lines`,
        from,
        to,
      );
      return row === undefined ? "" : text(row, "lines");
    },
    subjectsBetween: (from, to) =>
      all("SELECT * FROM subjects WHERE idx >= ? AND idx < ? ORDER BY idx, subject", from, to).map(subjectRow),
    claimsBetween: (from, to) =>
      all("SELECT * FROM claims WHERE idx >= ? AND idx < ? ORDER BY idx", from, to).map((row) => ({
        claim: text(row, "claim"),
        index: number(row, "idx"),
      })),
    checkpoints: (fromSize, count) =>
      all("SELECT * FROM checkpoints WHERE size >= ? ORDER BY size LIMIT ?", fromSize, count).map((row) => ({
        size: number(row, "size"),
        note: text(row, "note"),
      })),
    documentDigests: (after, count) =>
      all("SELECT sha256 FROM documents WHERE sha256 > ? ORDER BY sha256 LIMIT ?", after, count).map((row) =>
        text(row, "sha256"),
      ),
    subtreeCounts: () =>
      new Map(
        all("SELECT level, max(idx) AS newest FROM subtrees GROUP BY level").map((row) => [
          number(row, "level"),
          number(row, "newest"),
        ]),
      ),
    initialise: (origin, note) => {
      if (all("SELECT 1 FROM ledger").length > 0) return;
      run("INSERT INTO ledger VALUES (1, 'canary.ledger/v1', ?)", origin);
      run("INSERT INTO head VALUES (1, 0, ?, ?)", new Uint8Array(0), note);
      run("INSERT INTO checkpoints VALUES (0, ?)", note);
    },
    add: ({ head, entries, subjects, claims, subtrees, documents, checkpoint }) => {
      for (const row of entries) run("INSERT INTO entries VALUES (?, ?, ?)", row.index, row.bytes, row.leaf);
      for (const row of subjects) run("INSERT INTO subjects VALUES (?, ?, ?)", row.index, row.subject, row.kind);
      for (const row of claims) run("INSERT INTO claims VALUES (?, ?)", row.claim, row.index);
      for (const row of subtrees) run("INSERT INTO subtrees VALUES (?, ?, ?)", row.level, row.index, row.hash);
      for (const row of documents) {
        const isThere = all("SELECT 1 FROM documents WHERE sha256 = ?", row.sha256).length > 0;
        if (!isThere) run("INSERT INTO documents VALUES (?, ?)", row.sha256, row.bytes);
      }
      if (checkpoint !== undefined) run("INSERT INTO checkpoints VALUES (?, ?)", checkpoint.size, checkpoint.note);
      run("UPDATE head SET size = ?, frontier = ?, note = ?", head.size, head.frontier, head.note);
    },
  };
}

function subjectRow(row: Row): SubjectRow {
  return { subject: text(row, "subject"), kind: text(row, "kind"), index: number(row, "idx") };
}

function entryRow(row: Row): EntryRow {
  return { index: number(row, "idx"), bytes: bytes(row, "entry"), leaf: bytes(row, "leaf") };
}

function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value === "number") return value;
  throw tampered(`a ${column} of the ledger is no number`);
}

function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value === "string") return value;
  throw tampered(`a ${column} of the ledger is no text`);
}

function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (value instanceof Uint8Array) return value;
  throw tampered(`a ${column} of the ledger is no bytes`);
}
