import type { MintToken } from "../core/action-token.ts";
import { dockerHost } from "./key-location.ts";
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
  say: (line: string) => void,
  signal: AbortSignal,
  mint?: MintToken,
): Promise<readonly FinishedRun[]> {
  const [{ resumeDeadRuns, resumedWords }, { stateAccess }] = await Promise.all([
    import("../run/resume-runs.ts"),
    import("../mirror/state/state-access.ts"),
  ]);
  const minting = mint === undefined ? {} : { mint };
  const machine = { ownerPid: process.pid, say, ...dockerHost(), ...minting };
  const effects = { clock: systemClock, state: stateAccess(systemClock), ...machine };
  return (await resumeDeadRuns(effects, signal)).map((run) => ({
    // An undo that was done and not recorded is done again, and may refuse: what counts is what is left.
    proven: run.kind === "finished" && run.rollback.residue.length === 0,
    words: resumedWords(run),
  }));
}
