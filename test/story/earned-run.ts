import { globSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { signStatement, verdictStatement } from "../../src/attest/verdict-statement.ts";
import { systemClock } from "../../src/cli/system.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { policyDigest } from "../../src/policy/engine/load-policy.ts";
import { PAIR, SIGNING_KEY, VERDICT_INPUT } from "../attest/verdict-builder.ts";

const PLAN = "scenarios/plans/scale-batch-workers.yaml";
const SCENARIO = "scenarios/scale-batch-workers.yaml";
const MINUTE_MS = 60_000;

/** Writes what a rehearsal of the flagship a minute ago that ended with promote would have left: bundle, plan, public key. */
export function writeEarnedRun(folder: string): { readonly bundle: string; readonly publicKey: string } {
  const plan = readFileSync(PLAN);
  const rules = globSync("policies/default/*").map((file) => ({
    name: path.basename(file),
    text: readFileSync(file, "utf8"),
  }));
  const finishedEpochMs = systemClock.epochMs() - MINUTE_MS;
  const statement = verdictStatement({
    ...VERDICT_INPUT,
    startedEpochMs: finishedEpochMs - 5 * MINUTE_MS,
    finishedEpochMs,
    plan: { ...VERDICT_INPUT.plan, sha256: sha256Hex(plan) },
    scenario: { file: SCENARIO, sha256: sha256Hex(readFileSync(SCENARIO)) },
    policyInUse: { name: "default", engine: "cedar", sha256: policyDigest(rules) },
  });
  mkdirSync(folder, { recursive: true });
  const bundle = path.join(folder, "verdict.sigstore.json");
  const publicKey = path.join(folder, "canary.pub");
  writeFileSync(bundle, signStatement(statement, SIGNING_KEY));
  writeFileSync(path.join(folder, "plan.yaml"), plan);
  writeFileSync(publicKey, PAIR.publicPem);
  return { bundle, publicKey };
}
