import { entryDigest, parseEntry } from "./entry.ts";
import type { Findings } from "./finding.ts";
import type { Entry } from "./ledger.ts";
import { EMPTY_FRONTIER, type Frontier, leafHash, type OnSubtree, rootOf, withLeaf } from "./merkle.ts";
import type { EntryRow } from "./store.ts";

/** Walks entries in order and recomputes everything that follows from their bytes. */
export interface ChainWalk {
  /** Takes the next row. @returns the entry, where it is one */
  readonly take: (row: EntryRow) => Entry | undefined;
  /** Root of all that was taken; `undefined` once an entry was missing, since it can not be known then. */
  readonly root: () => string | undefined;
  readonly frontier: () => Frontier;
  /** Entries there should be so far, missing ones included. */
  readonly size: () => number;
}

/** @param wanted - called with the root at every size that somebody has signed */
export function walkChain(options: {
  readonly findings: Findings;
  readonly onSubtree: OnSubtree;
  readonly isWanted: (size: number) => boolean;
  readonly wanted: (size: number, root: string) => void;
}): ChainWalk {
  const { findings } = options;
  let frontier: Frontier = EMPTY_FRONTIER;
  let size = 0;
  let whole = true;
  let last: { readonly sha256: string; readonly at: string | undefined } | undefined;

  const check = (row: EntryRow, entry: Entry): void => {
    const { index } = row;
    if (entry.index !== index) {
      findings.add("CHANGED", `entry ${index} says that it is entry ${entry.index}`, index);
    }
    const isFirst = index === 0;
    if (isFirst ? entry.prev !== null : last !== undefined && entry.prev !== last.sha256) {
      findings.add(
        "CHAIN_BROKEN",
        `entry ${index} does not follow from entry ${index - 1}: one of them was changed`,
        index,
      );
    }
    if (last?.at !== undefined && entry.at < last.at) {
      findings.add(
        "CLOCK_SET_BACK",
        `entry ${index} is of ${entry.at}, before the entry before it (${last.at})`,
        index,
      );
    }
  };
  return {
    take: (row) => {
      if (row.index > size) {
        findings.add("MISSING", missingWords(size, row.index - 1), size);
        whole = false;
        last = undefined;
      }
      const leaf = leafHash(row.bytes);
      if (!leaf.equals(row.leaf)) {
        findings.add(
          "CHANGED",
          `entry ${row.index} was changed: its hash is not the one recorded beside it`,
          row.index,
        );
      }
      const parsed = parseEntry(row.bytes);
      if (parsed.kind === "problem") findings.add("CHANGED", `entry ${row.index} ${parsed.message}`, row.index);
      else check(row, parsed.entry);
      last = { sha256: entryDigest(row.bytes), at: parsed.kind === "entry" ? parsed.entry.at : last?.at };
      size = row.index + 1;
      if (whole) {
        frontier = withLeaf(frontier, leaf, options.onSubtree);
        if (options.isWanted(size)) options.wanted(size, rootOf(frontier).toString("hex"));
      }
      return parsed.kind === "entry" ? parsed.entry : undefined;
    },
    root: () => (whole ? rootOf(frontier).toString("hex") : undefined),
    frontier: () => frontier,
    size: () => size,
  };
}

/** The entries from one to another, which are not there. */
export function missingWords(from: number, to: number): string {
  return from === to ? `entry ${from} is missing` : `entries ${from} to ${to} are missing`;
}
