import { CanaryError, messageOf } from "../../core/errors.ts";
import { InvariantViolation } from "../../core/invariant.ts";
import type { StateSpec } from "../mirror-spec.ts";

/**
 * Runs a read of a store; whatever the store itself refuses becomes an error of ours, because a state that cannot be read
 * is no finding about a plan.
 * @throws CanaryError MIRROR_UNAVAILABLE naming the store; signal.reason when aborted
 */
export async function readingState<T>(store: StateSpec, signal: AbortSignal, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof CanaryError || cause instanceof InvariantViolation) throw cause;
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the state of ${store.service} cannot be read: ${messageOf(cause)}`,
      hint: `The mirror's ${store.kind} user must be allowed to read everything that is state.`,
      cause,
    });
  }
}
