import { sameIdentity } from "../../attest/keyring.ts";
import type { SignOn } from "../../attest/witnessed-approval.ts";
import { CLOCK_SKEW_MS_MAX } from "../verdict-checks.ts";
import type { Claims } from "./identity-provider.ts";
import type { SignOnTerms, SignOnTrust } from "./sign-on-terms.ts";

export type SignedOn =
  | { readonly kind: "person"; readonly identity: string; readonly signOn: SignOn }
  | {
      readonly kind: "refused";
      readonly message: string;
      /** The account of somebody whom the operator has not listed. */
      readonly unlisted?: string;
    };

/** Who has signed on, by the operator's list, from the claims of an ID token that was checked. Whatever is unclear is nobody. */
export function personOf(
  claims: Claims,
  terms: Omit<SignOnTerms, "clientSecret" | "witness" | "origin" | "scopes">,
  atEpochMs: number,
): SignedOn {
  const authenticatedEpochMs = claims.auth_time * 1000;
  const ageMs = atEpochMs - authenticatedEpochMs;
  if (!(ageMs <= terms.maxAgeSeconds * 1000 + CLOCK_SKEW_MS_MAX && ageMs >= -CLOCK_SKEW_MS_MAX))
    return refused("the identity provider did not authenticate anybody just now; sign on anew");
  const account = claims[terms.accountClaim];
  if (typeof account !== "string" || account === "" || account.length > 255)
    return refused(`the identity provider says nothing in the claim ${terms.accountClaim}`);
  // Anybody can write somebody else's address into a profile; only a provider that has looked says that it is theirs.
  if (terms.accountClaim === "email" && claims["email_verified"] !== true)
    return refused("the identity provider has not verified the e-mail address");
  if (terms.groups !== undefined && !isInOne(claims[terms.groups.claim], terms.groups.anyOf))
    return refused(`the account is in none of the groups that may approve (${terms.groups.anyOf.join(", ")})`);
  const listed = terms.people().find((person) => person.account === account);
  if (listed === undefined) {
    return { kind: "refused", message: "the gate does not know whose account this is", unlisted: account };
  }
  const signOn: SignOn = {
    issuer: claims.iss,
    clientId: terms.clientId,
    subject: claims.sub,
    account: { claim: terms.accountClaim, value: account },
    authenticatedAt: new Date(authenticatedEpochMs).toISOString(),
    ...(claims.acr === undefined ? {} : { acr: claims.acr }),
    amr: claims.amr,
  };
  return { kind: "person", identity: listed.identity, signOn };
}

/** Whether the account that a gate saw is still this person's, at the provider that is configured now. */
export function isStillTheirs(
  { issuer, account }: SignOn,
  identity: string,
  trust: Pick<SignOnTrust, "issuer" | "accountClaim" | "people">,
): boolean {
  if (issuer !== trust.issuer || account.claim !== trust.accountClaim) return false;
  return trust.people().some((person) => person.account === account.value && sameIdentity(person.identity, identity));
}

function isInOne(groups: unknown, anyOf: readonly string[]): boolean {
  const named: readonly unknown[] = Array.isArray(groups) ? groups : [groups];
  return named.some((group) => typeof group === "string" && anyOf.includes(group));
}

function refused(message: string): SignedOn {
  return { kind: "refused", message };
}
