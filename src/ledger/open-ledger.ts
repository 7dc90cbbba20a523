import type { Clock } from "../core/clock.ts";
import { CanaryError } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { checkNewEntry, invalidEntry, parseEntry } from "./entry.ts";
import { groupCommit } from "./group-commit.ts";
import type { AppendOptions, Entry, InclusionProof, Ledger, NewEntry } from "./ledger.ts";
import { EMPTY_ROOT, isConsistent, isIncluded, leafHash } from "./merkle.ts";
import { type AppendOutcome, type AppendRequest, type PlannedCommit, planCommit, questionsOf } from "./plan-commit.ts";
import type { NoteSigner, NoteVerifier } from "./signed-note.ts";
import type { EntryRow, LedgerStore } from "./store.ts";
import { tampered } from "./tampered.ts";
import { proofText } from "./tlog-proof.ts";
import { consistencyPath, inclusionPath, type ReadHashes } from "./tree-paths.ts";
import { type HeadWatch, watchHead } from "./trusted-head.ts";

export interface LedgerOptions {
  readonly store: LedgerStore;
  readonly clock: Clock;
  /** Signs checkpoints; its name is the log's. Without it the log can only be read. */
  readonly signer?: NoteSigner;
  /** Whose checkpoints are believed, besides the signer's: keys of the past, of other gates. Named like the log. */
  readonly verifiers?: readonly NoteVerifier[];
}

/**
 * Opens the log of a store, which it then owns; an empty one becomes a new log where there is a signer. Its newest checkpoint and
 * entry are verified; `verifyLog` verifies everything.
 * @throws CanaryError LEDGER_TAMPERED | LEDGER_UNAVAILABLE | LEDGER_READ_ONLY
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  await using opening = new AsyncDisposableStack();
  const store = opening.use(options.store);
  const { signer, clock } = options;
  const origin = await originOfStore(store, signer);
  const watch = watchHead(origin, [...(signer === undefined ? [] : [signer]), ...(options.verifiers ?? [])]);
  const opened = await watch.read(() => store.head());
  if (opened.head.size > 0) await proven(store, opened.head.size - 1, watch);
  const commit = async (group: readonly AppendRequest[], signal: AbortSignal): Promise<readonly AppendOutcome[]> => {
    let planned: PlannedCommit | undefined;
    invariant(signer !== undefined, "only a signer appends");
    await store.commit(
      questionsOf(group),
      (stored, answers) => {
        planned = planCommit(group, watch.trust(stored).position, answers, signer);
        return planned.additions;
      },
      signal,
    );
    invariant(planned !== undefined, "a transaction was planned");
    if (planned.head !== undefined) watch.recorded({ head: planned.head, position: planned.position });
    return planned.outcomes;
  };
  const signed = async (rows: readonly EntryRow[]): Promise<readonly Entry[]> => {
    const newest = rows.reduce((index, row) => Math.max(index, row.index), -1);
    // Another process may have appended since: the head that is read after the rows covers them.
    const size = newest < watch.size() ? watch.size() : (await watch.read(() => store.head())).head.size;
    if (newest >= size) throw tampered(`entry ${newest} of ${origin} was not appended: ${size} entries are signed`);
    return rows.map(entryOf);
  };
  const appends = groupCommit(commit, clock);
  const owned = opening.move();
  return {
    origin,
    append: async (batch, appendOptions) => {
      if (signer === undefined) throw readOnly(origin);
      return await appends.add(requestOf(batch, appendOptions));
    },
    head: async () => (await watch.read(() => store.head())).head,
    entry: async (index) => {
      const [row] = await store.rows(index, 1);
      return row?.index === index ? (await signed([row]))[0] : undefined;
    },
    entries: async (from, count) => await signed(await store.rows(from, Math.min(count, LIMITS.ledgerEntriesAboutMax))),
    entriesAbout: async (subject, kinds) => {
      const rows = await store.about(subject, kinds, LIMITS.ledgerEntriesAboutMax + 1);
      if (rows.length > LIMITS.ledgerEntriesAboutMax) throw tooMany(subject);
      const entries = await signed(rows);
      const other = entries.find((entry) => !isAbout(entry, subject, kinds));
      if (other !== undefined) throw tampered(`entry ${other.index} is found by what it does not say, ${subject}`);
      return entries;
    },
    claimed: async (claim) => {
      const row = await store.claimHolder(claim);
      const [entry] = await signed(row === undefined ? [] : [row]);
      if (entry !== undefined && entry.claim !== claim)
        throw tampered(`entry ${entry.index} is found by a claim that it does not make, ${claim}`);
      return entry;
    },
    document: async (sha256) => {
      const bytes = await store.document(sha256);
      if (bytes !== undefined && sha256Hex(bytes) !== sha256) throw tampered(`document ${sha256} was changed`);
      return bytes;
    },
    prove: (index) => proven(store, index, watch),
    proveConsistency: async (from) => {
      const { head } = await watch.read(() => store.head());
      if (!Number.isSafeInteger(from) || from < 0 || from > head.size)
        throw invalidEntry(`there are no ${from} entries yet`);
      const hashes = await consistencyPath(hashesOf(store), from, head.size);
      return { from, hashes: hashes.map((hash) => hash.toString("hex")), checkpoint: head };
    },
    [Symbol.asyncDispose]: async () => {
      await appends.close();
      await owned.disposeAsync();
    },
  };
}

async function originOfStore(store: LedgerStore, signer: NoteSigner | undefined): Promise<string> {
  const there = await store.origin();
  if (there === undefined && signer === undefined) {
    throw new CanaryError({
      code: "LEDGER_UNAVAILABLE",
      message: `there is no ledger in ${store.description}`,
      hint: "It is made by the first command that records something in it.",
    });
  }
  if (signer === undefined) return there ?? "";
  const origin = there ?? (await store.initialise(signer.name, signCheckpoint(0, EMPTY_ROOT, signer).note));
  if (origin === signer.name) return origin;
  throw new CanaryError({
    code: "USAGE",
    message: `the ledger in ${store.description} is ${origin}, not ${signer.name}`,
    hint: "Give the name that it has, or another place.",
  });
}

/** A proof is checked before it is given: one that fails says that rows were changed. */
async function proven(store: LedgerStore, index: number, watch: HeadWatch): Promise<InclusionProof> {
  const { at: _at, ...checkpoint } = (await watch.read(() => store.head())).head;
  if (!Number.isSafeInteger(index) || index < 0 || index >= checkpoint.size)
    throw invalidEntry(`there is no entry ${index}`);
  const [row] = await store.rows(index, 1);
  if (row?.index !== index) throw tampered(`entry ${index} of ${checkpoint.origin} is missing`);
  const entry = entryOf(row);
  const hashes = await inclusionPath(hashesOf(store), index, checkpoint.size);
  const root = Buffer.from(checkpoint.root, "hex");
  if (!isIncluded({ leaf: leafHash(row.bytes), index, size: checkpoint.size, hashes, root })) {
    throw tampered(`entry ${index} of ${checkpoint.origin} is not what was signed`);
  }
  const text = proofText(index, hashes, checkpoint);
  return { index, entry, hashes: hashes.map((hash) => hash.toString("hex")), checkpoint, text };
}

