import type { Window } from "../replay/recording.ts";
import type { BlockStore } from "./block-store.ts";
import { isOnTime } from "./request-phase.ts";

/** Seconds of a window in which the load generator was late, and which are therefore left out on both twins. */
export interface LateSeconds {
  readonly late: number;
  readonly seconds: number;
}

/** Counts them; base blocks without a request are no seconds. */
export function lateSeconds(store: BlockStore, window: Window): LateSeconds {
  const bases = store.bases(window);
  const seconds = store.baseBlockMs / 1000;
  return {
    late: bases.filter((base) => !isOnTime(base)).length * seconds,
    seconds: bases.length * seconds,
  };
}
