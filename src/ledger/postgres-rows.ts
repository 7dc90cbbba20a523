import { z } from "zod";
import type { Additions, CheckpointRow, ClaimRow, EntryRow, StoredHead, SubjectRow } from "./store.ts";
import { tampered } from "./tampered.ts";

/** A question with its parameters, and how its rows are read. */
export interface Statement<T> {
  readonly text: string;
  readonly values: unknown[];
  readonly read: (rows: readonly unknown[]) => T;
}

const Whole = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER);
const Bytes = z.instanceof(Uint8Array);
const HeadRow = z.object({ size: Whole, frontier: Bytes, note: z.string(), entry: Bytes.nullable() });
const Entry = z.object({ idx: Whole, entry: Bytes, leaf: Bytes });

/** The log's name, if it has one. */
export function origin(): Statement<string | undefined> {
  const row = z.object({ origin: z.string() });
  return ask("SELECT origin FROM canary_ledger.ledger", [], (rows) => read(row, rows)[0]?.origin);
}

export function head(): Statement<StoredHead> {
  const text =
    "SELECT h.size, h.frontier, h.note, e.entry FROM canary_ledger.head h LEFT JOIN canary_ledger.entries e ON e.idx = h.size - 1";
  return ask(text, [], (rows) => {
    const [row] = read(HeadRow, rows);
    if (row === undefined) throw tampered("the head of the ledger is missing");
    const { entry, ...stored } = row;
    return entry === null ? stored : { ...stored, last: entry };
  });
}

/** Until the transaction ends, nobody else appends. */
export function lockHead(): Statement<void> {
  return ask("SELECT 1 FROM canary_ledger.head FOR UPDATE", [], () => undefined);
}

export function entries(from: number, count: number): Statement<readonly EntryRow[]> {
  return ask(
    "SELECT idx, entry, leaf FROM canary_ledger.entries WHERE idx >= $1 ORDER BY idx LIMIT $2",
    [from, count],
    entryRows,
  );
}

export function hashes(level: number, from: number, count: number): Statement<readonly Uint8Array[]> {
  const row = z.object({ hash: Bytes });
  const column =
    level === 0
      ? "leaf AS hash FROM canary_ledger.entries WHERE $3::int = 0"
      : "hash FROM canary_ledger.subtrees WHERE level = $3";
  return ask(`SELECT ${column} AND idx >= $1 AND idx < $2 ORDER BY idx`, [from, from + count, level], (rows) =>
    read(row, rows).map(({ hash }) => hash),
  );
}

export function document(sha256: string): Statement<Uint8Array | undefined> {
  const row = z.object({ bytes: Bytes });
  return ask(
    "SELECT bytes FROM canary_ledger.documents WHERE sha256 = $1",
    [sha256],
    (rows) => read(row, rows)[0]?.bytes,
  );
}

export function about(
  subject: string,
  kinds: readonly string[] | undefined,
  count: number,
): Statement<readonly EntryRow[]> {
  const text = `SELECT e.idx, e.entry, e.leaf FROM canary_ledger.subjects s JOIN canary_ledger.entries e ON e.idx = s.idx
    WHERE s.subject = $1 AND ($2::text[] IS NULL OR s.kind = ANY($2)) ORDER BY s.idx LIMIT $3`;
  return ask(text, [subject, kinds ?? null, count], entryRows);
}

export function claimHolder(claim: string): Statement<EntryRow | undefined> {
  const text =
    "SELECT e.idx, e.entry, e.leaf FROM canary_ledger.claims c JOIN canary_ledger.entries e ON e.idx = c.idx WHERE c.claim = $1";
  return ask(text, [claim], (rows) => entryRows(rows)[0]);
}

/** Which of these claims are taken, and by which entry. */
export function taken(claims: readonly string[]): Statement<ReadonlyMap<string, number>> {
  return ask("SELECT claim, idx FROM canary_ledger.claims WHERE claim = ANY($1)", [claims], (rows) => {
    return new Map(claimRows(rows).map(({ claim, index }) => [claim, index]));
  });
}

/** Of each digest and kind the newest entry from an index on, as far as the log reaches. */
export function newestAbout(subjects: readonly string[], from: number): Statement<readonly SubjectRow[]> {
  const text = `SELECT subject, kind, max(idx) AS idx FROM canary_ledger.subjects WHERE subject = ANY($1)
    AND idx >= $2 AND idx < (SELECT size FROM canary_ledger.head) GROUP BY subject, kind`;
  return ask(text, [subjects, from], subjectRows);
}

export function indexText(from: number, to: number): Statement<string> {
  const text = `SELECT coalesce((SELECT string_agg(idx || ' claims ' || claim || E'\\n', '' ORDER BY idx)
      FROM canary_ledger.claims WHERE idx >= $1 AND idx < $2), '')
    || coalesce((SELECT string_agg(idx || ' ' || kind || ' about ' || subject || E'\\n', '' ORDER BY idx, subject)
      FROM canary_ledger.subjects WHERE idx >= $1 AND idx < $2), '') AS lines`;
  const row = z.object({ lines: z.string() });
  return ask(text, [from, to], (rows) => read(row, rows)[0]?.lines ?? "");
}

export function subjectsBetween(from: number, to: number): Statement<readonly SubjectRow[]> {
  return ask(
    "SELECT idx, subject, kind FROM canary_ledger.subjects WHERE idx >= $1 AND idx < $2 ORDER BY idx, subject",
    [from, to],
    subjectRows,
  );
}

