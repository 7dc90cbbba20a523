/** What can be wrong with a log; docs/ledger.md says what each means. */
export const FINDING_CODES = [
  /** An entry's bytes are not those whose hash was recorded. */
  "CHANGED",
  "MISSING",
  /** An entry does not follow from the one before it. */
  "CHAIN_BROKEN",
  /** A recorded time is before the one before it. */
  "CLOCK_SET_BACK",
  /** A signed checkpoint and the entries tell different histories, or two checkpoints do. */
  "FORKED",
  /** A signed checkpoint speaks of more entries than there are. */
  "TRUNCATED",
  /** A checkpoint is not signed by a trusted key. */
  "UNSIGNED",
  /** There is something that no entry and no checkpoint speaks of. */
  "SURPLUS",
  /** What entries are found by (subjects, claims, hashes of subtrees, the head) does not repeat what they say. */
  "INDEX_CHANGED",
  "DOCUMENT_CHANGED",
  "DOCUMENT_MISSING",
] as const;
export type FindingCode = (typeof FINDING_CODES)[number];

/** One thing that is wrong, and where. */
export interface Finding {
  readonly code: FindingCode;
  readonly message: string;
  /** The entry it is about, or the first of them. */
  readonly index?: number;
}

/** Findings of one code that are listed one by one; a damaged log can have millions. */
const LISTED_MAX = 20;

/** Collects findings: all are counted, the first ones kept. */
export interface Findings {
  readonly add: (code: FindingCode, message: string, index?: number) => void;
  readonly listed: () => readonly Finding[];
  readonly total: () => number;
}

export function collectFindings(): Findings {
  const listed: Finding[] = [];
  let total = 0;
  return {
    add: (code, message, index) => {
      total += 1;
      const sameCode = listed.filter((finding) => finding.code === code).length;
      if (sameCode < LISTED_MAX) listed.push({ code, message, ...(index === undefined ? {} : { index }) });
    },
    listed: () => listed,
    total: () => total,
  };
}
