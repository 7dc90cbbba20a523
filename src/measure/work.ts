import type { Window } from "../replay/recording.ts";
import { type Arms, sum } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { PAIR_WORDS, REQUEST_STATE } from "./pair-log.ts";
import type { PairCounts } from "./series.ts";

/** States of a request (`REQUEST_STATE`). */
const STATES = 4;

/** Work that was asked of both twins on one route, and how much of it each did. */
export interface RouteWork extends PairCounts {
  readonly route: string;
  readonly requests: number;
  readonly controlOk: number;
  readonly shadowOk: number;
  /** Requests that the driver had no room to send. */
  readonly dropped: Arms<number>;
}

/** Served work per route with traffic in a window, in the order of the recording's routes. */
export function workByRoute(store: BlockStore, window: Window): readonly RouteWork[] {
  const tallies = new Map<number, Uint32Array>();
  for (const { words, size } of store.bases(window)) {
    for (let at = 0; at < size * PAIR_WORDS; at += PAIR_WORDS) {
      const route = words[at] ?? 0;
      const tally = tallies.get(route) ?? new Uint32Array(STATES * STATES);
      tallies.set(route, tally);
      const cell = ((words[at + 1] ?? 0) & 3) * STATES + ((words[at + 2] ?? 0) & 3);
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

/** Counts by control state times four plus shadow state. */
function workOf(route: string, tally: Uint32Array): RouteWork {
  const control = (state: number): number =>
    tally.subarray(state * STATES, (state + 1) * STATES).reduce((a, b) => a + b, 0);
  const shadow = (state: number): number =>
    sum(Array.from({ length: STATES }, (_, row) => tally[row * STATES + state] ?? 0));
  const requests = tally.reduce((a, b) => a + b, 0);
  const [controlOk, shadowOk] = [control(REQUEST_STATE.ok), shadow(REQUEST_STATE.ok)];
  const bothOk = tally[0] ?? 0;
  const [shadowOnly, controlOnly] = [controlOk - bothOk, shadowOk - bothOk];
  return {
    route,
    requests,
    controlOk,
    shadowOk,
    shadowOnly,
    controlOnly,
    neither: requests - shadowOnly - controlOnly,
    dropped: { control: control(REQUEST_STATE.dropped), shadow: shadow(REQUEST_STATE.dropped) },
  };
}
