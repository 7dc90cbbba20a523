import { LIMITS } from "../core/limits.ts";
import { originOf } from "./checkpoint.ts";
import type { Shelf } from "./shelf.ts";
import type { EntryRow, LogReader } from "./store.ts";
import { tampered } from "./tampered.ts";
import { CHECKPOINT_PATH, decodeEntries, documentPath, tileOf } from "./tiles.ts";
import { TILE_WIDTH } from "./tree-paths.ts";

const HASH_BYTES = 32;

/** Reads a log from its copy: what was shipped or exported can be verified without the database it came from. */
export function copyReader(shelf: Shelf): LogReader {
  const note = async (): Promise<string> => {
    const bytes = await shelf.get(CHECKPOINT_PATH);
    return bytes === undefined ? "" : Buffer.from(bytes).toString("utf8");
  };
  let size: Promise<number> | undefined;
  const sizeOfCopy = (): Promise<number> => {
    size ??= note().then((text) => Number(/^[^\n]*\n(\d{1,15})\n/.exec(text)?.[1] ?? 0));
    return size;
  };
  return {
    description: shelf.description,
    origin: async () => originOf(await note()),
    head: async () => ({ note: await note() }),
    rows: async (from, count) => {
      const end = Math.min(from + Math.min(count, LIMITS.ledgerEntriesAboutMax), await sizeOfCopy());
      const rows: EntryRow[] = [];
      for (let at = from; at < end; at += TILE_WIDTH - (at % TILE_WIDTH)) {
        rows.push(
          ...(await tileRows(shelf, at, await sizeOfCopy())).filter(({ index }) => index >= from && index < end),
        );
      }
      return rows;
    },
    hashes: async () => {
      throw tampered(`${shelf.description} is read entry by entry`);
    },
    document: (sha256) => shelf.get(documentPath(sha256)),
  };
}

async function tileRows(shelf: Shelf, index: number, size: number): Promise<readonly EntryRow[]> {
  const [tile, hashTile] = [tileOf("tile/entries", index, size), tileOf("tile/0", index, size)];
  const [bundle, hashes] = [await shelf.get(tile.path), await shelf.get(hashTile.path)];
  if (bundle === undefined || hashes === undefined) return [];
  const entries = decodeEntries(bundle, tile.count);
  if (entries === undefined) throw tampered(`${tile.path} of ${shelf.description} is damaged or truncated`);
  return entries.map((bytes, at) => ({
    index: tile.from + at,
    bytes,
    leaf: hashes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  }));
}
