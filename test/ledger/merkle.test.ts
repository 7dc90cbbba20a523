import fc from "fast-check";
import { expect, test } from "vitest";
import {
  EMPTY_FRONTIER,
  EMPTY_ROOT,
  type Frontier,
  isConsistent,
  isIncluded,
  leafHash,
  nodeHash,
  rootOf,
  splitOf,
  withLeaf,
} from "../../src/ledger/merkle.ts";
import { consistencyPath, inclusionPath, type ReadHashes } from "../../src/ledger/tree-paths.ts";

/** The eight entries of certificate-transparency's reference tests (FORMATS.md 15). */
const VECTOR = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];

function grown(leaves: readonly Buffer[]): Frontier {
  return leaves.reduce((frontier, leaf) => withLeaf(frontier, leaf), EMPTY_FRONTIER);
}

/** MTH(D[n]) as RFC 6962 writes it: a second, slow way to the same root. */
function slowRoot(leaves: readonly Buffer[]): Buffer {
  const [only] = leaves;
  if (only === undefined) return EMPTY_ROOT;
  if (leaves.length === 1) return only;
  const half = splitOf(leaves.length);
  return nodeHash(slowRoot(leaves.slice(0, half)), slowRoot(leaves.slice(half)));
}

/** A tree with its stored levels, as a store keeps them. */
function plant(size: number): { readonly leaves: readonly Buffer[]; readonly read: ReadHashes } {
  const leaves = Array.from({ length: size }, (_, index) => leafHash(Buffer.from(`entry ${index}`)));
  const levels = new Map<number, Buffer[]>([[0, [...leaves]]]);
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) {
    frontier = withLeaf(frontier, leaf, (height, index, root) => {
      if (height % 8 !== 0) return;
      const level = levels.get(height / 8) ?? [];
      level[index] = root;
      levels.set(height / 8, level);
    });
  }
  return { leaves, read: async (level, from, count) => (levels.get(level) ?? []).slice(from, from + count) };
}

const large = plant(70_000);

test("hashes are those of RFC 6962's reference trees", () => {
  expect(EMPTY_ROOT.toString("hex")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(leafHash(Buffer.alloc(0)).toString("hex")).toBe(
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  );
  const leaves = VECTOR.map((hex) => leafHash(Buffer.from(hex, "hex")));
  expect(rootOf(grown(leaves)).toString("hex")).toBe(
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  );
});

test("a root that grew leaf by leaf is the root that the definition gives", () => {
  for (let size = 0; size <= 130; size += 1) {
    const { leaves } = plant(size);
    expect(rootOf(grown(leaves)), `size ${size}`).toEqual(slowRoot(leaves));
  }
});

test("every leaf of every tree up to 40 is proven to be where it is, and nowhere else", async () => {
  for (let size = 1; size <= 40; size += 1) {
    const { leaves, read } = plant(size);
    const root = slowRoot(leaves);
    for (const [index, leaf] of leaves.entries()) {
      const hashes = await inclusionPath(read, index, size);
      expect(isIncluded({ leaf, index, size, hashes, root }), `${index} of ${size}`).toBe(true);
      for (let other = 0; other < size; other += 1) {
        if (other !== index) expect(isIncluded({ leaf, index: other, size, hashes, root })).toBe(false);
      }
    }
  }
});

test("every beginning of every tree up to 40 is proven to be one", async () => {
  for (let size = 0; size <= 40; size += 1) {
    const { leaves, read } = plant(size);
    const to = { size, root: slowRoot(leaves) };
    for (let from = 0; from <= size; from += 1) {
      const hashes = await consistencyPath(read, from, size);
      const claim = { from: { size: from, root: slowRoot(leaves.slice(0, from)) }, to, hashes };
      expect(isConsistent(claim), `${from} in ${size}`).toBe(true);
      const otherRoot = leafHash(Buffer.from("another history"));
      expect(isConsistent({ ...claim, from: { size: from, root: otherRoot } }), `${from} in ${size}`).toBe(false);
    }
  }
});

test("proofs in a tree of three stored levels hold", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 70_000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      async (size, at) => {
        const index = Math.min(size - 1, Math.floor(at * size));
        const leaves = large.leaves.slice(0, size);
        const root = rootOf(grown(leaves));
        const hashes = await inclusionPath(large.read, index, size);
        const leaf = leaves[index] ?? Buffer.alloc(0);
        expect(isIncluded({ leaf, index, size, hashes, root })).toBe(true);
        const from = { size: index, root: rootOf(grown(leaves.slice(0, index))) };
        const path = await consistencyPath(large.read, index, size);
        expect(isConsistent({ from, to: { size, root }, hashes: path })).toBe(true);
      },
    ),
    { numRuns: 12 },
  );
});

test("no changed, shortened or lengthened proof holds", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 2, max: 3000 }), fc.nat(), fc.nat(), async (size, pick, change) => {
      const index = pick % size;
      const leaves = large.leaves.slice(0, size);
      const root = rootOf(grown(leaves));
      const leaf = leaves[index] ?? Buffer.alloc(0);
      const hashes = await inclusionPath(large.read, index, size);
      const at = change % hashes.length;
      const changed = hashes.map((hash, place) => (place === at ? leafHash(hash) : hash));
      for (const wrong of [changed, hashes.slice(1), hashes.slice(0, -1), [...hashes, root], [root, ...hashes]]) {
        expect(isIncluded({ leaf, index, size, hashes: wrong, root })).toBe(false);
      }
      const path = await consistencyPath(large.read, index, size);
      const from = { size: index, root: rootOf(grown(leaves.slice(0, index))) };
      for (const wrong of [[...path, root], path.slice(1), path.map((hash) => leafHash(hash))]) {
        if (index === 0 || (path.length === 0 && wrong.length === 0)) continue;
        expect(isConsistent({ from, to: { size, root }, hashes: wrong })).toBe(false);
      }
    }),
    { numRuns: 40 },
  );
});

test("an index outside of the tree is in no tree", () => {
  const leaf = leafHash(Buffer.from("one"));
  const claim = { leaf, size: 1, hashes: [], root: leaf };
  expect(isIncluded({ ...claim, index: 0 })).toBe(true);
  for (const index of [-1, 1, 0.5, Number.NaN, 2 ** 53]) expect(isIncluded({ ...claim, index })).toBe(false);
});

test("splitting and halving work beyond 31 bits", () => {
  expect(splitOf(2 ** 40 + 1)).toBe(2 ** 40);
  expect(splitOf(2 ** 40)).toBe(2 ** 39);
});
