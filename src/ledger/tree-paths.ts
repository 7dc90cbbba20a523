import { invariant } from "../core/invariant.ts";
import { nodeHash, splitOf } from "./merkle.ts";

/** Leaves below one hash of the next stored level, as in C2SP tlog-tiles: levels are 8 apart. */
export const TILE_WIDTH = 256;

/**
 * Stored hashes of a tree: level 0 are its leaves, level L the roots of its complete subtrees of 256^L leaves.
 * @returns exactly `count` hashes from an index on; all of them exist
 */
export type ReadHashes = (level: number, from: number, count: number) => Promise<readonly Buffer[]>;

/** Siblings of a leaf, from it upwards: PATH(index, D[size]) of RFC 6962 section 2.1.1. */
export async function inclusionPath(read: ReadHashes, index: number, size: number): Promise<readonly Buffer[]> {
  invariant(index >= 0 && index < size, `entry ${index} is in no tree of ${size}`);
  const source = groupwise(read, size);
  const path: Promise<Buffer>[] = [];
  let [from, to] = [0, size];
  while (to - from > 1) {
    const middle = from + splitOf(to - from);
    const isLeft = index < middle;
    path.push(isLeft ? rangeRoot(source, middle, to) : rangeRoot(source, from, middle));
    [from, to] = isLeft ? [from, middle] : [middle, to];
  }
  return (await Promise.all(path)).toReversed();
}

/** PROOF(from, D[size]) of RFC 6962 section 2.1.2: what shows that the tree of `from` leaves is the beginning of the other. */
export async function consistencyPath(read: ReadHashes, from: number, size: number): Promise<readonly Buffer[]> {
  invariant(from >= 0 && from <= size, `a tree of ${size} has no beginning of ${from}`);
  if (from === 0 || from === size) return [];
  const source = groupwise(read, size);
  const path: Promise<Buffer>[] = [];
  let [start, end, old, wasWhole] = [0, size, from, true];
  while (old !== end - start) {
    const half = splitOf(end - start);
    if (old <= half) {
      path.push(rangeRoot(source, start + half, end));
      end = start + half;
    } else {
      path.push(rangeRoot(source, start, start + half));
      [start, old, wasWhole] = [start + half, old - half, false];
    }
  }
  // The whole old tree is what the verifier has already.
  if (!wasWhole) path.push(rangeRoot(source, start, end));
  return (await Promise.all(path)).toReversed();
}

/** Root of the tree over the leaves from `start` up to `end`, where `start` is one that RFC 6962's splitting arrives at. */
async function rangeRoot(source: ReadHashes, start: number, end: number): Promise<Buffer> {
  const width = end - start;
  const half = width === 1 ? 1 : splitOf(width);
  if (width === 1 || half * 2 === width) return await subtreeRoot(source, start, width);
  const [left, right] = await Promise.all([subtreeRoot(source, start, half), rangeRoot(source, start + half, end)]);
  return nodeHash(left, right);
}

/** Root of a complete subtree from the highest stored level that lies in it. */
async function subtreeRoot(source: ReadHashes, start: number, width: number): Promise<Buffer> {
  let [level, unit] = [0, 1];
  while (unit * TILE_WIDTH <= width) [level, unit] = [level + 1, unit * TILE_WIDTH];
  let hashes = await source(level, start / unit, width / unit);
  while (hashes.length > 1) hashes = pairedUp(hashes);
  const [root] = hashes;
  invariant(root !== undefined, "a subtree has a root");
  return root;
}

function pairedUp(hashes: readonly Buffer[]): readonly Buffer[] {
  return hashes.flatMap((left, index) => {
    const right = hashes[index + 1];
    return index % 2 === 1 || right === undefined ? [] : [nodeHash(left, right)];
  });
}

/** The same hashes, read in whole tiles, each once: a path asks for the same few again and again. */
function groupwise(read: ReadHashes, size: number): ReadHashes {
  const tiles = new Map<string, Promise<readonly Buffer[]>>();
  return async (level, from, count) => {
    const first = from - (from % TILE_WIDTH);
    invariant(from + count <= first + TILE_WIDTH, "a complete subtree lies in one tile");
    const key = `${level}/${first}`;
    const there = Math.floor(size / TILE_WIDTH ** level);
    const tile = tiles.get(key) ?? read(level, first, Math.min(TILE_WIDTH, there - first));
    tiles.set(key, tile);
    return (await tile).slice(from - first, from - first + count);
  };
}
