import type { Role, StubCall, TwinPair } from "../mirror/twin.ts";

/** How many calls the stubs of each twin had answered at an instant. */
export type StubCallCounts = Readonly<Record<Role, number>>;

/** Where the stubs of both twins stand now. */
export function stubCallsSoFar(pair: Pick<TwinPair, Role>): StubCallCounts {
  return { control: pair.control.stubCalls().length, shadow: pair.shadow.stubCalls().length };
}

/**
 * What was asked of third parties on the shadow only since `since`, each once: `POST payments.example/v1/charges`.
 * Called around the quiet proof, where nothing but the plan acts, these are effects that only a stub saw (DESIGN.md 3.3).
 * What the control asked meanwhile as well is the application's own habit.
 */
export function requestedOfStubs(pair: Pick<TwinPair, Role>, since: StubCallCounts): readonly string[] {
  const asked = (role: Role): ReadonlySet<string> => new Set(pair[role].stubCalls().slice(since[role]).map(callName));
  const own = asked("control");
  return [...asked("shadow")].filter((call) => !own.has(call)).sort();
}

function callName({ method, host, path }: StubCall): string {
  return `${method} ${host}${path}`;
}
