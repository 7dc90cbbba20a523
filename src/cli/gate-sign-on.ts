import path from "node:path";
import { readPrivateKeyFile } from "../attest/key-files.ts";
import { findKey, type Keyring } from "../attest/keyring.ts";
import { CanaryError } from "../core/errors.ts";
import type { SignOn } from "../gate/routes/sign-on-routes.ts";
import type { SignOnPerson, SignOnTerms } from "../gate/single-sign-on/sign-on-terms.ts";
import { type LoadedGateConfig, readSecretBeside } from "./gate-files.ts";
import { passphrase } from "./key-location.ts";
import { systemClock } from "./system.ts";

/**
 * How people sign on at this gate; undefined where its configuration names no provider.
 * @param state.people - asked anew every time: whose account is whose
 * @throws CanaryError GATE_INVALID where the gate's own key is not trusted to witness; KEY_UNUSABLE where it cannot be read
 */
export async function signOnOf(
  loaded: LoadedGateConfig,
  state: { readonly keyring: Keyring; readonly people: readonly SignOnPerson[] },
  report: (message: string) => void,
): Promise<SignOn | undefined> {
  const { approvals } = loaded.config;
  if (approvals?.singleSignOn === undefined) return undefined;
  const { clientSecretFile, peopleFile: _, account, groups, witnessKeyFile, ...rest } = approvals.singleSignOn;
  const witness = await readPrivateKeyFile(path.resolve(loaded.folder, witnessKeyFile), passphrase());
  const asked = { keyId: witness.keyId, role: "gate", at: systemClock.epochMs() } as const;
  const trusted = findKey(state.keyring, asked);
  if (trusted.kind === "refused") {
    throw new CanaryError({
      code: "GATE_INVALID",
      message: `what the gate sees at a sign-on would not count: ${trusted.message}`,
      hint: `Put the public half of ${witnessKeyFile} into the file of trusted keys, with role: gate.`,
    });
  }
  const terms: SignOnTerms = {
    ...rest,
    origin: approvals.origin,
    clientSecret: await readSecretBeside(loaded, clientSecretFile),
    accountClaim: account,
    people: () => state.people,
    ...(groups === undefined ? {} : { groups }),
    witness,
  };
  const { identityProvider } = await import("../gate/single-sign-on/identity-provider.ts");
  return { terms, provider: identityProvider(terms, { fetch, report }) };
}
