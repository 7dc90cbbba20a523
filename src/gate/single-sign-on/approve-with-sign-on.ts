import { signWitnessedApproval } from "../../attest/witnessed-approval.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { PAGE_APPROVAL_MS } from "../approvals-page/passkeys.ts";
import {
  isLate,
  objectionToApproving,
  type PageAnswer,
  recordPageApproval,
  takeBack,
} from "../approvals-page/record-approval.ts";
import type { EvidenceSources } from "../read-evidence.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { personOf } from "./person-of.ts";
import type { SignOnTerms } from "./sign-on-terms.ts";
import { type SignOnWords, secretsOf } from "./sign-on-words.ts";

export type SignOnApproval =
  | PageAnswer
  /** Somebody signed on whom the operator has not listed under this account. */
  | { readonly kind: "unlisted"; readonly account: string; readonly message: string }
  | { readonly kind: "unavailable"; readonly message: string };

/**
 * Records the approval of whoever the identity provider has just authenticated for these words, or that they take it back. Its word ends with the connection, so
 * the gate signs what it saw, and what it signed is what counts.
 * @throws what the stores throw
 */
export async function approveWithSignOn(
  given: { readonly words: SignOnWords; readonly query: URLSearchParams },
  { terms, provider }: { readonly terms: SignOnTerms; readonly provider: IdentityProvider },
  sources: EvidenceSources,
): Promise<SignOnApproval> {
  const { words, query } = given;
  const refused = (message: string): SignOnApproval => ({ kind: "refused", message });
  if (isLate(words, sources.clock.epochMs())) return refused("signing on took too long; load the page again");
  const redeemed = await provider.redeem(query, secretsOf(words, sources.tokenSecret));
  if (redeemed.kind !== "claims") return redeemed;
  const atEpochMs = sources.clock.epochMs();
  const signedOn = personOf(redeemed.claims, terms, atEpochMs);
  if (signedOn.kind === "refused") {
    const { message, unlisted } = signedOn;
    return unlisted === undefined ? refused(message) : { kind: "unlisted", account: unlisted, message };
  }
  const { identity: person, signOn } = signedOn;
  if (words.purpose === "take-back")
    return await takeBack({ words, person, shownBy: "single-sign-on", atEpochMs }, sources);
  const objection = await objectionToApproving(words, { person, shownBy: "single-sign-on" }, sources, atEpochMs);
  if (objection !== undefined) return refused(objection);
  const bundle = signWitnessedApproval(
    {
      planSha256: words.plan,
      environment: words.environment,
      verdictSha256: words.verdict,
      person,
      signOn,
      approvedAtEpochMs: atEpochMs,
      expiresAtEpochMs: atEpochMs + PAGE_APPROVAL_MS,
      nonce: words.nonce,
    },
    terms.witness,
  );
  const body = { schema: "canary.gate-witnessed-approval/v1", bundle: sha256Hex(bundle), plan: words.plan };
  const record = { words, person, shownBy: "single-sign-on", body, documents: [bundle], atEpochMs } as const;
  return await recordPageApproval(record, sources);
}
