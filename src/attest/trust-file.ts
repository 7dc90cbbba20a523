import { realpath } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { parseDocument } from "../core/document.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { readBoundedText } from "./bounded-file.ts";
import { readPublicKeyFile } from "./key-files.ts";
import { KEY_ROLES, type Keyring, type TrustedKey } from "./keyring.ts";
import { loadPublicKey } from "./keys.ts";

const Identity = z
  .string()
  .max(200)
  .regex(/^\S(?:.*\S)?$/, "a name without surrounding space");
const Instant = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const KeySchema = z
  .strictObject({
    identity: Identity,
    role: z.enum(KEY_ROLES),
    owner: Identity.optional(),
    /** PEM text of the public key. */
    publicKey: z.string().min(1).max(4000).optional(),
    /** Or a file with it, relative to this file and not outside its folder. */
    publicKeyFile: z.string().min(1).max(400).optional(),
    notBefore: Instant.optional(),
    notAfter: Instant.optional(),
    revoked: z.strictObject({ at: Instant, reason: z.string().min(1).max(400) }).optional(),
  })
  .refine((key) => (key.publicKey === undefined) !== (key.publicKeyFile === undefined), {
    message: "needs exactly one of publicKey and publicKeyFile",
  })
  .refine((key) => key.owner === undefined || key.role === "agent", {
    path: ["owner"],
    message: "is for the keys of agents; every other key is its identity's own",
  })
  .refine(({ notBefore, notAfter }) => notBefore === undefined || notAfter === undefined || notBefore < notAfter, {
    path: ["notAfter"],
    message: "must be later than notBefore",
  });

/** Schema of `canary.trust/v1`; published as JSON Schema by `canary schema trust`. */
export const TrustSchema = z.strictObject({
  schema: z.literal("canary.trust/v1"),
  keys: z.array(KeySchema).min(1).max(LIMITS.trustedKeysMax),
});

/**
 * Reads whom an operator trusts, and what for (`trust.yaml`, docs/identity.md).
 * @throws CanaryError TRUST_INVALID listing every problem with its line; KEY_UNUSABLE where a key's file cannot be read
 */
export async function readTrustFile(file: string): Promise<Keyring> {
  const text = await readBoundedText(file, { code: "TRUST_INVALID", bytesMax: LIMITS.documentBytesMax });
  const trust = parseDocument(TrustSchema, text, { source: file, what: "a canary.trust/v1", code: "TRUST_INVALID" });
  const keys = await Promise.all(
    trust.keys.map(async (key): Promise<TrustedKey> => {
      const publicPem = key.publicKey ?? (await readKeyBeside(file, key.publicKeyFile ?? ""));
      return {
        keyId: loadPublicKey(publicPem).keyId,
        publicPem,
        role: key.role,
        identity: key.identity,
        ...(key.owner === undefined ? {} : { owner: key.owner }),
        ...(key.notBefore === undefined ? {} : { notBeforeEpochMs: key.notBefore }),
        ...(key.notAfter === undefined ? {} : { notAfterEpochMs: key.notAfter }),
        ...(key.revoked === undefined ? {} : { revoked: { atEpochMs: key.revoked.at, reason: key.revoked.reason } }),
      };
    }),
  );
  const twice = keys.find((key, index) => keys.findIndex(({ keyId }) => keyId === key.keyId) < index);
  if (twice === undefined) return { keys };
  throw invalid(
    `${file} lists key ${twice.keyId} twice (${twice.identity}, ${twice.role})`,
    "A key has one identity and one role; make another key with `canary keys new`.",
  );
}

async function readKeyBeside(trustFile: string, keyFile: string): Promise<string> {
  const folder = await realpath(path.dirname(trustFile));
  const found = await realpath(path.resolve(folder, keyFile)).catch((cause: unknown) => {
    throw invalid(`${trustFile} names the key ${keyFile}, which is not there`, messageOf(cause), cause);
  });
  const relative = path.relative(folder, found);
  if (relative.startsWith("..") || path.isAbsolute(relative))
    throw invalid(`${trustFile} names a key outside its folder: ${keyFile}`, "Keep public keys beside the file.");
  return (await readPublicKeyFile(found)).publicPem;
}

function invalid(message: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "TRUST_INVALID", message, hint, cause });
}