/** Whether a checkpoint that was seen elsewhere belongs to the history of this log. */
export async function goesOnFrom(
  ledger: Ledger,
  seen: { readonly size: number; readonly root: string },
): Promise<boolean> {
  const head = await ledger.head();
  if (seen.size > head.size) return false;
  const proof = await ledger.proveConsistency(seen.size);
  return isConsistent({
    from: { size: seen.size, root: Buffer.from(seen.root, "hex") },
    to: { size: proof.checkpoint.size, root: Buffer.from(proof.checkpoint.root, "hex") },
    hashes: proof.hashes.map((hash) => Buffer.from(hash, "hex")),
  });
}

/** @throws CanaryError LEDGER_TAMPERED from the reader when hashes are missing */
function hashesOf(store: LedgerStore): ReadHashes {
  return async (level, from, count) => {
    const hashes = await store.hashes(level, from, count);
    if (hashes.length !== count) throw tampered(`hashes of level ${level} from ${from} on are missing`);
    return hashes.map((hash) => Buffer.from(hash));
  };
}

function requestOf(batch: readonly NewEntry[], options: AppendOptions | undefined): AppendRequest {
  const documents = options?.documents ?? [];
  if (batch.length === 0 || batch.length > LIMITS.ledgerBatchMax) {
    throw invalidEntry(`a batch has 1 to ${LIMITS.ledgerBatchMax} entries, not ${batch.length}`);
  }
  if (documents.length > LIMITS.ledgerDocumentsMax) {
    throw invalidEntry(`an append has at most ${LIMITS.ledgerDocumentsMax} documents, not ${documents.length}`);
  }
  const large = documents.find(({ byteLength }) => byteLength > LIMITS.ledgerDocumentBytesMax);
  if (large !== undefined) {
    throw invalidEntry(`a document has at most ${LIMITS.ledgerDocumentBytesMax} bytes, not ${large.byteLength}`);
  }
  for (const entry of batch) checkNewEntry(entry);
  const claims = batch.flatMap(({ claim }) => (claim === undefined ? [] : [claim]));
  if (new Set(claims).size < claims.length) throw invalidEntry("the batch makes a claim twice");
  // The caller may go on using its objects; what was checked is what is recorded.
  const unless = options?.unless === undefined ? {} : { unless: structuredClone(options.unless) };
  return { batch: structuredClone(batch), documents: documents.map((bytes) => Uint8Array.from(bytes)), ...unless };
}

/** Indexes only repeat what entries say: one that says more would let an entry count for what it is not about. */
function isAbout({ about, kind }: Entry, subject: string, kinds: readonly string[] | undefined): boolean {
  return about.includes(subject) && (kinds === undefined || kinds.includes(kind));
}

/** What is read is what was recorded, as far as one row shows: whoever changed both of its columns is found by `verifyLog`. */
function entryOf(row: EntryRow): Entry {
  if (!leafHash(row.bytes).equals(row.leaf)) {
    throw tampered(`entry ${row.index} was changed: its hash is not the one recorded beside it`);
  }
  const parsed = parseEntry(row.bytes);
  if (parsed.kind === "problem") throw tampered(`entry ${row.index} ${parsed.message}`);
  if (parsed.entry.index !== row.index)
    throw tampered(`entry ${parsed.entry.index} stands in the place of ${row.index}`);
  return parsed.entry;
}

function readOnly(origin: string): CanaryError {
  return new CanaryError({
    code: "LEDGER_READ_ONLY",
    message: `${origin} was opened without a signing key`,
    hint: "Nothing was recorded.",
  });
}

function tooMany(subject: string): CanaryError {
  return new CanaryError({
    code: "LEDGER_LIMIT",
    message: `more than ${LIMITS.ledgerEntriesAboutMax} entries are about ${subject}`,
    hint: "Ask for fewer kinds; what is about so much can not be admitted.",
  });
}
