import type { RecordingManifest, Window } from "../replay/recording.ts";

type WithPhases = Pick<RecordingManifest, "phases">;

/** What a plan is compared with; empty where the run did not come so far. */
export function baselineOf({ phases }: WithPhases): Window {
  return phases.baseline ?? { fromMs: 0, toMs: 0 };
}

/** What there is to judge where nothing was observed: the baseline, and nothing after it. */
export function windowsBeforeThePlan(session: WithPhases): Readonly<Record<"baseline" | "after", Window>> {
  const baseline = baselineOf(session);
  return { baseline, after: { fromMs: baseline.toMs, toMs: baseline.toMs } };
}
