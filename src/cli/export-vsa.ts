import { writeFile } from "node:fs/promises";
import { readBoundedText } from "../attest/bounded-file.ts";
import { ownKeyring } from "../attest/keyring.ts";
import { verifyBundle } from "../attest/verify.ts";
import { signVsa } from "../attest/vsa-statement.ts";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { signingKey, trustedPublicKey } from "./signing.ts";

/**
 * Verifies a verdict and writes its summary; nothing is derived from one that does not verify.
 * @throws CanaryError USAGE | KEY_UNUSABLE | SIGNATURE_INVALID
 */
export async function exportVsa(options: {
  readonly file: string;
  readonly out: string;
  readonly trustedKey?: string;
  readonly key?: string;
  readonly verifierId: string;
  readonly nowEpochMs: number;
}): Promise<
  | { readonly kind: "exported"; readonly result: "PASSED" | "FAILED" }
  | { readonly kind: "invalid"; readonly problems: readonly string[] }
> {
  const { file, out, verifierId, nowEpochMs } = options;
  const bundleText = await readBoundedText(file, { code: "USAGE", bytesMax: LIMITS.documentBytesMax });
  const trusted = ownKeyring(await trustedPublicKey(options.trustedKey), "canary");
  const verification = verifyBundle({ bundleText, trusted, nowEpochMs });
  if (verification.kind === "invalid") return verification;
  const verdict = { statement: verification.statement, sha256: sha256Hex(bundleText) };
  const vsa = signVsa(verdict, { key: await signingKey(options.key), verifierId, nowEpochMs });
  await writeFile(out, vsa).catch((cause: unknown) => {
    throw new CanaryError({ code: "USAGE", message: `cannot write ${out}`, hint: "Give --out <file>.", cause });
  });
  return { kind: "exported", result: verification.statement.predicate.verdict === "promote" ? "PASSED" : "FAILED" };
}
