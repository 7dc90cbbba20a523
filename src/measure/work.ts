import type { Window } from "../replay/recording.ts";
import type { BlockStore } from "./block-store.ts";
import { PAIR_WORDS, REQUEST_STATE } from "./pair-log.ts";
import type { PairCounts } from "./series.ts";

/** Work that was asked of both twins on one route, and how much of it each did. */
export interface RouteWork extends PairCounts {
  readonly route: string;
  readonly requests: number;
  readonly controlOk: number;
  readonly shadowOk: number;
}

/** Served work per route with traffic in a window, in the order of the recording's routes. */
export function workByRoute(store: BlockStore, window: Window): readonly RouteWork[] {
  const tallies = new Map<number, Uint32Array>();
  for (const { words, size } of store.bases(window)) {
    for (let at = 0; at < size * PAIR_WORDS; at += PAIR_WORDS) {
      const route = words[at] ?? 0;
      const tally = tallies.get(route) ?? new Uint32Array(4);
      tallies.set(route, tally);
      const controlOk = ((words[at + 1] ?? 0) & 3) === REQUEST_STATE.ok;
      const shadowOk = ((words[at + 2] ?? 0) & 3) === REQUEST_STATE.ok;
      const cell = (controlOk ? 2 : 0) + (shadowOk ? 1 : 0);
      tally[cell] = (tally[cell] ?? 0) + 1;
    }
  }
  return [...tallies].sort(([a], [b]) => a - b).map(([route, tally]) => workOf(store.routes[route] ?? "?", tally));
}

/** Errors the shadow had more than the control in a window; negative when it had fewer. `route` undefined: all. */
export function excessErrors(store: BlockStore, window: Window, route: string | undefined): number {
  return workByRoute(store, window)
    .filter((work) => route === undefined || work.route === route)
    .reduce((excess, work) => excess + work.shadowOnly - work.controlOnly, 0);
}

function workOf(route: string, tally: Uint32Array): RouteWork {
  const [neitherOk = 0, shadowOnlyOk = 0, controlOnlyOk = 0, bothOk = 0] = tally;
  return {
    route,
    requests: neitherOk + shadowOnlyOk + controlOnlyOk + bothOk,
    controlOk: controlOnlyOk + bothOk,
    shadowOk: shadowOnlyOk + bothOk,
    shadowOnly: controlOnlyOk,
    controlOnly: shadowOnlyOk,
    neither: neitherOk + bothOk,
  };
}
