import { playedDesign } from "../judge/judge-limits.ts";
import { type PowerInput, plannedPower } from "../judge/planned-power.ts";
import { plannedRounds } from "../judge/planned-rounds.ts";
import type { Reason } from "../judge/verdict.ts";
import type { RecordedRound, RecordingManifest, Window } from "../replay/recording.ts";
import type { LoadEvidence } from "./load-evidence.ts";

/**
 * The session as each round of a switchback would have it if it were the only one, and as it ended: what is asked of the
 * seconds around one application of a plan is asked of every application. One session without rounds.
 */
export function sessionsByRound({
  rounds = [],
  ...session
}: LoadEvidence["session"]): readonly LoadEvidence["session"][] {
  const { baseline } = session.phases;
  const ofRounds = rounds.map(({ acting, settling, on, undoing, after }) => ({
    ...session,
    phases: {
      ...(baseline === undefined ? {} : { baseline }),
      acting,
      settling,
      observing: on,
      undoing,
      recovery: after,
    },
  }));
  return [...ofRounds, ...(isOfRound(session.phases, rounds.at(-1)) ? [] : [session])];
}

/** Every window in which the plan was in force and settled: what is lost a little in each of them is lost in all. */
export function inForceWindows(session: LoadEvidence["session"]): readonly Window[] {
  const windows = sessionsByRound(session).flatMap(({ phases }) => phases.observing ?? []);
  // An application that was cut short may leave the window of the round before it among the phases: no pair counts twice.
  return windows.filter(({ fromMs }, i) => windows.findIndex((other) => other.fromMs === fromMs) === i);
}

/** Whether the phases as they ended are those of the last complete round; an application that was cut short is another. */
function isOfRound(phases: RecordingManifest["phases"], last: RecordedRound | undefined): boolean {
  return last !== undefined && phases.acting?.fromMs === last.acting.fromMs;
}

/** The same reason of several rounds, once. */
export function oncePerCause(reasons: readonly Reason[]): readonly Reason[] {
  const seen = new Map(reasons.map((reason) => [`${reason.code} ${reason.subject ?? ""}`, reason]));
  return [...seen.values()];
}

/** From the first second with the plan in force to the last without it; the observation of a run without rounds. */
export function observedWindow({ rounds = [], phases }: LoadEvidence["session"]): Window | undefined {
  const [first, last] = [rounds[0], rounds.at(-1)];
  return first === undefined || last === undefined
    ? phases.observing
    : { fromMs: first.on.fromMs, toMs: last.after.toMs };
}

/** SLOs that the run can not be expected to decide in the time, or the rounds, that its design has. */
export function plannedDesign(input: PowerInput): readonly Reason[] {
  const { design } = input.limits;
  if (design.kind !== "switchback") return plannedPower(input);
  return plannedRounds({ ...input, design: playedDesign(design, input.limits, input.restarted) });
}
