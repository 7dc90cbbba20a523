import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { DATA_FILE, type LoadedPolicy, loadPolicy, type PolicyFiles } from "../policy/engine/load-policy.ts";
import { systemClock } from "./system.ts";

/** The policies that ship; the same folder in the sources and in the published package. */
const POLICIES = fileURLToPath(new URL("../../policies/", import.meta.url));
const RULES = /^[a-z0-9][a-z0-9_-]{0,60}\.(?:cedar|rego)$/i;

/**
 * The policy to ask: the folder given, else CANARY_POLICY, else the one that ships. Never one that happens to lie where
 * the process stands: an agent may be able to write there.
 * @throws CanaryError POLICY_INVALID
 */
export async function openPolicy(folder: string | undefined): Promise<LoadedPolicy> {
  const shipped = await readPolicyFolder(path.join(POLICIES, "default"));
  const fromEnvironment = process.env["CANARY_POLICY"];
  const chosen = folder ?? (fromEnvironment === "" ? undefined : fromEnvironment);
  const opaToken = process.env["CANARY_OPA_TOKEN"];
  return await loadPolicy({
    own: chosen === undefined ? shipped : await readPolicyFolder(chosen),
    shipped,
    schema: await readFile(path.join(POLICIES, "facts.cedarschema.json"), "utf8"),
    monotonicMs: systemClock.monotonicMs,
    ...(opaToken === undefined || opaToken === "" ? {} : { opaToken }),
  });
}

/**
 * Reads a policy's folder: `policy.yaml` and every `.cedar` and `.rego` beside it; other files are no part of it.
 * @throws CanaryError POLICY_INVALID
 */
export async function readPolicyFolder(folder: string): Promise<PolicyFiles> {
  try {
    const names = (await readdir(folder)).filter((name) => name === DATA_FILE || RULES.test(name)).sort();
    if (names.length > LIMITS.policyFilesMax) throw new RangeError(`more than ${LIMITS.policyFilesMax} files`);
    const files = names.map(async (name) => ({ name, text: await readBounded(path.join(folder, name)) }));
    return { source: folder, files: await Promise.all(files) };
  } catch (cause) {
    throw new CanaryError({
      code: "POLICY_INVALID",
      message: `cannot read the policy in ${folder}`,
      hint: "A policy is a folder with policy.yaml and its rules (*.cedar); copy policies/default.",
      cause,
    });
  }
}

async function readBounded(file: string): Promise<string> {
  const info = await stat(file);
  if (!info.isFile() || info.size > LIMITS.documentBytesMax) throw new RangeError(`${file} is no file of at most 1 MB`);
  return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(await readFile(file));
}
