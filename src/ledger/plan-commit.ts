import { CanaryError } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { signCheckpoint } from "./checkpoint.ts";
import { entryBytes, entryDigest, toEntry } from "./entry.ts";
import type { Entry, Head, NewEntry, Receipt, Since } from "./ledger.ts";
import { type Frontier, leafHash, rootOf, withLeaf } from "./merkle.ts";
import type { NoteSigner } from "./signed-note.ts";
import type { Additions, CommitAnswers, CommitQuestions, DocumentRow, SubjectRow, SubtreeRow } from "./store.ts";
import { TILE_WIDTH } from "./tree-paths.ts";

/** One append that waits for a transaction. */
export interface AppendRequest {
  readonly batch: readonly NewEntry[];
  readonly documents: readonly Uint8Array[];
  readonly unless?: Since;
}

/** Where the log stands, after its signature was checked. */
export interface LogPosition {
  readonly frontier: Frontier;
  /** Recorded time and digest of the newest entry; absent while the log is empty. */
  readonly last?: { readonly at: string; readonly sha256: string };
}

/** What became of one request. */
export type AppendOutcome =
  | { readonly kind: "recorded"; readonly receipts: readonly Receipt[] }
  | { readonly kind: "refused"; readonly error: CanaryError };

/** What a transaction adds for many requests, each of them wholly or not at all. */
export interface PlannedCommit {
  readonly outcomes: readonly AppendOutcome[];
  /** Absent where every request was refused. */
  readonly additions?: Additions;
  readonly head?: Head;
  readonly position: LogPosition;
}

type Placed = { readonly entry: Entry; readonly bytes: Buffer; readonly leaf: Buffer; readonly sha256: string };

/** What must be known of the log to plan a commit of these requests. */
export function questionsOf(requests: readonly AppendRequest[]): CommitQuestions {
  const claims = requests.flatMap(({ batch }) => batch.flatMap(({ claim }) => (claim === undefined ? [] : [claim])));
  const decided = requests.flatMap(({ unless }) => (unless === undefined ? [] : [unless]));
  const subjects = new Set(decided.flatMap(({ about }) => about.map(({ subject }) => subject)));
  const from = Math.min(...decided.map(({ size }) => size));
  return { claims, ...(subjects.size === 0 ? {} : { since: { from, subjects: [...subjects] } }) };
}

/** Puts requests in their order behind the log, refuses those that it does not take, and signs the result. */
export function planCommit(
  requests: readonly AppendRequest[],
  from: LogPosition,
  { taken, newest }: CommitAnswers,
  signer: NoteSigner,
): PlannedCommit {
  const holders = new Map(taken);
  const recorded: SubjectRow[] = [...newest];
  const subtrees: SubtreeRow[] = [];
  const documents = new Map<string, DocumentRow>();
  let position = from;
  const placed = requests.map((request) => {
    const refusal = refusalOf(request, position, { holders, recorded });
    if (refusal !== undefined) return { refusal };
    const stored = request.documents.map((bytes) => ({ sha256: sha256Hex(bytes), bytes }));
    for (const document of stored) documents.set(document.sha256, document);
    const entries = request.batch.map((entry) => {
      const next = place(entry, position, [...new Set(stored.map(({ sha256 }) => sha256))]);
      const { index, kind, about, claim } = next.entry;
      if (claim !== null) holders.set(claim, index);
      recorded.push(...about.map((subject) => ({ subject, kind, index })));
      position = {
        frontier: withLeaf(position.frontier, next.leaf, (height, index, hash) => {
          if (height % 8 === 0) subtrees.push({ level: height / 8, index, hash });
        }),
        last: { at: next.entry.at, sha256: next.sha256 },
      };
      return next;
    });
    return { entries };
  });
  const entries = placed.flatMap((request) => request.entries ?? []);
  if (entries.length === 0) {
    return { outcomes: placed.map(({ refusal }) => ({ kind: "refused", error: known(refusal) })), position };
  }
  const checkpoint = signCheckpoint(position.frontier.size, rootOf(position.frontier), signer);
  return {
    outcomes: placed.map(({ entries, refusal }) =>
      entries === undefined
        ? { kind: "refused", error: known(refusal) }
        : {
            kind: "recorded",
            receipts: entries.map(({ entry, sha256 }) => ({ index: entry.index, entry, sha256, checkpoint })),
          },
    ),
    position,
    head: { ...checkpoint, ...(position.last === undefined ? {} : { at: position.last.at }) },
    additions: {
      head: { size: checkpoint.size, frontier: Buffer.concat(position.frontier.hashes), note: checkpoint.note },
      entries: entries.map(({ entry, bytes, leaf }) => ({ index: entry.index, bytes, leaf })),
      subjects: entries.flatMap(({ entry: { about, kind, index } }) =>
        about.map((subject) => ({ subject, kind, index })),
      ),
      claims: entries.flatMap(({ entry: { claim, index } }) => (claim === null ? [] : [{ claim, index }])),
      subtrees,
      documents: [...documents.values()],
      ...(isKept(from.frontier.size, checkpoint.size) ? { checkpoint } : {}),
    },
  };
}