export function claimsBetween(from: number, to: number): Statement<readonly ClaimRow[]> {
  return ask(
    "SELECT claim, idx FROM canary_ledger.claims WHERE idx >= $1 AND idx < $2 ORDER BY idx",
    [from, to],
    claimRows,
  );
}

export function checkpoints(fromSize: number, count: number): Statement<readonly CheckpointRow[]> {
  const row = z.object({ size: Whole, note: z.string() });
  return ask(
    "SELECT size, note FROM canary_ledger.checkpoints WHERE size >= $1 ORDER BY size LIMIT $2",
    [fromSize, count],
    (rows) => read(row, rows),
  );
}

export function documentDigests(after: string, count: number): Statement<readonly string[]> {
  const row = z.object({ sha256: z.string() });
  return ask(
    "SELECT sha256 FROM canary_ledger.documents WHERE sha256 > $1 ORDER BY sha256 LIMIT $2",
    [after, count],
    (rows) => read(row, rows).map(({ sha256 }) => sha256),
  );
}

export function subtreeCounts(): Statement<ReadonlyMap<number, number>> {
  const row = z.object({ level: Whole, newest: Whole });
  return ask("SELECT level, max(idx) AS newest FROM canary_ledger.subtrees GROUP BY level", [], (rows) => {
    return new Map(read(row, rows).map(({ level, newest }) => [level, newest]));
  });
}

/** Name, empty head and first checkpoint in one statement; where they are there, nothing. */
export function initialise(name: string, note: string): Statement<void> {
  const text = `WITH named AS (
      INSERT INTO canary_ledger.ledger VALUES (1, 'canary.ledger/v1', $1) ON CONFLICT DO NOTHING RETURNING id),
    headed AS (INSERT INTO canary_ledger.head SELECT id, 0, '', $2 FROM named)
    INSERT INTO canary_ledger.checkpoints SELECT 0, $2 FROM named`;
  return ask(text, [name, note], () => undefined);
}

/** Everything that one transaction adds, in two statements at most: each is a way to the server and back. */
export function additions(added: Additions): readonly Statement<void>[] {
  const { head: next, entries: rows, subjects, claims, subtrees, checkpoint } = added;
  const text = `WITH
    new_entries AS (INSERT INTO canary_ledger.entries
      SELECT * FROM unnest($1::bigint[], $2::bytea[], $3::bytea[])),
    new_subjects AS (INSERT INTO canary_ledger.subjects
      SELECT * FROM unnest($4::bigint[], $5::text[], $6::text[])),
    new_claims AS (INSERT INTO canary_ledger.claims
      SELECT * FROM unnest($7::text[], $8::bigint[])),
    new_subtrees AS (INSERT INTO canary_ledger.subtrees
      SELECT * FROM unnest($9::smallint[], $10::bigint[], $11::bytea[])),
    new_checkpoints AS (INSERT INTO canary_ledger.checkpoints
      SELECT * FROM unnest($12::bigint[], $13::text[]))
    UPDATE canary_ledger.head SET size = $14, frontier = $15, note = $16`;
  const kept = checkpoint === undefined ? [] : [checkpoint];
  const values = [
    rows.map(({ index }) => index),
    rows.map(({ bytes }) => buffer(bytes)),
    rows.map(({ leaf }) => buffer(leaf)),
    subjects.map(({ index }) => index),
    subjects.map(({ subject }) => subject),
    subjects.map(({ kind }) => kind),
    claims.map(({ claim }) => claim),
    claims.map(({ index }) => index),
    subtrees.map(({ level }) => level),
    subtrees.map(({ index }) => index),
    subtrees.map(({ hash }) => buffer(hash)),
    kept.map(({ size }) => size),
    kept.map(({ note }) => note),
    next.size,
    buffer(next.frontier),
    next.note,
  ];
  return [...documents(added), ask(text, values, () => undefined)];
}

function documents({ documents: rows }: Additions): readonly Statement<void>[] {
  if (rows.length === 0) return [];
  const text =
    "INSERT INTO canary_ledger.documents SELECT * FROM unnest($1::text[], $2::bytea[]) ON CONFLICT (sha256) DO NOTHING";
  return [ask(text, [rows.map(({ sha256 }) => sha256), rows.map(({ bytes }) => buffer(bytes))], () => undefined)];
}

function ask<T>(text: string, values: unknown[], reading: (rows: readonly unknown[]) => T): Statement<T> {
  return { text, values, read: reading };
}

function entryRows(rows: readonly unknown[]): readonly EntryRow[] {
  return read(Entry, rows).map(({ idx, entry, leaf }) => ({ index: idx, bytes: entry, leaf }));
}

function subjectRows(rows: readonly unknown[]): readonly SubjectRow[] {
  const row = z.object({ idx: Whole, subject: z.string(), kind: z.string() });
  return read(row, rows).map(({ idx, ...rest }) => ({ index: idx, ...rest }));
}

function claimRows(rows: readonly unknown[]): readonly ClaimRow[] {
  return read(z.object({ claim: z.string(), idx: Whole }), rows).map(({ claim, idx }) => ({ claim, index: idx }));
}

/** Rows are somebody else's word as long as they are in a database that others can write. */
function read<T>(schema: z.ZodType<T>, rows: readonly unknown[]): readonly T[] {
  const result = z.array(schema).safeParse(rows);
  if (result.success) return result.data;
  throw tampered(`a row of the ledger is malformed: ${z.prettifyError(result.error)}`, result.error);
}

/** The driver takes a Uint8Array for a bytea only as a Buffer. */
function buffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
