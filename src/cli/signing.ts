import { stat } from "node:fs/promises";
import path from "node:path";
import { readPrivateKeyFile, readPublicKeyFile, writeKeyFiles } from "../attest/key-files.ts";
import { type Keyring, ownKeyring } from "../attest/keyring.ts";
import { loadPrivateKey, newKeyPair, type SigningKey } from "../attest/keys.ts";
import { signStatement, type VerdictInput, verdictStatement } from "../attest/verdict-statement.ts";
import { CanaryError } from "../core/errors.ts";
import type { RunReport } from "../report/run-report.ts";
import type { SignVerdict } from "../run/file-run-store.ts";
import { KEY_FOLDER, KEY_NAME, passphrase } from "./key-location.ts";
import { say } from "./options.ts";

/**
 * The signing key: `--key`, else CANARY_SIGNING_KEY (PEM text, for CI), else the project's own, made on first use.
 * @throws CanaryError KEY_UNUSABLE
 */
export async function signingKey(keyFile: string | undefined): Promise<SigningKey> {
  const existing = await existingSigningKey(keyFile);
  if (existing !== undefined) return existing;
  const pair = newKeyPair(passphrase());
  const written = await writeKeyFiles({ folder: KEY_FOLDER, name: KEY_NAME, pair });
  say(`made a signing key for this project: ${written.privatePath} (public half ${written.publicPath})`, true);
  return await readPrivateKeyFile(written.privatePath, passphrase());
}

/** The same key where there is one already; nothing is made. */
export async function existingSigningKey(keyFile: string | undefined): Promise<SigningKey | undefined> {
  if (keyFile !== undefined) return await readPrivateKeyFile(keyFile, passphrase());
  const fromEnvironment = process.env["CANARY_SIGNING_KEY"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return loadPrivateKey(fromEnvironment, passphrase());
  const file = path.join(KEY_FOLDER, `${KEY_NAME}.key`);
  return (await exists(file)) ? await readPrivateKeyFile(file, passphrase()) : undefined;
}

/**
 * A person's or an agent's own key: `--key`, else CANARY_SIGNING_KEY. Never the project's: that one signs verdicts.
 * @throws CanaryError KEY_UNUSABLE | USAGE
 */
export async function givenSigningKey(keyFile: string | undefined): Promise<SigningKey> {
  if (keyFile !== undefined) return await readPrivateKeyFile(keyFile, passphrase());
  const fromEnvironment = process.env["CANARY_SIGNING_KEY"];
  if (fromEnvironment !== undefined && fromEnvironment !== "") return loadPrivateKey(fromEnvironment, passphrase());
  throw new CanaryError({
    code: "USAGE",
    message: "no key was given to sign with",
    hint: "Give --key <file> or CANARY_SIGNING_KEY; make one with `canary keys new --out <folder> --name <name>`.",
  });
}

/** The public key that `verdict verify` trusts: `--key`, else the project's own. */
export async function trustedPublicKey(keyFile: string | undefined): ReturnType<typeof readPublicKeyFile> {
  return await readPublicKeyFile(keyFile ?? path.join(KEY_FOLDER, `${KEY_NAME}.pub`));
}

/** The same key as a keyring, empty where none was named and the project has none yet. */
export async function keysToCheck(keyFile: string | undefined): Promise<Keyring> {
  if (keyFile === undefined && !(await exists(path.join(KEY_FOLDER, `${KEY_NAME}.pub`)))) return { keys: [] };
  return ownKeyring(await trustedPublicKey(keyFile), "canary");
}

async function exists(file: string): Promise<boolean> {
  return await stat(file).then(
    () => true,
    () => false,
  );
}

/** The policy that a verdict names, and how long it lets the verdict be relied on. */
function policyOf({ policyDecision }: RunReport): Pick<VerdictInput, "policyInUse" | "validForMs"> {
  if (policyDecision === undefined) return {};
  const { policy, obligations } = policyDecision;
  return { policyInUse: policy, validForMs: obligations.verdictValidForMs };
}

/** Turns a finished report into the signed bundle's text; the key was read before the run, so that it cannot fail after. */
export function signerOf(key: SigningKey): SignVerdict {
  return async (report, { recordingSha256, reportSha256 }) => {
    const { sha256, agent, tier } = report.plan;
    const statement = verdictStatement({
      ...report,
      plan: { sha256, agent, tier, file: report.plan.file },
      scenario: report.scenario,
      seed: report.traffic.seed,
      traffic: {
        ratePerSecond: report.traffic.ratePerSecond,
        arrivals: report.traffic.arrivals,
        sent: report.traffic.driver?.sent ?? 0,
      },
      recordingSha256,
      reportSha256,
      ...policyOf(report),
    });
    return signStatement(statement, key);
  };
}