/** One checkpoint for every full tile is kept: enough to say between which of them a change lies, few enough to verify all. */
function isKept(before: number, after: number): boolean {
  return Math.floor(before / TILE_WIDTH) !== Math.floor(after / TILE_WIDTH);
}

function place(entry: NewEntry, after: LogPosition, documents: readonly string[]): Placed {
  const last = after.last;
  const whole = toEntry(entry, {
    index: after.frontier.size,
    at: last === undefined || entry.at > last.at ? entry.at : last.at,
    documents,
    prev: last?.sha256 ?? null,
  });
  const bytes = entryBytes(whole);
  return { entry: whole, bytes, leaf: leafHash(bytes), sha256: entryDigest(bytes) };
}

function refusalOf(
  { batch, unless }: AppendRequest,
  { last }: LogPosition,
  { holders, recorded }: { readonly holders: ReadonlyMap<string, number>; readonly recorded: readonly SubjectRow[] },
): CanaryError | undefined {
  const names = batch.flatMap(({ claim }) => (claim === undefined ? [] : [claim]));
  const held = names.find((name) => holders.has(name));
  if (held !== undefined) {
    return new CanaryError({
      code: "LEDGER_CLAIMED",
      message: `${held} was claimed before, by entry ${holders.get(held)}`,
      hint: "What may happen once has happened. Nothing was recorded.",
    });
  }
  const since = unless === undefined ? undefined : cameSince(unless, recorded);
  if (since !== undefined) {
    return new CanaryError({
      code: "LEDGER_MOVED_ON",
      message: `entry ${since.index}, a ${since.kind}, came after this was decided`,
      hint: "Decide again with what was recorded. Nothing was recorded.",
    });
  }
  const oldest = batch.reduce((earliest, { at }) => (at < earliest ? at : earliest), last?.at ?? "");
  if (last === undefined || Date.parse(last.at) - Date.parse(oldest) <= LIMITS.ledgerClockSkewMsMax) return undefined;
  return new CanaryError({
    code: "LEDGER_CLOCK_SET_BACK",
    message: `this entry is of ${oldest}, and the ledger has one of ${last.at}`,
    hint: "A clock was set back, or one was ahead when it wrote. Nothing was recorded; set the clock of this machine.",
  });
}

function cameSince({ size, about }: Since, recorded: readonly SubjectRow[]): SubjectRow | undefined {
  return recorded.find(
    (row) => row.index >= size && about.some(({ subject, kind }) => subject === row.subject && kind === row.kind),
  );
}

function known(refusal: CanaryError | undefined): CanaryError {
  invariant(refusal !== undefined, "what was not recorded was refused");
  return refusal;
}
