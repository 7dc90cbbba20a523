import type { RecordingManifest, Window } from "../replay/recording.ts";
import type { RunReport } from "../report/run-report.ts";

type Applied = Partial<Pick<RecordingManifest, "rounds">> & Pick<RecordingManifest, "phases">;

/** How the plan was applied, and the longest stretch of it; empty where it never was under load. */
export function inForceOf(session: Applied): Pick<RunReport, "design" | "longestInForceSeconds"> {
  const { phases, rounds = [] } = session;
  if (phases.acting === undefined) return {};
  const design = rounds.length === 0 ? BEFORE_AFTER : ({ kind: "switchback", rounds: rounds.length } as const);
  return { design, ...longestInForce(session) };
}

/**
 * Longest stretch in seconds from the end of acting to the end of the last measured second before an undo: settling and
 * observing, or on. A plan that acts in rounds is undone between them, so that only one round counts.
 */
export function longestInForce({ phases, rounds = [] }: Applied): { readonly longestInForceSeconds?: number } {
  const { settling, observing } = phases;
  const stretches = [
    ...rounds.map((round) => lengthMs(round.settling, round.on)),
    ...(settling === undefined && observing === undefined ? [] : [lengthMs(settling, observing)]),
  ];
  return stretches.length === 0 ? {} : { longestInForceSeconds: Math.max(...stretches) / 1000 };
}

function lengthMs(settling: Window | undefined, on: Window | undefined): number {
  const [fromMs, toMs] = [(settling ?? on)?.fromMs ?? 0, (on ?? settling)?.toMs ?? 0];
  return Math.max(0, Math.round(toMs - fromMs));
}

const BEFORE_AFTER = { kind: "before-after" } as const;
