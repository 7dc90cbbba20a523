import { signedBundle } from "../../src/attest/bundle.ts";
import { canonicalJson } from "../../src/attest/canonical-json.ts";
import type { KeyRole, TrustedKey } from "../../src/attest/keyring.ts";
import { loadPrivateKey, newKeyPair, type SigningKey } from "../../src/attest/keys.ts";

/** Somebody with a key of their own, and the entry by which a verifier trusts it. */
export interface Signer {
  readonly key: SigningKey;
  readonly privatePem: string;
  readonly entry: TrustedKey;
}

/** A new key of this identity in this role. */
export function signer(identity: string, role: KeyRole, changes: Partial<TrustedKey> = {}): Signer {
  const pair = newKeyPair();
  const { keyId, publicPem, privatePem } = pair;
  return { key: loadPrivateKey(privatePem), privatePem, entry: { keyId, publicPem, role, identity, ...changes } };
}

/** JSON that a test bends out of shape; its type is lost on purpose. */
export type Loose = ReturnType<typeof JSON.parse>;

/** The bundle with its envelope changed; its signature stays. */
export function bentBundle(bundleText: string, change: (bundle: Loose) => void): string {
  const bundle = JSON.parse(bundleText);
  change(bundle);
  return JSON.stringify(bundle);
}

/** The bundle's statement, changed and rightly signed again. */
export function resigned(bundleText: string, key: SigningKey, change: (statement: Loose) => void): string {
  const statement = JSON.parse(Buffer.from(JSON.parse(bundleText).dsseEnvelope.payload, "base64").toString());
  change(statement);
  return signedBundle(Buffer.from(canonicalJson(statement)), key);
}
