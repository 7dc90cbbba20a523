import type { Difference } from "../../mirror/fingerprint.ts";
import type { Role, StubCall, TwinPair } from "../../mirror/twin.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";

/** How many calls the stubs of each twin had answered at an instant. */
export type StubCallCounts = Readonly<Record<Role, number>>;

/** Where the stubs of both twins stand now. */
export function stubCallsSoFar(pair: Pick<TwinPair, Role>): StubCallCounts {
  return { control: pair.control.stubCalls().length, shadow: pair.shadow.stubCalls().length };
}

/** Calls that the shadow made of third parties since then; what the control asked as well is the application's own habit. */
export function shadowCalls(pair: Pick<TwinPair, Role>, since: StubCallCounts): readonly StubCall[] {
  const own = new Set(pair.control.stubCalls().slice(since.control).map(stubPath));
  return pair.shadow
    .stubCalls()
    .slice(since.shadow)
    .filter((call) => !own.has(stubPath(call)));
}

/** The same as effects: `stub/<host>/<METHOD>/<path>` with how often it was asked. */
export function stubEffects(pair: Pick<TwinPair, Role>, since: StubCallCounts): readonly Difference[] {
  const counts = new Map<string, number>();
  for (const call of shadowCalls(pair, since)) counts.set(stubPath(call), (counts.get(stubPath(call)) ?? 0) + 1);
  return [...counts].map(([path, count]) => ({
    path,
    kind: "added",
    after: count === 1 ? "1 call" : `${count} calls`,
  }));
}

function stubPath({ host, method, path }: StubCall): string {
  return resourcePath("stub", host, method, ...path.split("/").filter((segment) => segment !== ""));
}
