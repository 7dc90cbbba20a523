import { z } from "zod";
import { sha256Hex } from "../core/sha256.ts";
import { type Profile, ProfileSchema } from "../judge/profile.ts";
import { readBundle } from "./bundle.ts";
import type { Keyring } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { openDocument, readStatementAs, STATEMENT_TYPE, signDocument } from "./signed-document.ts";

/** Type of the statement that a calibration profile is signed as; no reader of verdicts accepts it, nor the reverse. */
export const PROFILE_PREDICATE_TYPE = "https://canary-harness.dev/attestation/calibration-profile/v1";

const StatementSchema = z
  .strictObject({
    _type: z.literal(STATEMENT_TYPE),
    subject: z.tuple([z.strictObject({ name: z.string().max(600), digest: z.strictObject({ sha256: z.string() }) })]),
    predicateType: z.literal(PROFILE_PREDICATE_TYPE),
    predicate: ProfileSchema,
  })
  .refine(({ subject: [mirror], predicate }) => mirror.digest.sha256 === predicate.mirror.sha256, {
    path: ["subject"],
    message: "must be the profile's mirror",
  });

const PROFILE = { schema: StatementSchema, what: "calibration profile" } as const;

/** A profile that a trusted key signed, with the digest of its file. */
export type OpenedProfile =
  | { readonly kind: "profile"; readonly profile: Profile; readonly sha256: string }
  | { readonly kind: "problem"; readonly message: string };

/** Signs a profile with the key that signs verdicts: it bears on them. The text of a profile's file. */
export function signProfile(profile: Profile, key: SigningKey): string {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: `mirror/${profile.mirror.name}`, digest: { sha256: profile.mirror.sha256 } }],
    predicateType: PROFILE_PREDICATE_TYPE,
    predicate: profile,
  };
  return signDocument(statement, StatementSchema, key);
}

/** Reads a profile's file. Whoever could plant one could make verdicts easier to reach: any doubt is a refusal. */
export function openProfile(bundleText: string, trusted: Keyring): OpenedProfile {
  const opened = openDocument(bundleText, { ...PROFILE, role: "canary", keyring: trusted, at: "any-time" });
  if (opened.kind === "refused") return { kind: "problem", message: opened.message };
  return { kind: "profile", profile: opened.statement.predicate, sha256: sha256Hex(bundleText) };
}

/** What a profile's file says, without asking who signed it: for bytes whose digest is known to be the right one. */
export function readUnverifiedProfile(bundleText: string): OpenedProfile {
  const bundle = readBundle(bundleText);
  if (bundle.kind === "problem") return bundle;
  const read = readStatementAs(bundle.envelope.payload, PROFILE);
  return read.kind === "problem"
    ? read
    : { kind: "profile", profile: read.statement.predicate, sha256: sha256Hex(bundleText) };
}
