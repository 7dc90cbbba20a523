import { hash } from "node:crypto";
import { invariant } from "../core/invariant.ts";

// The Merkle tree of RFC 6962 section 2.1. Hashes are 32 bytes; sizes and indexes are whole numbers up to 2^53, so that
// halving is done with division: JavaScript's bit operators end at 2^31.

/** Hash of the tree without entries. */
export const EMPTY_ROOT: Buffer = sha256("");

const NODE_BYTES = 65;

/** SHA-256(0x00 || entry): a leaf can never be taken for an inner node. */
export function leafHash(entry: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(entry.byteLength + 1);
  bytes[0] = 0;
  bytes.set(entry, 1);
  return sha256(bytes);
}

/** SHA-256(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  invariant(left.byteLength === 32 && right.byteLength === 32, "a hash has 32 bytes");
  const bytes = Buffer.allocUnsafe(NODE_BYTES);
  bytes[0] = 1;
  bytes.set(left, 1);
  bytes.set(right, 33);
  return sha256(bytes);
}

/** Largest power of two strictly below `size` (>= 2): where RFC 6962 splits a tree. */
export function splitOf(size: number): number {
  invariant(size >= 2, "a leaf is not split");
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

/**
 * The right edge of a tree: roots of its complete subtrees, largest first, one for each bit of its size. All that is needed to
 * append to it and to tell its root.
 */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Buffer[];
}

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

/** Told of every subtree that an append completes: its height (leaves are 0), its place among those of its height, its root. */
export type OnSubtree = (height: number, index: number, root: Buffer) => void;

/** The frontier with one more leaf. */
export function withLeaf(frontier: Frontier, leaf: Buffer, onSubtree?: OnSubtree): Frontier {
  const hashes = [...frontier.hashes];
  let root = leaf;
  let height = 0;
  for (let rest = frontier.size; rest % 2 === 1; rest = (rest - 1) / 2) {
    const left = hashes.pop();
    invariant(left !== undefined, "a frontier has a hash for each bit of its size");
    root = nodeHash(left, root);
    height += 1;
    onSubtree?.(height, (rest - 1) / 2, root);
  }
  return { size: frontier.size + 1, hashes: [...hashes, root] };
}

/** Root of the tree that ends with this frontier. */
export function rootOf(frontier: Frontier): Buffer {
  const [smallest, ...larger] = frontier.hashes.toReversed();
  if (smallest === undefined) return EMPTY_ROOT;
  return larger.reduce((right, left) => nodeHash(left, right), smallest);
}

/** Number of complete subtrees of a tree: the bits of its size. */
export function frontierLength(size: number): number {
  let length = 0;
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2)) length += rest % 2;
  return length;
}

/**
 * Whether a leaf is at an index of the tree with this size and root (RFC 9162 section 2.1.3.2).
 * @param hashes - siblings from the leaf upwards
 */
export function isIncluded(claim: {
  readonly leaf: Uint8Array;
  readonly index: number;
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
  readonly root: Uint8Array;
}): boolean {
  if (!Number.isSafeInteger(claim.index) || claim.index < 0 || claim.index >= claim.size) return false;
  let at = claim.index;
  let last = claim.size - 1;
  let root: Uint8Array = claim.leaf;
  for (const sibling of claim.hashes) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      root = nodeHash(sibling, root);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      root = nodeHash(root, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(root, claim.root);
}

/** Whether the tree of the first size and root is the beginning of the second (RFC 9162 section 2.1.4.2). */
export function isConsistent(claim: {
  readonly from: { readonly size: number; readonly root: Uint8Array };
  readonly to: { readonly size: number; readonly root: Uint8Array };
  readonly hashes: readonly Uint8Array[];
}): boolean {
  const { from, to, hashes } = claim;
  if (from.size > to.size) return false;
  if (from.size === to.size) return hashes.length === 0 && isSame(from.root, to.root);
  if (from.size === 0) return hashes.length === 0 && isSame(from.root, EMPTY_ROOT);
  let at = from.size - 1;
  let last = to.size - 1;
  while (at % 2 === 1) [at, last] = [half(at), half(last)];
  // A complete old tree is itself the first hash of the path, and is left out of the proof.
  const [first, ...path] = at === 0 ? [from.root, ...hashes] : hashes;
  if (first === undefined) return false;
  let oldRoot: Uint8Array = first;
  let newRoot: Uint8Array = first;
  for (const sibling of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      oldRoot = nodeHash(sibling, oldRoot);
      newRoot = nodeHash(sibling, newRoot);
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newRoot = nodeHash(newRoot, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && isSame(oldRoot, from.root) && isSame(newRoot, to.root);
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return Buffer.compare(one, other) === 0;
}

/** By way of a text: asked for a buffer, Node takes twice as long for inputs of this size (measured on 24.21). */
function sha256(bytes: Uint8Array | string): Buffer {
  return Buffer.from(hash("sha256", bytes, "binary"), "binary");
}
