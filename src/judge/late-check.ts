import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { lateSeconds } from "../measure/late-seconds.ts";
import type { LateRule } from "../measure/series.ts";
import type { Measure } from "../measure/slo.ts";
import type { Window } from "../replay/recording.ts";
import type { ResolvedSlo } from "./accepted.ts";
import { heldForBuckets } from "./bucket-doubts.ts";
import { heldForReadings, type JudgedPhases } from "./reading-doubts.ts";
import type { SloJudgement } from "./verdict.ts";

// Late seconds are left out on both twins, so harm that makes the driver late would take itself out of the comparison, and
// a small share of such seconds is no gate. A late request counts from when it was sent: what passes must pass with them too.

/**
 * Judges every SLO that has not failed before: with late seconds left out, and what passes, where the windows have any, once
 * more with them kept; both must pass. Whatever else is found needs nothing more. A pass that rests on readings is held to
 * `reading-doubts.ts` too, and one that rests on buckets to what they leave open.
 */
export function judgeEach(
  look: {
    readonly store: BlockStore;
    readonly slos: readonly ResolvedSlo[];
    readonly phases: JudgedPhases;
    readonly latched?: readonly SloJudgement[];
  },
  judge: (resolved: ResolvedSlo, late: LateRule) => SloJudgement,
): readonly SloJudgement[] {
  const { store, phases, latched = [] } = look;
  const windows = [...phases.without, ...phases.inForce];
  const failed = new Map(latched.filter((past) => past.state === "fail").map((past) => [past.name, past]));
  let counted: number | undefined;
  const late = (): number => {
    counted ??= sum(windows.map((window) => lateSeconds(store, wholeSeconds(store, window)).late));
    return counted;
  };
  return look.slos.map((resolved) => {
    const leftOut =
      failed.get(resolved.slo.name) ??
      heldForBuckets(heldForReadings(judge(resolved, "left-out"), resolved.slo.measure, look));
    if (leftOut.state !== "pass" || !countsRequests(resolved.slo.measure) || late() === 0) return leftOut;
    const kept = judge(resolved, "kept");
    return kept.state === "pass" ? leftOut : heldForLate(leftOut, kept, late());
  });
}

/** Seconds at the edges are in no block, and may not be complete. */
function wholeSeconds(store: BlockStore, window: Window): Window {
  const { fromMs, blockMs, count } = store.grid(window, store.baseBlockMs);
  return { fromMs, toMs: fromMs + count * blockMs };
}

function countsRequests({ kind }: Measure): boolean {
  return kind === "latency" || kind === "errors" || kind === "served" || kind === "cpu";
}

/** The numbers with the late seconds, which are what stands against a pass; lateness being in them, they reject nothing. */
function heldForLate(leftOut: SloJudgement, kept: SloJudgement, late: number): SloJudgement {
  const { name, state, because } = kept;
  const note = `with the ${late} s in which the load generator was late, ${kept.note}; without them ${leftOut.note}, but what is left out may be what the plan did`;
  const isOfInterval = because?.code === "SLO_OUTSIDE_RANGE" || because?.code === "UNDERPOWERED";
  const code = because === undefined || isOfInterval ? "ENVIRONMENT_UNSTABLE" : because.code;
  return {
    ...kept,
    state: state === "fail" ? "open" : state,
    note,
    because: { code, subject: name, message: `${name}: ${note}` },
  };
}

/** Whether an SLO is held because its answer hangs on late seconds: its numbers are those with them. */
export function isHeldForLate({ state, because }: SloJudgement): boolean {
  return state === "open" && because?.code === "ENVIRONMENT_UNSTABLE";
}
