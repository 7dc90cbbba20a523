import type { TrustTerms } from "../run/job-trust.ts";
import { loadJob } from "../run/load-job.ts";
import type { RunJob } from "../run/run-job.ts";
import { actionTokenVariables } from "./action-tokens.ts";
import { environmentValues } from "./options.ts";
import { newRunIdentity, systemClock } from "./system.ts";

/**
 * Reads a scenario and all it names from where this process stands, as a run of its own identity and seed.
 * @throws CanaryError SCENARIO_INVALID | PLAN_INVALID | MIRROR_INVALID | SIGNATURE_INVALID | TRUST_INVALID | RUNBOOK_INVALID
 */
export async function newJob(options: {
  readonly scenarioFile: string;
  readonly seed?: number;
  /** Read in place of the plan that the scenario names; relative to where this process stands. */
  readonly planFile?: string;
  /** Trusted keys and runbooks of the command line; absolute paths. */
  readonly trust?: Partial<Pick<TrustTerms, "keys" | "runbooks">>;
}): Promise<RunJob> {
  const identity = newRunIdentity(systemClock.epochMs());
  return await loadJob({
    scenarioFile: options.scenarioFile,
    ...(options.planFile === undefined ? {} : { planFile: options.planFile }),
    ...(options.trust === undefined ? {} : { trust: options.trust }),
    nowEpochMs: systemClock.epochMs(),
    rootDir: process.cwd(),
    environment: { ...environmentValues(), ...(await actionTokenVariables()) },
    runId: identity.runId,
    seed: options.seed ?? identity.seed,
  });
}
