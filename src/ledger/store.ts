/** Where the log stands, as it is stored. */
export interface StoredHead {
  readonly size: number;
  /** Roots of the complete subtrees at the right edge, 32 bytes each, largest first. */
  readonly frontier: Uint8Array;
  /** The newest checkpoint. */
  readonly note: string;
  /** Bytes of the newest entry; absent while the log is empty. */
  readonly last?: Uint8Array;
}

/** An entry with what it can be found by; the columns beside the bytes only repeat what is in them. */
export interface EntryRow {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly leaf: Uint8Array;
}

/** One digest that an entry is about. */
export interface SubjectRow {
  readonly subject: string;
  readonly kind: string;
  readonly index: number;
}

/** A claim and the entry that holds it. */
export interface ClaimRow {
  readonly claim: string;
  readonly index: number;
}

/** What entries can be found by, as lines: claims by index, then subjects by index and digest. */
export function indexLines(claims: readonly ClaimRow[], subjects: readonly SubjectRow[]): string {
  const lines = claims.map(({ index, claim }) => `${index} claims ${claim}\n`);
  for (const { index, kind, subject } of subjects) lines.push(`${index} ${kind} about ${subject}\n`);
  return lines.join("");
}

/** Root of a complete subtree of 256^level leaves. */
export interface SubtreeRow {
  readonly level: number;
  readonly index: number;
  readonly hash: Uint8Array;
}

export interface DocumentRow {
  readonly sha256: string;
  readonly bytes: Uint8Array;
}

export interface CheckpointRow {
  readonly size: number;
  readonly note: string;
}

/** What one transaction adds. */
export interface Additions {
  readonly head: Omit<StoredHead, "last">;
  readonly entries: readonly EntryRow[];
  readonly subjects: readonly SubjectRow[];
  readonly claims: readonly ClaimRow[];
  readonly subtrees: readonly SubtreeRow[];
  readonly documents: readonly DocumentRow[];
  /** A checkpoint to keep for good, beside the head's. */
  readonly checkpoint?: CheckpointRow;
}

/** What a transaction wants to know before it adds: holders of claims, and what came about digests from an index on. */
export interface CommitQuestions {
  readonly claims: readonly string[];
  readonly since?: { readonly from: number; readonly subjects: readonly string[] };
}

/** The answers; of each digest and kind the newest entry behind `from`, inside the log. */
export interface CommitAnswers {
  readonly taken: ReadonlyMap<string, number>;
  readonly newest: readonly SubjectRow[];
}

/**
 * What a transaction is to add, given where the log stands and the answers to what was asked; called once, while nobody else can
 * append. `undefined` adds nothing.
 */
export type PlanAdditions = (head: StoredHead, answers: CommitAnswers) => Additions | undefined;

/** A place from which a log can be read. Methods throw the `CanaryError`s that `Ledger` names. */
export interface LogReader {
  /** For messages: a file or a database, without credentials. */
  readonly description: string;
  /** The log's name; `undefined` where there is none yet. */
  origin(): Promise<string | undefined>;
  /** Its newest checkpoint. Only a log with a name has one. */
  head(): Promise<{ readonly note: string }>;
  /** At most `count` entries with indexes from `from` on, ascending. */
  rows(from: number, count: number): Promise<readonly EntryRow[]>;
  /** At most `count` hashes of a level, from an index on: level 0 are leaves, level L roots of 256^L of them. */
  hashes(level: number, from: number, count: number): Promise<readonly Uint8Array[]>;
  document(sha256: string): Promise<Uint8Array | undefined>;
}

/** A database that holds one log. It adds and never changes; nothing in it decides anything. */
export interface LedgerStore extends LogReader, AsyncDisposable {
  head(): Promise<StoredHead>;
  /** Gives an empty database its name and first checkpoint; where another was faster, that one counts. @returns the log's name */
  initialise(origin: string, note: string): Promise<string>;
  /**
   * One durable transaction in which the log stands still: resolves when it would survive a power failure.
   * @param questions - what `plan` wants to know
   * @param signal - aborted when nobody waits any more; the connection is then given up
   */
  commit(questions: CommitQuestions, plan: PlanAdditions, signal: AbortSignal): Promise<void>;
  /** Entries about a digest, ascending, at most `count`; of any kind where no kinds are named. */
  about(subject: string, kinds: readonly string[] | undefined, count: number): Promise<readonly EntryRow[]>;
  claimHolder(claim: string): Promise<EntryRow | undefined>;

  /**
   * For verification: claims and subjects of a range of entries, one a line as `indexLines` writes them, in their order. One text
   * is many times cheaper to read and compare than its rows.
   */
  indexText(from: number, to: number): Promise<string>;
  /** For verification: everything that repeats what entries say, by their index, `to` exclusive. */
  subjectsBetween(from: number, to: number): Promise<readonly SubjectRow[]>;
  claimsBetween(from: number, to: number): Promise<readonly ClaimRow[]>;
  /** Kept checkpoints by size, ascending. */
  checkpoints(fromSize: number, count: number): Promise<readonly CheckpointRow[]>;
  /** Digests of stored documents, ascending, that come after one. */
  documentDigests(after: string, count: number): Promise<readonly string[]>;
  /** Level, and index of the last, of stored subtrees. */
  subtreeCounts(): Promise<ReadonlyMap<number, number>>;
}
