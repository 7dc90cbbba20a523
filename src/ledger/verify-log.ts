import { sha256Hex } from "../core/sha256.ts";
import { parseEntry } from "./entry.ts";
import { collectFindings, type Finding, type Findings } from "./finding.ts";
import type { Entry } from "./ledger.ts";
import type { NoteVerifier } from "./signed-note.ts";
import { type KnownNote, type SignedRoots, signedRoots } from "./signed-roots.ts";
import type { LedgerStore, LogReader } from "./store.ts";
import { type ChainWalk, missingWords, walkChain } from "./verify-chain.ts";
import { checkIndexes, subtreeWatch } from "./verify-indexes.ts";

/** Entries read at once; many, because each reading is a question to the database. */
const CHUNK = 2048;

/** What was verified, and everything that is wrong. No findings: the log is what was signed, whole. */
export interface Verification {
  readonly origin: string;
  readonly entries: number;
  /** Root that the entries give, hex; absent where entries are missing. */
  readonly root?: string;
  /** Checkpoints whose signature and root were verified. */
  readonly checkpoints: number;
  readonly documents: number;
  readonly findings: readonly Finding[];
  readonly findingsTotal: number;
}

/**
 * Recomputes a log from its entries alone and compares it with everything that was signed or repeats it.
 * @param options.reader - a copy, or a store; of a store also everything that entries are found by is compared
 * @param options.known - checkpoints seen elsewhere: without one a log that was cut short and signed again looks whole
 * @throws CanaryError of `Ledger`, LEDGER_TAMPERED where it can not be read at all
 */
export async function verifyLog(options: {
  readonly reader: LogReader | LedgerStore;
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
  readonly known?: readonly KnownNote[];
  readonly signal: AbortSignal;
}): Promise<Verification> {
  const { reader, origin, signal } = options;
  const findings = collectFindings();
  const signed = signedRoots(origin, options.verifiers, findings);
  const head = signed.add({ note: (await reader.head()).note, from: "the head" });
  for (const known of options.known ?? []) signed.add(known);
  const store = isStore(reader) ? reader : undefined;
  if (store !== undefined) await addKept(store, signed);
  const subtrees = store === undefined ? undefined : subtreeWatch(findings);
  const chain = walkChain({
    findings,
    isWanted: signed.isWanted,
    wanted: signed.compare,
    onSubtree: (height, index, root) => subtrees?.computed(height, index, root),
  });
  const named = new Set<string>();
  // Without a signature its size is only a word, and still says how far to look.
  const size = head?.size ?? (await store?.head())?.size ?? 0;
  for (let from = 0; from < size; from += CHUNK) {
    signal.throwIfAborted();
    const to = Math.min(size, from + CHUNK);
    const rows = (await reader.rows(from, to - from)).filter(({ index }) => index < to);
    const entries = rows.map(chain.take).filter((entry): entry is Entry => entry !== undefined);
    for (const { documents } of entries) for (const sha256 of documents) named.add(sha256);
    if (store !== undefined) await checkIndexes(store, { entries, from, to }, findings);
    if (store !== undefined) await subtrees?.compare(store);
  }
  finishChain(chain, size, findings);
  signed.finish(size);
  if (store !== undefined) {
    await checkEnds(store, chain, findings);
    await subtrees?.compareEnds(store, (await store.head()).size);
    await checkSurplusDocuments(store, { named, size }, findings);
  }
  await checkDocuments(reader, named, findings);
  const root = chain.root();
  return {
    origin,
    entries: size,
    ...(root === undefined ? {} : { root }),
    checkpoints: signed.verified(),
    documents: named.size,
    findings: findings.listed(),
    findingsTotal: findings.total(),
  };
}

function isStore(reader: LogReader | LedgerStore): reader is LedgerStore {
  return "commit" in reader;
}

async function addKept(store: LedgerStore, signed: SignedRoots): Promise<void> {
  for (let from = 0; ; ) {
    const kept = await store.checkpoints(from, CHUNK);
    for (const { size, note } of kept) signed.add({ note, from: `checkpoint ${size} of ${store.description}` });
    const last = kept.at(-1);
    if (last === undefined) return;
    from = last.size + 1;
  }
}

function finishChain(chain: ChainWalk, size: number, findings: Findings): void {
  if (chain.size() < size) findings.add("MISSING", missingWords(chain.size(), size - 1), chain.size());
}

/** What the head repeats, and what is behind it. */
async function checkEnds(store: LedgerStore, chain: ChainWalk, findings: Findings): Promise<void> {
  const [surplus] = await store.rows(chain.size(), 1);
  const head = await store.head();
  if (surplus !== undefined && surplus.index >= head.size) {
    findings.add("SURPLUS", `entry ${surplus.index} is behind the head, which knows ${head.size}`, surplus.index);
  }
  for (const { claim, index } of await store.claimsBetween(head.size, Number.MAX_SAFE_INTEGER)) {
    findings.add("SURPLUS", `${claim} is claimed by entry ${index}, which does not exist`, index);
  }
  for (const { subject, index } of await store.subjectsBetween(head.size, Number.MAX_SAFE_INTEGER)) {
    findings.add("SURPLUS", `entry ${index}, which does not exist, is about ${subject}`, index);
  }
  // A log that is written meanwhile has moved on; its head was compared by every append.
  if (head.size !== chain.size() || chain.root() === undefined) return;
  if (!Buffer.concat(chain.frontier().hashes).equals(head.frontier)) {
    findings.add("INDEX_CHANGED", "the hashes that the head keeps are not those of the entries");
  }
}

async function checkDocuments(reader: LogReader, named: ReadonlySet<string>, findings: Findings): Promise<void> {
  for (const sha256 of named) {
    const bytes = await reader.document(sha256);
    if (bytes === undefined) findings.add("DOCUMENT_MISSING", `document ${sha256} is missing`);
    else if (sha256Hex(bytes) !== sha256) findings.add("DOCUMENT_CHANGED", `document ${sha256} was changed`);
  }
}

async function checkSurplusDocuments(
  store: LedgerStore,
  seen: { readonly named: ReadonlySet<string>; readonly size: number },
  findings: Findings,
): Promise<void> {
  const surplus = new Set<string>();
  for (let after: string | undefined = ""; after !== undefined; ) {
    const digests: readonly string[] = await store.documentDigests(after, CHUNK);
    for (const sha256 of digests) if (!seen.named.has(sha256)) surplus.add(sha256);
    after = digests.at(-1);
  }
  // Entries that came while we were reading may name them.
  for (let from = seen.size; surplus.size > 0; ) {
    const rows = await store.rows(from, CHUNK);
    const last = rows.at(-1);
    if (last === undefined) break;
    from = last.index + 1;
    for (const { bytes } of rows) {
      const parsed = parseEntry(bytes);
      if (parsed.kind === "entry") for (const sha256 of parsed.entry.documents) surplus.delete(sha256);
    }
  }
  for (const sha256 of surplus) findings.add("SURPLUS", `no entry names document ${sha256}`);
}
