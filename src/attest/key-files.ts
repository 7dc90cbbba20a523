import { mkdir, open, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CanaryError, messageOf } from "../core/errors.ts";
import { type KeyPair, loadPrivateKey, loadPublicKey, type SigningKey, type VerifyingKey } from "./keys.ts";

const KEY_BYTES_MAX = 16 * 1024;

/** Where a key pair was written. */
export interface KeyFiles {
  readonly privatePath: string;
  readonly publicPath: string;
}

/**
 * Writes a key pair as `<name>.key` (mode 0600) and `<name>.pub` into a folder that only its owner may enter.
 * @throws CanaryError KEY_UNUSABLE when a file exists already, others may write into the folder, or writing fails
 */
export async function writeKeyFiles(options: {
  readonly folder: string;
  /** File name without ending, e.g. `canary`. */
  readonly name: string;
  readonly pair: KeyPair;
}): Promise<KeyFiles> {
  const privatePath = join(options.folder, `${options.name}.key`);
  const publicPath = join(options.folder, `${options.name}.pub`);
  try {
    await mkdir(options.folder, { recursive: true, mode: 0o700 });
    await refuseSharedFolder(options.folder);
    // `wx` refuses what exists, so a key that signed verdicts is never lost to a second one.
    await writeFile(privatePath, options.pair.privatePem, { flag: "wx", mode: 0o600 });
    await writeFile(publicPath, options.pair.publicPem, { flag: "wx", mode: 0o644 }).catch(async (cause: unknown) => {
      await rm(privatePath);
      throw cause;
    });
    return { privatePath, publicPath };
  } catch (cause) {
    if (cause instanceof CanaryError) throw cause;
    throw unusable(`the key pair cannot be written: ${messageOf(cause)}`, "Choose another name or folder.", cause);
  }
}

/**
 * Reads a private key file that nobody but its owner may read.
 * @throws CanaryError KEY_UNUSABLE when it is missing, open to others, no key or a public one, or the passphrase does not fit
 */
export async function readPrivateKeyFile(path: string, passphrase?: string): Promise<SigningKey> {
  return loadPrivateKey(await readKeyFile(path, "private"), passphrase);
}

/**
 * Reads a public key file.
 * @throws CanaryError KEY_UNUSABLE when it is missing, no key or a private one
 */
export async function readPublicKeyFile(path: string): Promise<VerifyingKey & { readonly publicPem: string }> {
  const publicPem = await readKeyFile(path, "public");
  return { ...loadPublicKey(publicPem), publicPem };
}

async function readKeyFile(path: string, kind: "private" | "public"): Promise<string> {
  try {
    // One handle for the check and for reading: the file cannot be exchanged in between.
    await using file = await open(path, "r");
    const stats = await file.stat();
    if (!stats.isFile() || stats.size > KEY_BYTES_MAX) throw unusable(`${path} is not a key file`, "Name a PEM file.");
    const pem = await readFile(file, "utf8");
    refuseOtherHalf(path, kind, pem);
    if (kind === "private" && (stats.mode & 0o077) !== 0) {
      throw unusable(`${path} can be read by others (mode ${(stats.mode & 0o777).toString(8)})`, `chmod 600 ${path}`);
    }
    return pem;
  } catch (cause) {
    if (cause instanceof CanaryError) throw cause;
    const hint =
      kind === "private"
        ? "Make a key with `canary keys new`, or name the right file."
        : "Name the file with the public key (PEM) of whoever signed, as `canary keys new` or their first run made it.";
    throw unusable(`the ${kind} key cannot be read: ${messageOf(cause)}`, hint, cause);
  }
}

/** Before anything else that is wrong with a file: of a pair people take the other half, and the rest is no advice then. */
function refuseOtherHalf(path: string, kind: "private" | "public", pem: string): void {
  const held = pem.includes("PRIVATE KEY") ? "private" : pem.includes("PUBLIC KEY") ? "public" : kind;
  if (held === kind) return;
  const hint =
    kind === "private"
      ? "Name the other file of the pair, <name>.key, which signs."
      : "Name the other file of the pair, <name>.pub, which verifies; the private one stays with its owner.";
  throw unusable(`${path} holds a ${held} key, where a ${kind} one is needed`, hint);
}

async function refuseSharedFolder(folder: string): Promise<void> {
  const { mode } = await stat(folder);
  // Who may write into the folder may put another key into the place of this one.
  if ((mode & 0o022) !== 0)
    throw unusable(`others may write into ${folder}`, `chmod go-w ${folder}, or choose another folder.`);
}

function unusable(message: string, hint: string, cause?: unknown): CanaryError {
  return new CanaryError({ code: "KEY_UNUSABLE", message, hint, cause });
}
