import type { Role } from "../../mirror/twin.ts";
import type { RouteSpec } from "../traffic-spec.ts";
import type { Scalar } from "./template.ts";

/** Values one answer gave, by captured name; a name is absent if the answer did not hold it. */
export type CapturedValues = ReadonlyMap<string, Scalar>;

/** What one request gave on each twin. The two are never mixed: a twin only ever sees its own. */
export type CapturedPair = Readonly<Record<Role, CapturedValues>> & { readonly sequence: number };

/** The latest requests that gave values; a later request takes both twins' values from one and the same of them. */
export interface CapturePool {
  /** Remembers a request that both twins have finished, if at least one of them gave something. */
  add(pair: CapturedPair): void;
  /** One of the remembered requests, drawn uniformly; `undefined` while there is none. */
  pick(draw: number): CapturedPair | undefined;
}

/** Enough for variety; older values would often be stale (an order long shipped). */
const POOL_SIZE = 1024;

/** A pool that keeps the latest 1,024 pairs. */
export function capturePool(): CapturePool {
  const kept: CapturedPair[] = [];
  let added = 0;
  return {
    add: (pair) => {
      if (pair.control.size === 0 && pair.shadow.size === 0) return;
      kept[added % POOL_SIZE] = pair;
      added += 1;
    },
    pick: (draw) => kept[Math.floor(draw * kept.length)],
  };
}

/**
 * Which pool each captured name lives in. Names that the same routes capture share one, so that an order's id and its
 * token come from one answer.
 */
export interface CapturePlan {
  readonly poolCount: number;
  readonly poolOfName: ReadonlyMap<string, number>;
  /** Pools that a route of the mix feeds, by its index. */
  readonly poolsOfRoute: readonly (readonly number[])[];
}

/** Lays out the pools of a mix. */
export function planCaptures(mix: readonly RouteSpec[]): CapturePlan {
  const sources = new Map<string, number[]>();
  for (const [index, route] of mix.entries()) {
    for (const name of Object.keys(route.capture)) sources.set(name, [...(sources.get(name) ?? []), index]);
  }
  const pools = [...new Set([...sources.values()].map((routes) => routes.join(",")))];
  const poolOfName = new Map([...sources].map(([name, routes]) => [name, pools.indexOf(routes.join(","))]));
  const poolsOfRoute = mix.map((route) => [
    ...new Set(Object.keys(route.capture).flatMap((name) => poolOfName.get(name) ?? [])),
  ]);
  return { poolCount: pools.length, poolOfName, poolsOfRoute };
}
