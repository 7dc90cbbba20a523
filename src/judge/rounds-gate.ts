import { describeMeasured } from "../core/delta-range.ts";
import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { deltaUnit } from "../measure/slo.ts";
import { acceptedRange, boundsOf, effectScale, type ResolvedSlo, toDelta } from "./accepted.ts";
import { GATE_LEVEL_SHARE } from "./gate-level.ts";
import { worseDirection } from "./interference.ts";
import { JUDGE_RULES, type JudgeLimits } from "./judge-limits.ts";
import { studentTail } from "./student-tail.ts";
import { roundsInflation, roundsSequence, roundValues, type SwitchbackRound } from "./switchback.ts";
import type { Reason } from "./verdict.ts";

/** What the control itself did in the rounds of a switchback. */
export interface RoundsGateInput {
  readonly store: BlockStore;
  readonly slos: readonly ResolvedSlo[];
  readonly rounds: readonly SwitchbackRound[];
  readonly cores: "pinned" | "shared";
  readonly limits: Pick<JudgeLimits, "alpha" | "g">;
  /** The plan restarts a process, so that rounds share a bias (`roundsInflation`). */
  readonly restarted: boolean;
}

/**
 * SLOs of which the control follows the plan round by round, far enough that the difference of the twins could hide harm
 * (`interference.ts`). The instants are the plan's own, many and repeated, so the rounds are their own placebo.
 */
export function roundsDisturbed(input: RoundsGateInput): readonly Reason[] {
  return input.slos.flatMap((resolved) => disturbed(resolved, input));
}

function disturbed(resolved: ResolvedSlo, input: RoundsGateInput): readonly Reason[] {
  const { store, rounds, cores, limits } = input;
  const { name, measure } = resolved.slo;
  const accepted = acceptedRange(resolved);
  const worse = worseDirection(measure);
  if (worse === undefined || accepted === undefined) return [];
  const scale = effectScale(accepted);
  const values = roundValues(store, { measure, scale }, rounds).filter((value) => value !== undefined);
  if (values.length < JUDGE_RULES.roundsMin) return [];
  const shifts = values.map((value) => worse * value.shifts.control);
  const shift = sum(shifts) / shifts.length;
  const variance = sum(shifts.map((value) => (value - shift) ** 2)) / (shifts.length - 1);
  const floor = Math.max(...values.map((value) => value.floor));
  const standardError = Math.max(Math.sqrt(variance), floor) / Math.sqrt(shifts.length);
  const level = JUDGE_RULES.controlFollowsAlpha[cores] / GATE_LEVEL_SHARE;
  if (!(studentTail(shift / standardError, shifts.length - 1) < level)) return [];
  const noise = { floor, inflation: roundsInflation(input.restarted) };
  const effects = values.map((value) => value.effect);
  const pass = roundsSequence(effects, noise, limits);
  const hidden = worse > 0 ? pass.hi + shift : pass.lo - shift;
  const bounds = boundsOf(accepted);
  if (worse > 0 ? hidden < bounds.hi : hidden > bounds.lo) return [];
  const text = (effect: number): string => describeMeasured(toDelta(effect, scale), accepted.scale, deltaUnit(measure));
  const message =
    `${name} moved by ${text(worse * shift)} with the plan over ${values.length} rounds on the untouched control: ` +
    `put back onto the shadow that may be ${text(hidden)}, outside the accepted range.`;
  return [{ code: "CONTROL_DISTURBED", subject: name, message }];
}
