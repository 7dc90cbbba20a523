import type { Role, StubCall, TwinPair } from "../mirror/twin.ts";
import { type StubCallCounts, shadowCalls } from "../replay/proof/stub-effects.ts";

/**
 * What was asked of third parties on the shadow only since `since`, each once: `POST payments.example/v1/charges`.
 * Called around the quiet proof, where nothing but the plan acts, these are effects that only a stub saw (DESIGN.md 3.3).
 * @param accepted - hosts whose stubs the operator takes for proof (`acceptStubs` of the scenario)
 */
export function requestedOfStubs(
  pair: Pick<TwinPair, Role>,
  since: StubCallCounts,
  accepted: readonly string[],
): readonly string[] {
  const doubtful = shadowCalls(pair, since).filter(({ host }) => !accepted.includes(host));
  return [...new Set(doubtful.map(callName))].sort();
}

function callName({ method, host, path }: StubCall): string {
  return `${method} ${host}${path}`;
}
