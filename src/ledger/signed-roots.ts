import { openCheckpoint } from "./checkpoint.ts";
import type { Findings } from "./finding.ts";
import type { Checkpoint } from "./ledger.ts";
import { EMPTY_ROOT } from "./merkle.ts";
import type { NoteVerifier } from "./signed-note.ts";

/** A checkpoint from somewhere: from the log itself, from a copy, from a receipt. */
export interface KnownNote {
  readonly note: string;
  /** For messages: "the head", "copy/checkpoint". */
  readonly from: string;
}

/** What was signed of a log at some sizes, to be compared with what its entries give. */
export interface SignedRoots {
  readonly add: (known: KnownNote) => Checkpoint | undefined;
  readonly isWanted: (size: number) => boolean;
  /** Compares the root that entries give. */
  readonly compare: (size: number, root: string) => void;
  /** Says which signed sizes were never reached. @param there - entries that there are */
  readonly finish: (there: number) => void;
  readonly verified: () => number;
}

/** Checkpoints of one log; two of one size must have one root. */
export function signedRoots(origin: string, verifiers: readonly NoteVerifier[], findings: Findings): SignedRoots {
  const bySize = new Map<number, { readonly root: string; readonly from: string }>();
  let verified = 0;
  let newestThatFits = 0;
  let forkedAt: number | undefined;
  return {
    add: ({ note, from }) => {
      const opened = openCheckpoint(note, origin, verifiers);
      if (opened.kind === "problem") {
        findings.add("UNSIGNED", `the checkpoint of ${from} ${opened.message}`);
        return undefined;
      }
      const { checkpoint } = opened;
      const other = bySize.get(checkpoint.size);
      verified += 1;
      if (other === undefined) bySize.set(checkpoint.size, { root: checkpoint.root, from });
      else if (other.root !== checkpoint.root) {
        findings.add(
          "FORKED",
          `two checkpoints of ${checkpoint.size} entries have different roots: of ${other.from} and of ${from}`,
          checkpoint.size,
        );
      }
      if (checkpoint.size === 0 && checkpoint.root !== EMPTY_ROOT.toString("hex")) {
        findings.add("FORKED", `the checkpoint of ${from} is of no entries and has their root`);
      }
      return checkpoint;
    },
    isWanted: (size) => bySize.has(size),
    compare: (size, root) => {
      const signed = bySize.get(size);
      if (signed === undefined) return;
      if (signed.root === root) {
        newestThatFits = size;
        return;
      }
      // Every later one differs as well; the first says where to look.
      if (forkedAt !== undefined) return;
      forkedAt = size;
      findings.add(
        "FORKED",
        `the first ${size} entries are not those that were signed (${signed.from}); the first ${newestThatFits} are`,
        newestThatFits,
      );
    },
    finish: (there) => {
      const [largest] = [...bySize].toSorted(([one], [other]) => other - one);
      if (largest === undefined || largest[0] <= there) return;
      findings.add(
        "TRUNCATED",
        `${largest[0]} entries were signed (${largest[1].from}), and there are ${there}`,
        there,
      );
    },
    verified: () => verified,
  };
}
