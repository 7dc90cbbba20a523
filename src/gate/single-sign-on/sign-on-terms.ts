import { z } from "zod";
import type { SigningKey } from "../../attest/keys.ts";
import type { SignOn } from "../../attest/witnessed-approval.ts";

const Account = z.string().min(1).max(255);

/** Schema of `canary.sign-on-people/v1`: whose account at the identity provider is whose, as the operator wrote it. */
export const SignOnPeopleSchema = z
  .strictObject({
    schema: z.literal("canary.sign-on-people/v1"),
    people: z.array(z.strictObject({ identity: z.string().min(1).max(200), account: Account })).max(1000),
  })
  .superRefine(({ people }, context) => {
    const accounts = people.map(({ account }) => account);
    const twice = accounts.find((account, index) => accounts.indexOf(account) < index);
    if (twice === undefined) return;
    context.addIssue({ code: "custom", path: ["people"], message: `account "${twice}" stands there twice` });
  });

/** An account of a person. */
export type SignOnPerson = z.infer<typeof SignOnPeopleSchema>["people"][number];

/** By what an approval that was given by single sign-on counts. */
export interface SignOnTrust {
  /** `iss` of every ID token; the only provider that is ever asked. */
  readonly issuer: string;
  /** The claim that holds the account; `sub` is the one that a provider never gives to somebody else. */
  readonly accountClaim: string;
  /** Asked anew every time, so that who is taken out stops counting at once. */
  readonly people: () => readonly SignOnPerson[];
  /** What the provider says of an authentication that is strong; empty lists: none is. */
  readonly strong: { readonly acr: readonly string[]; readonly amr: readonly string[] };
}

/** How people sign on at the approvals page. */
export interface SignOnTerms extends SignOnTrust {
  /** `https://gate.example`: where the provider sends people back to. */
  readonly origin: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scopes: readonly string[];
  /** Of the groups in this claim the person must be in one. */
  readonly groups?: { readonly claim: string; readonly anyOf: readonly string[] };
  /** An authentication that is older does not count. */
  readonly maxAgeSeconds: number;
  /** Signs what the gate saw; trusted in the role `gate`. */
  readonly witness: SigningKey;
}

/** Where the provider sends people back to, as it has to be registered there. */
export function redirectUri({ origin }: Pick<SignOnTerms, "origin">): string {
  return `${origin}/approvals/sign-on/callback`;
}

/** Whether the provider says that the person was strongly authenticated, in words that the operator named. */
export function isStrong({ acr, amr }: Pick<SignOn, "acr" | "amr">, { strong }: Pick<SignOnTrust, "strong">): boolean {
  return (acr !== undefined && strong.acr.includes(acr)) || amr.some((method) => strong.amr.includes(method));
}
