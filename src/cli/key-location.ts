import path from "node:path";

/** Where a project keeps its own key pair; git-ignored. */
export const KEY_FOLDER = path.join(".canary", "keys");
export const KEY_NAME = "canary";

/** Passphrase of an encrypted key, from the environment only: a command line is visible to everyone. */
export function passphrase(): string | undefined {
  return process.env["CANARY_KEY_PASSPHRASE"];
}

/** Where a project keeps its calibration profiles; git-ignored. */
export const PROFILE_FOLDER = path.join(".canary", "profiles");

/** DOCKER_HOST as this process was started with. */
export function dockerHost(): { readonly dockerHost?: string } {
  const value = process.env["DOCKER_HOST"];
  return value === undefined ? {} : { dockerHost: value };
}
