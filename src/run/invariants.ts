import { messageOf } from "../core/errors.ts";
import type { Reason } from "../judge/verdict.ts";
import { askReadOnly, isOneTrue } from "../mirror/ask-read-only.ts";
import type { Twin } from "../mirror/twin.ts";
import type { Scenario } from "./scenario.ts";

/**
 * Asks every invariant of the scenario on one twin while state stands still.
 * What cannot be answered, or answers anything but one true value, is broken: a check that errors fails.
 * @throws CanaryError MIRROR_UNAVAILABLE when it is the engine that does not answer: that says nothing of the plan
 */
export async function brokenInvariants(
  twin: Pick<Twin, "sql" | "role" | "configuration">,
  invariants: Scenario["invariants"],
  asked: { readonly when: string; readonly signal: AbortSignal },
): Promise<readonly Reason[]> {
  const { when, signal } = asked;
  const found = await Promise.all(
    invariants.map(async ({ name, sql }): Promise<readonly Reason[]> => {
      const broken = (how: string): readonly Reason[] => [
        { code: "INVARIANT_BROKEN", subject: name, message: `invariant ${name} ${how} on the ${twin.role} ${when}` },
      ];
      try {
        return isOneTrue(await askReadOnly(twin, sql)) ? [] : broken("did not hold");
      } catch (error) {
        await twin.configuration(signal);
        return broken(`could not be checked (${messageOf(error)})`);
      }
    }),
  );
  return found.flat();
}
