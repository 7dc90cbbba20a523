import type { z } from "zod";
import { readBundle } from "../attest/bundle.ts";
import { isSignedBy } from "../attest/dsse.ts";
import { findKey, type KeyRole, type Keyring } from "../attest/keyring.ts";
import { readStatementAs } from "../attest/signed-document.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Signer } from "./evidence.ts";

/**
 * A signed document of the ledger, read without asking who signed it: a verdict against a plan counts also when its key has
 * been revoked since. Who signed it is asked anew, with `signerOf`, whenever it is to speak for a plan.
 */
export interface SignedRecord<T> {
  readonly statement: T;
  /** SHA-256 of the signed bytes: the same for every spelling of the envelope, so that no verdict can come twice. */
  readonly digest: string;
  readonly payload: Buffer;
  readonly signature: Buffer;
  readonly keyId: string;
}

export type ReadSigned<T> =
  | { readonly kind: "record"; readonly record: SignedRecord<T> }
  | { readonly kind: "problem"; readonly message: string };

/** Reads a bundle as a statement of one kind. */
export function readSigned<T>(
  bundleText: string,
  asked: { readonly schema: z.ZodType<T>; readonly what: string },
): ReadSigned<T> {
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return bundle;
  const { payload, signature, keyId } = bundle.envelope;
  const read = readStatementAs(payload, asked);
  if (read.kind === "problem") return read;
  return {
    kind: "record",
    record: { statement: read.statement, digest: sha256Hex(payload), payload, signature, keyId },
  };
}

/** Whether a key that is trusted in this role at this instant signed it. */
export function signerOf(
  record: SignedRecord<unknown>,
  trust: { readonly keyring: Keyring; readonly role: KeyRole; readonly at: number },
): Signer {
  const found = findKey(trust.keyring, { keyId: record.keyId, role: trust.role, at: trust.at });
  if (found.kind === "refused") return { kind: "untrusted", why: found.message };
  return isSignedBy(record.payload, record.signature, found.key)
    ? { kind: "trusted", keyId: record.keyId }
    : { kind: "untrusted", why: `the signature does not fit the content and key ${record.keyId}` };
}
