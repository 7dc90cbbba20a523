import { z } from "zod";
import { sha256Hex } from "../core/sha256.ts";
import { type Profile, ProfileSchema } from "../judge/profile.ts";
import { readBundle, signedBundle } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import { isSignedBy } from "./dsse.ts";
import type { Keyring } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { parseStrictJson } from "./strict-json.ts";
import { findSigner } from "./verify.ts";

/** Type of the statement that a calibration profile is signed as; no reader of verdicts accepts it, nor the reverse. */
export const PROFILE_PREDICATE_TYPE = "https://canary-harness.dev/attestation/calibration-profile/v1";

const StatementSchema = z
  .strictObject({
    _type: z.literal("https://in-toto.io/Statement/v1"),
    subject: z.tuple([z.strictObject({ name: z.string().max(600), digest: z.strictObject({ sha256: z.string() }) })]),
    predicateType: z.literal(PROFILE_PREDICATE_TYPE),
    predicate: ProfileSchema,
  })
  .refine(({ subject: [mirror], predicate }) => mirror.digest.sha256 === predicate.mirror.sha256, {
    path: ["subject"],
    message: "must be the profile's mirror",
  });

/** A profile that a trusted key signed, with the digest of its file. */
export type OpenedProfile =
  | { readonly kind: "profile"; readonly profile: Profile; readonly sha256: string }
  | { readonly kind: "problem"; readonly message: string };

/** Signs a profile with the key that signs verdicts: it bears on them. The text of a profile's file. */
export function signProfile(profile: Profile, key: SigningKey): string {
  // Parsed by the schema that readers use, so that nothing is ever signed that would not open.
  const statement = StatementSchema.parse({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: `mirror/${profile.mirror.name}`, digest: { sha256: profile.mirror.sha256 } }],
    predicateType: PROFILE_PREDICATE_TYPE,
    predicate: profile,
  });
  return signedBundle(Buffer.from(canonicalJson(statement)), key);
}

/** Reads a profile's file. Whoever could plant one could make verdicts easier to reach: any doubt is a refusal. */
export function openProfile(bundleText: string, trusted: Keyring): OpenedProfile {
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return bundle;
  const signer = findSigner(bundle.envelope, trusted, "any-time");
  if (signer.kind === "problem") return signer;
  if (!isSignedBy(bundle.envelope.payload, bundle.envelope.signature, signer.key)) {
    return { kind: "problem", message: `the signature does not fit the content and key ${bundle.envelope.keyId}` };
  }
  return readStatement(bundle.envelope.payload, bundleText);
}

/** What a profile's file says, without asking who signed it: for bytes whose digest is known to be the right one. */
export function readUnverifiedProfile(bundleText: string): OpenedProfile {
  const bundle = readBundle(bundleText);
  return bundle.kind === "problem" ? bundle : readStatement(bundle.envelope.payload, bundleText);
}

function readStatement(payload: Uint8Array, bundleText: string): OpenedProfile {
  const json = parseStrictJson(payload);
  if (json.kind === "problem") return { kind: "problem", message: `the statement ${json.message}` };
  const result = StatementSchema.safeParse(json.value);
  if (result.success) return { kind: "profile", profile: result.data.predicate, sha256: sha256Hex(bundleText) };
  const [issue] = result.error.issues;
  return { kind: "problem", message: `this is no calibration profile: ${issue?.path.join(".")}: ${issue?.message}` };
}
