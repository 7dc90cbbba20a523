import type { Keyring } from "../attest/keyring.ts";
import { verifyRunbookSignature } from "../attest/runbook-statement.ts";
import type { Plan } from "../plan/plan.ts";
import type { Runbook } from "../runbook/runbook.ts";

/** The author of the runbook that a plan names, who therefore cannot approve it. */
export type RunbookCheck =
  | { readonly kind: "none-named" }
  | { readonly kind: "author"; readonly author: string }
  | { readonly kind: "refused"; readonly message: string };

/**
 * Whether what was given is the runbook that a plan names, signed by its author, whose key is trusted at this instant. A plan
 * that names one whose author nobody can tell is refused: the author could be among its approvers.
 * @param given.signature - text of the runbook's Sigstore bundle
 */
export function checkRunbook(
  { runbook: named }: Pick<Plan, "runbook">,
  given: { readonly runbook?: Runbook | undefined; readonly signature?: string | undefined },
  { keyring, at }: { readonly keyring: Keyring; readonly at: number },
): RunbookCheck {
  const { runbook, signature } = given;
  if (named === undefined && runbook === undefined && signature === undefined) return { kind: "none-named" };
  if (named === undefined) return { kind: "refused", message: "a runbook came with it, and the plan names none" };
  const what = `runbook ${named.name} (${named.sha256})`;
  if (runbook === undefined || signature === undefined) {
    return { kind: "refused", message: `the plan names ${what}, which did not come with its signature` };
  }
  if (runbook.name !== named.name || runbook.sha256 !== named.sha256) {
    return { kind: "refused", message: `the plan names ${what}, and what came is ${runbook.name} (${runbook.sha256})` };
  }
  const checked = verifyRunbookSignature({ bundleText: signature, runbook, keyring, at });
  return checked.kind === "signed"
    ? { kind: "author", author: runbook.author }
    : { kind: "refused", message: `the signature of ${what}: ${checked.message}` };
}
