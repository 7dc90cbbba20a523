import type { MirrorSpec } from "../mirror/mirror-spec.ts";
import type { Plan } from "../plan/plan.ts";
import type { JobTrust } from "./job-trust.ts";
import type { AttachedProfile } from "./profile-store.ts";
import type { Scenario } from "./scenario.ts";

/** One rehearsal to do: every document read, parsed and held together. */
export interface RunJob {
  readonly runId: string;
  readonly seed: number;
  readonly scenario: Scenario;
  readonly scenarioText: string;
  /** Path of the scenario as the user gave it, for reports. */
  readonly scenarioFile: string;
  /** Absolute folder that relative paths in the traffic are resolved against. */
  readonly scenarioDir: string;
  readonly plan: Plan;
  readonly planText: string;
  readonly planFile: string;
  readonly spec: MirrorSpec;
  /** Whose plan and runbook these are, where the operator asks. */
  readonly trust?: JobTrust;
  /** Calibration of this mirror, machine and traffic; verified and about this run. */
  readonly profile?: AttachedProfile;
  /** Services of the shadow that were seen to run in other processes with the plan than before; absent before anybody looked. */
  readonly restarted?: readonly string[];
  /** Asked for on the command line, whatever the scenario says. */
  readonly proveSensitivity?: true;
}
