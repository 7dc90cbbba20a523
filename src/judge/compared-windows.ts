import type { Window } from "../replay/recording.ts";
import type { SwitchbackRound } from "./switchback.ts";

/** Windows of the same kind, counted together: without the plan and with it in force. */
export interface ComparedWindows {
  readonly without: readonly Window[];
  readonly with: readonly Window[];
}

/** Of a switchback only the seconds that it is judged by: what lies between them would thin out the ones with the plan. */
export function comparedWindows(
  windows: { readonly baseline: Window; readonly after?: Window },
  rounds: readonly SwitchbackRound[] | undefined,
): ComparedWindows {
  if (rounds === undefined || rounds.length === 0) {
    return { without: [windows.baseline], with: windows.after === undefined ? [] : [windows.after] };
  }
  return { without: rounds.flatMap(({ before, after }) => [before, after]), with: rounds.map(({ on }) => on) };
}
