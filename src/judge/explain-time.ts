import { sum } from "../measure/arm-series.ts";
import { type LateSeconds, lateSeconds } from "../measure/late-seconds.ts";
import type { Window } from "../replay/recording.ts";
import { comparedWindows } from "./compared-windows.ts";
import type { DecisionTrace } from "./explain.ts";
import type { ExplanationLine } from "./explain-words.ts";
import { duration } from "./forecast.ts";
import type { SwitchbackRound } from "./switchback.ts";

/** Counts the late seconds of what is compared for the trace; of a switchback those of its rounds. */
export function lateOf(
  store: Parameters<typeof lateSeconds>[0],
  phases: Pick<DecisionTrace["phases"], "baseline" | "observing">,
  rounds: readonly SwitchbackRound[] = [],
): DecisionTrace["late"] {
  const { baseline, observing } = phases;
  if (baseline === undefined) return {};
  const compared = comparedWindows({ baseline, ...(observing === undefined ? {} : { after: observing }) }, rounds);
  const counted = (windows: readonly Window[]): LateSeconds => {
    const each = windows.map((window) => lateSeconds(store, window));
    return { late: sum(each.map(({ late }) => late)), seconds: sum(each.map(({ seconds }) => seconds)) };
  };
  return {
    without: counted(compared.without),
    ...(compared.with.length === 0 ? {} : { inForce: counted(compared.with) }),
  };
}

/** Which seconds the answer is made of, and which were left out. */
export function timeLines({ phases, late, rounds }: DecisionTrace): readonly ExplanationLine[] {
  if (phases.baseline === undefined) {
    return [{ topic: "time", text: "No traffic was measured: the answer was there before it." }];
  }
  const { warmup, baseline, acting, settling, observing } = phases;
  const discarded = [
    ...(warmup === undefined ? [] : [`${secondsOf(warmup)} of warm-up`]),
    ...(acting === undefined ? [] : [`${secondsOf(acting)} in which the plan acted`]),
    ...(settling === undefined ? [] : [`${secondsOf(settling)} of settling`]),
  ];
  const judged = `${secondsOf(baseline)} before the plan and ${observing === undefined ? "nothing" : secondsOf(observing)} after it`;
  if (rounds !== undefined && rounds > 0) {
    const text = `The plan was applied and undone in ${rounds} complete rounds; intervals are made of one value a round, and the seconds of acting, settling and undoing are part of none.`;
    return [
      { topic: "time", text },
      { topic: "late seconds", text: lateText(late, ["without the plan", "with it in force"]) },
    ];
  }
  const apart = discarded.length === 0 ? "" : `; not part of any interval: ${discarded.join(", ")}`;
  const text = `Intervals are made of ${judged}${apart}. What is discarded is still watched for gross harm.`;
  return [
    { topic: "time", text },
    { topic: "late seconds", text: lateText(late, ["before the plan", "after it"]) },
  ];
}

function lateText({ without, inForce }: DecisionTrace["late"], when: readonly [string, string]): string {
  const side = (late: LateSeconds | undefined, when: string): readonly string[] =>
    late === undefined ? [] : [`${late.late} of ${late.seconds} ${when}`];
  const counted = [...side(without, when[0]), ...side(inForce, when[1])].join(" and ");
  const any = (without?.late ?? 0) + (inForce?.late ?? 0) > 0;
  const twice = any ? "; what passes without them must pass with them" : "";
  return `The load generator was late in ${counted}; such seconds are left out on both twins${twice}.`;
}

function secondsOf(window: Window): string {
  return duration((window.toMs - window.fromMs) / 1000);
}
