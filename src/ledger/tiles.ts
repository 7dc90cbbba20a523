import { invariant } from "../core/invariant.ts";
import { LIMITS } from "../core/limits.ts";
import { TILE_WIDTH } from "./tree-paths.ts";

// The layout of a log as static files: C2SP tlog-tiles. Whatever reads that reads ours; `documents/` is an addition.

/** Where the newest checkpoint is. */
export const CHECKPOINT_PATH = "checkpoint";

/** A tile of a log of some size: which of 256 things it holds, and where it is. */
export interface Tile {
  readonly path: string;
  /** First of its hashes or entries, and how many: 256 when it is full. */
  readonly from: number;
  readonly count: number;
}

/** Tiles of entries that a log of `to` has and one of `from` had not, or not so full. */
export function entryTiles(from: number, to: number): readonly Tile[] {
  return tilesBetween("tile/entries", from, to);
}

/** The same for tiles of hashes, of all levels. @returns each with its level */
export function hashTiles(from: number, to: number): readonly (Tile & { readonly level: number })[] {
  const tiles: (Tile & { readonly level: number })[] = [];
  for (let level = 0, unit = 1; unit <= to; level += 1, unit *= TILE_WIDTH) {
    const between = tilesBetween(`tile/${level}`, Math.floor(from / unit), Math.floor(to / unit));
    tiles.push(...between.map((tile) => ({ ...tile, level })));
  }
  return tiles;
}

/** The tile of a log of `size` in which a hash or entry is. */
export function tileOf(folder: "tile/entries" | "tile/0", index: number, size: number): Tile {
  const from = index - (index % TILE_WIDTH);
  const [tile] = tilesBetween(folder, from, Math.min(from + TILE_WIDTH, size));
  invariant(tile !== undefined, `there is no entry ${index} in a log of ${size}`);
  return tile;
}

export function documentPath(sha256: string): string {
  invariant(/^[0-9a-f]{64}$/.test(sha256), "documents are named by their digest");
  return `documents/${sha256}`;
}

/** Entries behind each other, each after its length in two bytes. */
export function encodeEntries(entries: readonly Uint8Array[]): Buffer {
  return Buffer.concat(
    entries.flatMap((entry) => {
      invariant(entry.byteLength <= LIMITS.ledgerEntryBytesMax, "an entry's length fits in two bytes");
      const length = Buffer.allocUnsafe(2);
      length.writeUInt16BE(entry.byteLength);
      return [length, entry];
    }),
  );
}

/** The entries in such a file; `undefined` where it is not exactly that many. */
export function decodeEntries(bytes: Uint8Array, count: number): readonly Buffer[] | undefined {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries: Buffer[] = [];
  let at = 0;
  while (at < buffer.length && entries.length < count) {
    if (at + 2 > buffer.length) return undefined;
    const end = at + 2 + buffer.readUInt16BE(at);
    if (end > buffer.length) return undefined;
    entries.push(buffer.subarray(at + 2, end));
    at = end;
  }
  return at === buffer.length && entries.length === count ? entries : undefined;
}

function tilesBetween(folder: string, from: number, to: number): readonly Tile[] {
  const tiles: Tile[] = [];
  for (let first = from - (from % TILE_WIDTH); first < to; first += TILE_WIDTH) {
    const count = Math.min(TILE_WIDTH, to - first);
    const width = count === TILE_WIDTH ? "" : `.p/${count}`;
    tiles.push({ path: `${folder}/${numbered(first / TILE_WIDTH)}${width}`, from: first, count });
  }
  return from === to ? [] : tiles;
}

/** Three digits a folder, all but the last with an x: 1234067 is x001/x234/067. */
function numbered(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, "0").match(/\d{3}/g) ?? [];
  return groups.map((group, at) => (at === groups.length - 1 ? group : `x${group}`)).join("/");
}
