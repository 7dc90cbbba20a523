import type { Arms } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { lostShares, readingsOf, type Stillness, stillnessOf } from "../measure/reading-health.ts";
import type { Measure } from "../measure/slo.ts";
import type { Role } from "../mirror/twin.ts";
import type { Window } from "../replay/recording.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { ReasonCode, SloJudgement } from "./verdict.ts";

// A pass that rests on readings is only as good as they are. A saturated exporter times out exactly while its twin is harmed, and
// a dead one repeats itself: in both the difference of the twins shows nothing. Requests are counted by the driver, which no
// twin can silence.

/** The windows that an answer is made of: without the plan, and with it in force. */
export interface JudgedPhases {
  readonly without: readonly Window[];
  readonly inForce: readonly Window[];
}

/**
 * A pass that is held while one twin lacks more than 5 points more of its expected readings than the other in either phase
 * (STATISTICS.md 4), or while one twin's readings stand still; anything else as it is. A later look may pass: what a restart
 * cost of the first seconds weighs less and less. Between the phases, while the plan acts and settles, nothing is judged by
 * readings, and starts and restarts lose some: they are not counted there. A counter that falls has lost nothing of its readings.
 */
export function heldForReadings(
  judged: SloJudgement,
  measure: Measure,
  look: { readonly store: BlockStore; readonly phases: JudgedPhases },
): SloJudgement {
  if (judged.state !== "pass") return judged;
  const series = readingsOf(look.store, measure);
  for (const readings of series) {
    const loss =
      lossText(lostShares(readings, look.phases.inForce), "with the plan in force") ??
      lossText(lostShares(readings, look.phases.without), "without the plan");
    if (loss !== undefined) return held(judged, "ASYMMETRIC_LOSS", loss);
  }
  // Of a histogram the last bucket counts everything; in the others nothing may come for long.
  const all = series.at(-1);
  if (all === undefined) return judged;
  const inForce = stillnessOf(all, look.phases.inForce);
  const frozen = frozenTwin({ without: stillnessOf(all, look.phases.without), inForce });
  return frozen === undefined ? judged : held(judged, "NO_DATA", frozenText(frozen, inForce[frozen]));
}

/** Whether an SLO is held because of its readings: its numbers are inside, and mean nothing. */
export function isHeldForReadings({ state, because }: SloJudgement): boolean {
  return state === "open" && (because?.code === "ASYMMETRIC_LOSS" || because?.code === "NO_DATA");
}

/**
 * The twin whose series has stopped with the plan in force; what has ended on both is over. A fifth of the steps without a
 * change is enough, as a fifth of invalid blocks is, where it is no chance: by how often the shadow stood still before, and by how
 * often the control does now. Configured numbers stand still on both twins and queues are empty for long: neither is frozen.
 * A control is held to its own past only: what never moved there says the same of the plan as it did.
 */
export function frozenTwin(phases: {
  readonly without: Arms<Stillness>;
  readonly inForce: Arms<Stillness>;
}): Role | undefined {
  const { without, inForce } = phases;
  const { control, shadow } = inForce;
  const ofShadow = [usualStillness(without.shadow), usualStillness(control)];
  const controlStopped = standsStill(control) && isNoChance(control, usualStillness(without.control));
  if (!standsStill(shadow)) return controlStopped ? "control" : undefined;
  return !controlStopped && isNoChance(shadow, Math.min(...ofShadow)) ? "shadow" : undefined;
}

/**
 * Chance that a series which stands still does so for one more step: what comes in bursts pauses longer than its share of changes
 * says. What was never seen says nothing against standing still.
 */
function usualStillness({ steps, unchanged, afterStill, stillAgain }: Stillness): number {
  if (steps === 0) return 1;
  return Math.max(unchanged / steps, afterStill === 0 ? 0 : stillAgain / afterStill);
}

function standsStill({ steps, sinceChange }: Stillness): boolean {
  return sinceChange > JUDGE_RULES.invalidShareMax * steps;
}

function isNoChance({ sinceChange }: Stillness, usual: number): boolean {
  return usual ** sinceChange < JUDGE_RULES.frozenChance;
}

function lossText(lost: Arms<number> | undefined, when: string): string | undefined {
  if (lost === undefined || !(Math.abs(lost.shadow - lost.control) > JUDGE_RULES.asymmetricLossMax)) return undefined;
  return `${percent(lost.shadow)} of the shadow's readings ${when} are missing and ${percent(lost.control)} of the control's: what is missing may be what matters`;
}

function frozenText(role: Role, { steps, sinceChange }: Stillness): string {
  const other = role === "shadow" ? "control" : "shadow";
  return `the ${role}'s value did not change over the last ${sinceChange + 1} of ${steps + 1} readings with the plan in force, the ${other}'s did not stop: a frozen exporter looks the same`;
}

/** Open, not without data: the numbers are there, and another look may find them sound. */
function held(judged: SloJudgement, code: ReasonCode, text: string): SloJudgement {
  const note = `${text}; ${judged.note} says nothing yet`;
  return {
    ...judged,
    state: "open",
    note,
    because: { code, subject: judged.name, message: `${judged.name}: ${note}` },
  };
}

function percent(value: number): string {
  return `${Number((Math.max(0, value) * 100).toPrecision(3))}%`;
}
