import { openCheckpoint } from "./checkpoint.ts";
import { entryDigest, parseEntry } from "./entry.ts";
import type { Head } from "./ledger.ts";
import { type Frontier, frontierLength, rootOf } from "./merkle.ts";
import type { LogPosition } from "./plan-commit.ts";
import type { NoteVerifier } from "./signed-note.ts";
import type { StoredHead } from "./store.ts";
import { tampered } from "./tampered.ts";

const HASH_BYTES = 32;

/** A stored head that was found to be signed, and to go on from what was seen before. */
export interface TrustedHead {
  readonly head: Head;
  readonly position: LogPosition;
}

/** Remembers the newest head it has trusted: a log that was set back to an old state still carries a valid signature. */
export interface HeadWatch {
  /**
   * Reads a head and verifies it.
   * @throws CanaryError LEDGER_TAMPERED when it is not signed, contradicts itself, or is older than what was seen before reading
   */
  readonly read: (from: () => Promise<StoredHead>) => Promise<TrustedHead>;
  /** The same for one that was read while nobody could append. */
  readonly trust: (stored: StoredHead) => TrustedHead;
  /** Tells it what was signed and stored here: it need not be verified, and nothing older may follow. */
  readonly recorded: (head: TrustedHead) => void;
  /** Entries that the newest head it has trusted covers. */
  readonly size: () => number;
}

/** @param verifiers - whose checkpoints of this log are believed */
export function watchHead(origin: string, verifiers: readonly NoteVerifier[]): HeadWatch {
  let newest: TrustedHead | undefined;
  const check = (stored: StoredHead, seen: TrustedHead | undefined): TrustedHead => {
    const isKnown = newest !== undefined && isHead(stored, newest);
    const trusted = isKnown && newest !== undefined ? newest : trustedHead(stored, origin, verifiers);
    if (seen !== undefined) refuseBackwards(seen.head, trusted.head);
    keepNewest(trusted);
    return trusted;
  };
  const keepNewest = (head: TrustedHead): void => {
    if (newest === undefined || head.head.size > newest.head.size) newest = head;
  };
  return {
    read: async (from) => {
      const seen = newest;
      return check(await from(), seen);
    },
    trust: (stored) => check(stored, newest),
    recorded: keepNewest,
    size: () => newest?.head.size ?? 0,
  };
}

function trustedHead(stored: StoredHead, origin: string, verifiers: readonly NoteVerifier[]): TrustedHead {
  const opened = openCheckpoint(stored.note, origin, verifiers);
  if (opened.kind === "problem") throw tampered(`the newest checkpoint of ${origin} ${opened.message}`);
  const { checkpoint } = opened;
  const frontier = frontierOf(stored);
  const root = frontier === undefined ? undefined : rootOf(frontier).toString("hex");
  if (frontier === undefined || checkpoint.size !== stored.size || root !== checkpoint.root) {
    throw tampered(
      `what ${origin} says of its ${stored.size} entries is not what was signed (${checkpoint.size} entries)`,
    );
  }
  if (stored.size === 0) return { head: checkpoint, position: { frontier } };
  const last = stored.last === undefined ? undefined : parseEntry(stored.last);
  if (stored.last === undefined || last?.kind !== "entry" || last.entry.index !== stored.size - 1) {
    throw tampered(`entry ${stored.size - 1} of ${origin}, its newest, is missing or changed`);
  }
  const { at } = last.entry;
  return { head: { ...checkpoint, at }, position: { frontier, last: { at, sha256: entryDigest(stored.last) } } };
}

function refuseBackwards(seen: Head, now: Head): void {
  if (now.size < seen.size) {
    throw tampered(`${now.origin} was set back from ${seen.size} to ${now.size} entries while it was open`);
  }
  if (now.size === seen.size && now.root !== seen.root) {
    throw tampered(`${now.origin} has two checkpoints of ${now.size} entries: its history was forked`);
  }
}

function frontierOf({ size, frontier }: StoredHead): Frontier | undefined {
  if (frontier.byteLength !== frontierLength(size) * HASH_BYTES) return undefined;
  const bytes = Buffer.from(frontier);
  const hashes = Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
  return { size, hashes };
}

/** Byte for byte the head that was trusted, with its newest entry. */
function isHead(stored: StoredHead, { head, position }: TrustedHead): boolean {
  return (
    stored.note === head.note &&
    stored.size === head.size &&
    Buffer.concat(position.frontier.hashes).equals(stored.frontier) &&
    (stored.last === undefined ? undefined : entryDigest(stored.last)) === position.last?.sha256
  );
}
