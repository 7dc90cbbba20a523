import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import { openCheckpoint } from "./checkpoint.ts";
import { parseEntry } from "./entry.ts";
import type { Checkpoint } from "./ledger.ts";
import { EMPTY_ROOT, isConsistent } from "./merkle.ts";
import type { Shelf } from "./shelf.ts";
import type { NoteVerifier } from "./signed-note.ts";
import type { LogReader } from "./store.ts";
import { tampered } from "./tampered.ts";
import { CHECKPOINT_PATH, documentPath, encodeEntries, entryTiles, hashTiles, type Tile } from "./tiles.ts";
import { consistencyPath } from "./tree-paths.ts";

/** A log, and who may sign for it. */
export interface Shipment {
  readonly from: LogReader;
  readonly origin: string;
  readonly verifiers: readonly NoteVerifier[];
  readonly to: Shelf;
}

/** What one round of shipping did. */
export interface Shipped {
  readonly from: number;
  readonly checkpoint: Checkpoint;
}

/**
 * Brings a copy up to the newest checkpoint. The copy's own checkpoint is the cursor: it is written last, so that whatever is
 * interrupted is done again, and nothing is left out. The log must go on from what the copy has: a fork or a truncation is refused,
 * and the copy keeps what it had.
 * @throws CanaryError LEDGER_TAMPERED | LEDGER_UNAVAILABLE and those of `Ledger`
 */
export async function shipOnce(shipment: Shipment): Promise<Shipped> {
  const { from, to } = shipment;
  const newest = opened((await from.head()).note, shipment, "the newest checkpoint");
  const there = await to.get(CHECKPOINT_PATH);
  const copied =
    there === undefined
      ? undefined
      : opened(Buffer.from(there).toString("utf8"), shipment, `the checkpoint in ${to.description}`);
  await refuseOtherHistory(shipment, copied, newest);
  const copiedSize = copied?.size ?? 0;
  const sent = new Set<string>();
  for (const tile of entryTiles(copiedSize, newest.size)) await shipEntries(shipment, { tile, copiedSize, sent });
  for (const { level, ...tile } of hashTiles(copiedSize, newest.size)) {
    const hashes = await from.hashes(level, tile.from, tile.count);
    if (hashes.length !== tile.count) throw tampered(`hashes of level ${level} from ${tile.from} on are missing`);
    await to.put(tile.path, Buffer.concat(hashes));
  }
  await to.put(CHECKPOINT_PATH, Buffer.from(newest.note));
  return { from: copiedSize, checkpoint: newest };
}

/** What is told about shipping that goes on. */
export type ShippingEvent =
  | { readonly kind: "shipped"; readonly from: number; readonly size: number }
  | { readonly kind: "failed"; readonly message: string; readonly againInMs: number };

/** Longest pause between two attempts while a copy can not be reached. */
const BACKOFF_MS_MAX = 60_000;

/**
 * Ships again and again until aborted; trouble is told and tried again, less and less often. Resolves when aborted.
 * @throws CanaryError LEDGER_TAMPERED: a copy of another history is for people to look at, not to be tried again
 */
export async function shipContinuously(
  shipment: Shipment,
  options: { readonly clock: Clock; readonly everyMs: number; readonly onEvent: (event: ShippingEvent) => void },
  signal: AbortSignal,
): Promise<void> {
  let pauseMs = options.everyMs;
  while (!signal.aborted) {
    try {
      const { from, checkpoint } = await shipOnce(shipment);
      pauseMs = options.everyMs;
      if (checkpoint.size > from) options.onEvent({ kind: "shipped", from, size: checkpoint.size });
    } catch (error) {
      if (error instanceof Error && "code" in error && error.code === "LEDGER_TAMPERED") throw error;
      pauseMs = Math.min(BACKOFF_MS_MAX, pauseMs * 2);
      options.onEvent({ kind: "failed", message: messageOf(error), againInMs: pauseMs });
    }
    await options.clock.sleep(pauseMs, signal).catch(() => undefined);
  }
}

/** Documents first: an entry in a copy names nothing that is not there. @param part.sent - documents of this round */
async function shipEntries(
  shipment: Shipment,
  part: { readonly tile: Tile; readonly copiedSize: number; readonly sent: Set<string> },
): Promise<void> {
  const { from, to } = shipment;
  const { tile, copiedSize, sent } = part;
  const rows = await from.rows(tile.from, tile.count);
  if (rows.length !== tile.count) {
    throw tampered(`entries from ${tile.from} to ${tile.from + tile.count - 1} are not all there`);
  }
  for (const row of rows) {
    if (row.index < copiedSize) continue;
    const parsed = parseEntry(row.bytes);
    if (parsed.kind === "problem") throw tampered(`entry ${row.index} ${parsed.message}`);
    const documents = parsed.entry.documents.filter((sha256) => !sent.has(sha256));
    for (const sha256 of documents) {
      await shipDocument(shipment, sha256, row.index);
      sent.add(sha256);
    }
  }
  await to.put(tile.path, encodeEntries(rows.map(({ bytes }) => bytes)));
}

async function shipDocument({ from, to }: Shipment, sha256: string, index: number): Promise<void> {
  const document = await from.document(sha256);
  if (document === undefined) throw tampered(`document ${sha256} of entry ${index} is missing`);
  await to.put(documentPath(sha256), document);
}

async function refuseOtherHistory(
  { from, to }: Shipment,
  copied: Checkpoint | undefined,
  newest: Checkpoint,
): Promise<void> {
  if (copied === undefined) return;
  if (copied.size > newest.size) {
    throw tampered(
      `the copy in ${to.description} has ${copied.size} entries, and this log only ${newest.size}: it was truncated or set back`,
    );
  }
  const read = async (level: number, first: number, count: number): Promise<readonly Buffer[]> =>
    (await from.hashes(level, first, count)).map((hash) => Buffer.from(hash));
  const hashes = await consistencyPath(read, copied.size, newest.size);
  const root = (checkpoint: Checkpoint): Buffer =>
    checkpoint.size === 0 ? EMPTY_ROOT : Buffer.from(checkpoint.root, "hex");
  const isSame = isConsistent({
    from: { size: copied.size, root: root(copied) },
    to: { size: newest.size, root: root(newest) },
    hashes,
  });
  if (isSame) return;
  throw tampered(
    `the copy in ${to.description} and this log have different first ${copied.size} entries: the history was forked`,
  );
}

function opened(note: string, { origin, verifiers }: Shipment, what: string): Checkpoint {
  const read = openCheckpoint(note, origin, verifiers);
  if (read.kind === "problem") throw tampered(`${what} ${read.message}`);
  return read.checkpoint;
}
