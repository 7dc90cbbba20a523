import path from "node:path";

/** Where a project keeps its own key pair; git-ignored. */
export const KEY_FOLDER = path.join(".canary", "keys");
export const KEY_NAME = "canary";

/** Passphrase of an encrypted key, from the environment only: a command line is visible to everyone. */
export function passphrase(): string | undefined {
  return process.env["CANARY_KEY_PASSPHRASE"];
}
