import type { Findings } from "./finding.ts";
import type { Entry } from "./ledger.ts";
import type { OnSubtree } from "./merkle.ts";
import { type ClaimRow, indexLines, type LedgerStore, type SubjectRow, type SubtreeRow } from "./store.ts";
import { TILE_WIDTH } from "./tree-paths.ts";

/** Levels are this many heights apart: 2^8 is a tile's width. */
const LEVEL_HEIGHT = 8;

/** Compares subjects and claims of a range of entries with what the entries say. @param range.to - exclusive */
export async function checkIndexes(
  store: LedgerStore,
  range: { readonly entries: readonly Entry[]; readonly from: number; readonly to: number },
  findings: Findings,
): Promise<void> {
  const { entries, from, to } = range;
  const saidClaims = entries.flatMap(({ index, claim }) => (claim === null ? [] : [{ index, claim }]));
  const saidSubjects = entries.flatMap(({ index, kind, about }) =>
    about.toSorted().map((subject) => ({ index, kind, subject })),
  );
  if ((await store.indexText(from, to)) === indexLines(saidClaims, saidSubjects)) return;
  // What is found by entries that are missing or unreadable says nothing more than that they are.
  const readable = new Set(entries.map(({ index }) => index));
  const subjects = (await store.subjectsBetween(from, to)).filter(({ index }) => readable.has(index));
  const claims = (await store.claimsBetween(from, to)).filter(({ index }) => readable.has(index));
  compareSets(
    [...saidSubjects.map(subjectWords), ...saidClaims.map(claimWords)],
    [...subjects.map(subjectWords), ...claims.map(claimWords)],
    findings,
  );
}

/** Compares stored roots of subtrees with those that entries give. */
export interface SubtreeWatch {
  readonly computed: OnSubtree;
  /** Those that were computed since the last time. */
  readonly compare: (store: LedgerStore) => Promise<void>;
  /** Stored roots of subtrees that do not exist yet. @param size - entries that the head knows */
  readonly compareEnds: (store: LedgerStore, size: number) => Promise<void>;
}

export function subtreeWatch(findings: Findings): SubtreeWatch {
  let waiting: SubtreeRow[] = [];
  return {
    computed: (height, index, hash) => {
      if (height % LEVEL_HEIGHT === 0) waiting.push({ level: height / LEVEL_HEIGHT, index, hash });
    },
    compare: async (store) => {
      for (const [level, rows] of Map.groupBy(waiting, (row) => row.level)) {
        const [first] = rows;
        const stored = first === undefined ? [] : await store.hashes(level, first.index, rows.length);
        for (const [at, { index, hash }] of rows.entries()) {
          if (Buffer.compare(stored[at] ?? Buffer.alloc(0), hash) === 0) continue;
          const firstEntry = index * TILE_WIDTH ** level;
          findings.add(
            "INDEX_CHANGED",
            `the stored hash of subtree ${level}/${index} is not that of its entries`,
            firstEntry,
          );
        }
      }
      waiting = [];
    },
    compareEnds: async (store, size) => {
      for (const [level, newest] of await store.subtreeCounts()) {
        if ((newest + 1) * TILE_WIDTH ** level <= size) continue;
        findings.add("SURPLUS", `there is a hash of subtree ${level}/${newest}, which is not complete`);
      }
    },
  };
}

function compareSets(said: readonly string[], stored: readonly string[], findings: Findings): void {
  const [saidSet, storedSet] = [new Set(said), new Set(stored)];
  for (const text of saidSet) {
    if (!storedSet.has(text)) findings.add("INDEX_CHANGED", `it can not be found that ${text}`);
  }
  for (const text of storedSet) if (!saidSet.has(text)) findings.add("INDEX_CHANGED", `nothing says that ${text}`);
}

function subjectWords({ index, kind, subject }: SubjectRow): string {
  return `entry ${index} (${kind}) is about ${subject}`;
}

function claimWords({ index, claim }: ClaimRow): string {
  return `entry ${index} claims ${claim}`;
}
