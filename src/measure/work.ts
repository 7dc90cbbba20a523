import type { Window } from "../replay/recording.ts";
import { type Arms, sum } from "./arm-series.ts";
import { addOutcomes, OUTCOME_CELLS, REQUEST_STATE, routeSections } from "./base-block.ts";
import type { BlockStore } from "./block-store.ts";
import { ALL_ROUTES } from "./harm-blocks.ts";
import type { PairCounts } from "./series.ts";

/** States of a request (`REQUEST_STATE`). */
const STATES = 4;

/** Work that was asked of both twins on one route, and how much of it each did. */
export interface RouteWork extends PairCounts {
  readonly route: string;
  readonly requests: number;
  readonly controlOk: number;
  readonly shadowOk: number;
  /** Requests that lacked a value to be sent with. */
  readonly blocked: Arms<number>;
  /** Requests that the driver had no room to send. */
  readonly dropped: Arms<number>;
}

/** Served work per route with traffic in a window, in the order of the recording's routes. */
export function workByRoute(store: BlockStore, window: Window): readonly RouteWork[] {
  const tallies = new Map<number, Uint32Array>();
  for (const { packed } of store.bases(window)) {
    for (const section of routeSections(packed)) {
      const tally = tallies.get(section.route) ?? new Uint32Array(OUTCOME_CELLS);
      tallies.set(section.route, tally);
      addOutcomes(section, tally);
    }
  }
  return [...tallies].sort(([a], [b]) => a - b).map(([route, tally]) => workOf(store.routes[route] ?? "?", tally));
}

/** Served work per route over several windows that share no second. */
export function workByRouteIn(store: BlockStore, windows: readonly Window[]): readonly RouteWork[] {
  const byRoute = Map.groupBy(
    windows.flatMap((window) => workByRoute(store, window)),
    (work) => work.route,
  );
  return [...byRoute].map(([route, works]) => ({ ...totalWork(works), route }));
}

/** Routes taken together, under the name of all of them. */
export function totalWork(routes: readonly RouteWork[]): RouteWork {
  const total = (pick: (work: RouteWork) => number): number => routes.reduce((sum, work) => sum + pick(work), 0);
  return {
    route: ALL_ROUTES,
    requests: total((work) => work.requests),
    controlOk: total((work) => work.controlOk),
    shadowOk: total((work) => work.shadowOk),
    shadowOnly: total((work) => work.shadowOnly),
    controlOnly: total((work) => work.controlOnly),
    neither: total((work) => work.neither),
    blocked: { control: total((work) => work.blocked.control), shadow: total((work) => work.blocked.shadow) },
    dropped: { control: total((work) => work.dropped.control), shadow: total((work) => work.dropped.shadow) },
  };
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
    blocked: { control: control(REQUEST_STATE.blocked), shadow: shadow(REQUEST_STATE.blocked) },
    dropped: { control: control(REQUEST_STATE.dropped), shadow: shadow(REQUEST_STATE.dropped) },
  };
}
