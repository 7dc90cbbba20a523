import type { Difference } from "../../mirror/fingerprint.ts";
import type { Role, StubCall, TwinPair } from "../../mirror/twin.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";

/** How many calls the stubs of each twin had answered at an instant. */
export type StubCallCounts = Readonly<Record<Role, number>>;

/** Where the stubs of both twins stand now. */
export function stubCallsSoFar(pair: Pick<TwinPair, Role>): StubCallCounts {
  return { control: pair.control.stubCalls().length, shadow: pair.shadow.stubCalls().length };
}

/**
 * Calls that the shadow made of third parties since then, beyond the application's own habit: what the control asked as well,
 * as often again and once more, because what calls by itself from time to time may have had its time on one twin only.
 */
export function shadowCalls(pair: Pick<TwinPair, Role>, since: StubCallCounts): readonly StubCall[] {
  const own = Map.groupBy(pair.control.stubCalls().slice(since.control), stubPath);
  const asked = Map.groupBy(pair.shadow.stubCalls().slice(since.shadow), stubPath);
  return [...asked].flatMap(([path, calls]) => {
    const habit = own.get(path)?.length ?? 0;
    return habit > 0 && calls.length <= 2 * habit + 1 ? [] : calls.slice(habit);
  });
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

/** `stub/<host>/<METHOD>/<path>` */
export function stubPath({ host, method, path }: StubCall): string {
  return resourcePath("stub", host, method, ...path.split("/").filter((segment) => segment !== ""));
}
