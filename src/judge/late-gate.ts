import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { lateSeconds } from "../measure/late-seconds.ts";
import type { Window } from "../replay/recording.ts";
import type { ComparedWindows } from "./compared-windows.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { Reason } from "./verdict.ts";

/**
 * Late seconds are left out on both twins, which is fair only while they come by chance: a plan that starves the machine
 * makes the driver late in the very seconds in which it harms. Smaller shares are for `late-check.ts`.
 * @param shiftMax - share of late seconds with the plan in force beyond the one without it
 */
export function lateGate(
  store: BlockStore,
  windows: ComparedWindows,
  shiftMax: number = JUDGE_RULES.lateShiftMax,
): readonly Reason[] {
  if (windows.with.length === 0) return [];
  const lateOf = (side: readonly Window[]): { readonly late: number; readonly share: number } => {
    const counted = side.map((window) => lateSeconds(store, window));
    const [late, seconds] = [sum(counted.map((of) => of.late)), sum(counted.map((of) => of.seconds))];
    return { late, share: seconds === 0 ? 0 : late / seconds };
  };
  const [was, is] = [lateOf(windows.without), lateOf(windows.with)];
  const isOfRounds = windows.without.length > 1;
  const [when, otherwise] = isOfRounds ? ["with the plan in force", "without it"] : ["after the plan", "before it"];
  const message = `The load generator was late in ${percent(is.share)} of all seconds ${when}, ${percent(was.share)} ${otherwise}`;
  if (is.share > JUDGE_RULES.invalidShareMax) {
    return [{ code: "NO_DATA", message: `${message}: too few are left to judge.` }];
  }
  if (is.late < JUDGE_RULES.lateSecondsMin || is.share - was.share <= shiftMax) return [];
  return [{ code: "ENVIRONMENT_UNSTABLE", message: `${message}: what had to be left out may be what the plan did.` }];
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}
