import type { MintToken } from "../core/action-token.ts";
import { dockerHost } from "./key-location.ts";
import type { RunLedger } from "./run-ledger.ts";
import { systemClock } from "./system.ts";

/** One rollback of a killed harness that was finished now. */
export interface FinishedRun {
  /** The state is as before. */
  readonly proven: boolean;
  readonly words: string;
}

/**
 * Finishes, with this process's view of the machine, the rollbacks that killed harnesses left in the middle.
 * @throws the signal's reason when aborted; CanaryError MIRROR_UNAVAILABLE when no engine answers
 */
export async function finishDeadRuns(
  told: {
    readonly say: (line: string) => void;
    readonly ledger?: RunLedger | undefined;
    /** Mints the tokens of requests that undo something. */
    readonly mint?: MintToken | undefined;
  },
  signal: AbortSignal,
): Promise<readonly FinishedRun[]> {
  const [{ resumeDeadRuns, resumedWords }, { stateAccess }] = await Promise.all([
    import("../run/resume-runs.ts"),
    import("../mirror/state/state-access.ts"),
  ]);
  const { say, ledger, mint } = told;
  const effects = {
    clock: systemClock,
    state: stateAccess(systemClock),
    ownerPid: process.pid,
    say,
    ...(ledger === undefined ? {} : { ledgerIntents: ledger.intentsOf }),
    ...(mint === undefined ? {} : { mint }),
    ...dockerHost(),
  };
  return (await resumeDeadRuns(effects, signal)).map((run) => ({
    // An undo that was done and not recorded is done again, and may refuse: what counts is what is left.
    proven: run.kind === "finished" && run.rollback.residue.length === 0,
    words: resumedWords(run),
  }));
}
