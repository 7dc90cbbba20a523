import type { BlockStore } from "../measure/block-store.ts";
import type { ResolvedSlo } from "./accepted.ts";
import type { CalibrationProfile } from "./calibration.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import { judgeSlo } from "./judge-slo.ts";
import { judgeEach } from "./late-check.ts";
import type { JudgeWindows } from "./slo-measurement.ts";
import { trustedProfile } from "./trust-profile.ts";
import type { SloJudgement } from "./verdict.ts";

export type { ResolvedSlo } from "./accepted.ts";

/** Everything one look needs. */
export interface LookInput {
  readonly store: BlockStore;
  readonly slos: readonly ResolvedSlo[];
  /** `after` starts when settling ends and reaches to what has been delivered (`store.deliveredUntilMs()`). */
  readonly windows: JudgeWindows;
  readonly limits: JudgeLimits;
  /** The plan restarts or replaces a process: its bias is drawn anew (STATISTICS.md 3.2). */
  readonly restarted: boolean;
  readonly profile?: CalibrationProfile;
  /** What the look before answered. */
  readonly latched?: readonly SloJudgement[];
}

/**
 * Judges every SLO at one look; may be called as often as one likes, the intervals hold at all looks at once.
 * A fail stays: it was evidence when it was seen. A pass does not: what decays later was not shown (DESIGN.md 3.6).
 */
export function judgeSlos(input: LookInput): readonly SloJudgement[] {
  const { slos, latched: _, ...look } = input;
  const context = { ...look, ...trustedProfile({ ...input, baseline: input.windows.baseline }) };
  const phases = { without: [input.windows.baseline], inForce: [input.windows.after] };
  return judgeEach({ ...input, phases }, (resolved, late) =>
    judgeSlo(resolved, { ...context, sloCount: slos.length, late }),
  );
}

/** Whether looking further can still change the answer: `pass` only when every SLO is inside at this very look. */
export function lookOutcome(judgements: readonly SloJudgement[]): "pass" | "fail" | "open" {
  if (judgements.some((slo) => slo.state === "fail")) return "fail";
  return judgements.length > 0 && judgements.every((slo) => slo.state === "pass") ? "pass" : "open";
}
