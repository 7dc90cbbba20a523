import { CanaryError } from "../../core/errors.ts";
import type { GateContext } from "../gate-context.ts";
import { claim } from "../records.ts";

/**
 * Remembers a delivery for ever, for all gates of the ledger: a captured one that is sent again finds its name taken.
 * @returns whether it is the first of its name
 * @throws what the ledger throws
 */
export async function recordDelivery(
  sender: string,
  id: string,
  { ledger, clock }: Pick<GateContext, "ledger" | "clock">,
): Promise<boolean> {
  const entry = {
    kind: "token-used",
    at: new Date(clock.epochMs()).toISOString(),
    body: { schema: "canary.gate-delivery/v1", sender, delivery: id },
    claim: claim.delivery(sender, id),
  } as const;
  try {
    await ledger.append([entry]);
    return true;
  } catch (error) {
    if (error instanceof CanaryError && error.code === "LEDGER_CLAIMED") return false;
    throw error;
  }
}
