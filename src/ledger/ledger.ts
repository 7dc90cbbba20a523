/** A value that JSON holds without loss (RFC 8259, and RFC 7493 for numbers and text). */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };
export type JsonObject = { readonly [key: string]: JsonValue };

/** What entries can be about; a new kind of record is a new word here. Readers take any word, so that old ones read new logs. */
export const ENTRY_KINDS = [
  /** A run or drill, an action about to be done or undone, and what became of it (src/core/intent-log.ts). */
  "intent",
  "plan",
  "runbook",
  "verdict",
  "approval",
  "approval-revoked",
  "escalation",
  "hand-over",
  /** An answer of the gate, also one that refuses. */
  "decision",
  /** A change that passed the gate unasked, since its user is exempt. */
  "exemption",
  /** A single-use token was taken. */
  "token-used",
  "kill-switch",
  "key-revoked",
  "policy",
  "drill",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** What is to be recorded. */
export interface NewEntry {
  readonly kind: EntryKind;
  /**
   * When it happened by the caller's clock, ISO 8601 in UTC with milliseconds (`Date.toISOString`). Recorded times never decrease:
   * a time up to `LIMITS.ledgerClockSkewMsMax` behind the newest entry is recorded as that entry's, an earlier one is refused.
   */
  readonly at: string;
  /** At most about 60 kB as canonical JSON; large things are documents. */
  readonly body: JsonObject;
  /** Digests (64 lower-case hex) by which `entriesAbout` finds it: of the plan, the verdict, the approval that it revokes. */
  readonly about?: readonly string[];
  /** A name that may be taken once in the life of the log, e.g. `promotion:<verdict digest>`. */
  readonly claim?: string;
}

/** An entry as it is logged: its canonical JSON (RFC 8785) is the leaf of the Merkle tree. */
export interface Entry {
  readonly schema: "canary.ledger-entry/v1";
  readonly index: number;
  readonly at: string;
  readonly kind: string;
  readonly about: readonly string[];
  readonly claim: string | null;
  /** SHA-256 (hex) of the documents that were stored with it. */
  readonly documents: readonly string[];
  readonly body: JsonObject;
  /** SHA-256 (hex) of the canonical bytes of the entry before it; `null` for the first: a chain that needs no tree to check. */
  readonly prev: string | null;
}

/** A signed statement about the whole log (C2SP tlog-checkpoint). */
export interface Checkpoint {
  readonly origin: string;
  /** Number of entries. */
  readonly size: number;
  /** RFC 6962 root, lower-case hex. */
  readonly root: string;
  /** The signed note, verbatim. */
  readonly note: string;
}

/** The head of the log: its newest checkpoint, and the clock that no later entry may be behind. */
export interface Head extends Checkpoint {
  /** Recorded time of the newest entry; `undefined` while the log is empty. Decide by the later of this and your own clock. */
  readonly at?: string;
}

/** Acknowledgement: the entry is durable (fsynced) and covered by this checkpoint, signed in the same transaction. */
export interface Receipt {
  readonly index: number;
  readonly entry: Entry;
  /** SHA-256 (hex) of the entry's canonical bytes. */
  readonly sha256: string;
  readonly checkpoint: Checkpoint;
}

/** That an entry is in the log. `text` is a C2SP tlog-proof, to be kept beside a verdict as `*.tlog-proof`. */
export interface InclusionProof {
  readonly index: number;
  readonly entry: Entry;
  /** Sibling hashes (hex), from the leaf upwards. */
  readonly hashes: readonly string[];
  readonly checkpoint: Checkpoint;
  readonly text: string;
}

/** That the log at `from` entries is the beginning of the log at the checkpoint. */
export interface ConsistencyProof {
  readonly from: number;
  readonly hashes: readonly string[];
  readonly checkpoint: Checkpoint;
}

export interface AppendOptions {
  /** Bytes stored under their SHA-256 in the same transaction; named in every entry of the batch. */
  readonly documents?: readonly Uint8Array[];
  /** What the batch was decided by: it is refused if an entry about one of these came since. */
  readonly unless?: Since;
}

/** Entries of these kinds about any of these digests, with indexes from `size` on. */
export interface Since {
  readonly size: number;
  readonly about: readonly { readonly subject: string; readonly kind: EntryKind }[];
}

/**
 * An append-only log. Every method throws `CanaryError`: LEDGER_UNAVAILABLE (gone, refused, unknown whether it was recorded),
 * LEDGER_SLOW (no answer in time; it may or may not have been recorded), LEDGER_READ_ONLY, LEDGER_FULL, LEDGER_TAMPERED (what is
 * stored contradicts itself or its signature; nothing more is appended). Any error means: do not act.
 */
export interface Ledger extends AsyncDisposable {
  /** Name of this log, in every checkpoint. */
  readonly origin: string;
  /**
   * Records all of the batch or nothing, and resolves when it is durable. Concurrent calls share a transaction.
   * @throws CanaryError LEDGER_CLAIMED when a claim is taken (the message names the entry, `claimed` gives it), LEDGER_MOVED_ON when
   * something came that `unless` names, LEDGER_ENTRY_INVALID, LEDGER_CLOCK_SET_BACK, and those of `Ledger`
   */
  append(batch: readonly NewEntry[], options?: AppendOptions): Promise<readonly Receipt[]>;
  /** The newest checkpoint. */
  head(): Promise<Head>;
  entry(index: number): Promise<Entry | undefined>;
  /** At most `count` entries from an index on, in order. */
  entries(from: number, count: number): Promise<readonly Entry[]>;
  /**
   * Every entry that names this digest in `about`, in order; with `kinds` only those.
   * @throws CanaryError LEDGER_LIMIT when there are more than `LIMITS.ledgerEntriesAboutMax`: a part would be taken for all
   */
  entriesAbout(subject: string, kinds?: readonly EntryKind[]): Promise<readonly Entry[]>;
  /** The entry that took a claim. */
  claimed(claim: string): Promise<Entry | undefined>;
  /** The bytes of a document, compared with their digest before they are given. */
  document(sha256: string): Promise<Uint8Array | undefined>;
  /** Proof that an entry is in the log, against the newest checkpoint. @throws CanaryError LEDGER_ENTRY_INVALID when there is none */
  prove(index: number): Promise<InclusionProof>;
  /** Proof that the log of `from` entries (0 to the head's size) is the beginning of the newest checkpoint. */
  proveConsistency(from: number): Promise<ConsistencyProof>;
}
