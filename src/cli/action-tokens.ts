import { stat } from "node:fs/promises";
import path from "node:path";
import { tokenIssuer, tokenKeySet } from "../attest/action-token.ts";
import { readPrivateKeyFile, readPublicKeyFile, writeKeyFiles } from "../attest/key-files.ts";
import { newKeyPair } from "../attest/keys.ts";
import type { MintToken } from "../core/action-token.ts";
import { KEY_FOLDER, passphrase } from "./key-location.ts";
import { systemClock } from "./system.ts";

/** Beside the project's signing key, and another one: who can mint tokens can not sign verdicts. */
const NAME = "actions";
const PRIVATE_FILE = path.join(KEY_FOLDER, `${NAME}.key`);
const PUBLIC_FILE = path.join(KEY_FOLDER, `${NAME}.pub`);

/**
 * Mints tokens with the project's own key for them, which is made on first use. It stays the same: a mirror that checks tokens holds its
 * public half, and would be another mirror with another key.
 * @throws CanaryError KEY_UNUSABLE
 */
export async function actionTokens(): Promise<MintToken> {
  if (!(await exists(PRIVATE_FILE)))
    await writeKeyFiles({ folder: KEY_FOLDER, name: NAME, pair: newKeyPair(passphrase()) });
  return await issuer();
}

/** The same where the project has that key already: nothing was ever minted without it. */
export async function existingActionTokens(): Promise<MintToken | undefined> {
  return (await exists(PRIVATE_FILE)) ? await issuer() : undefined;
}

async function issuer(): Promise<MintToken> {
  const key = await readPrivateKeyFile(PRIVATE_FILE, passphrase());
  return tokenIssuer({ key, epochMs: systemClock.epochMs, newId: () => crypto.randomUUID() });
}

/** `CANARY_ACTION_JWKS` for the Compose files of mirrors; nothing where the project has no such key yet. */
export async function actionTokenVariables(): Promise<Readonly<Record<string, string>>> {
  if (!(await exists(PUBLIC_FILE))) return {};
  const { publicPem, keyId } = await readPublicKeyFile(PUBLIC_FILE);
  return { CANARY_ACTION_JWKS: tokenKeySet(publicPem, keyId) };
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}
