import type { CalibrationProfile } from "../judge/calibration.ts";
import { profileFileName } from "../judge/profile.ts";
import { calibrationOf } from "../judge/use-profile.ts";
import type { RunReport } from "../report/run-report.ts";
import type { AttachedProfile } from "./profile-store.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { replacedServices } from "./restarts.ts";
import type { RunJob } from "./run-job.ts";

type Calibrated = Pick<RunJob, "scenario" | "plan" | "restarted"> & {
  readonly profile?: Pick<AttachedProfile, "profile">;
};

/** What the judge believes of the run's profile, to be spread into what it is asked; nothing without one. */
export function calibrationInUse(job: Calibrated): { readonly profile?: CalibrationProfile } {
  if (job.profile === undefined) return {};
  const run = { slos: resolvedSlos(job), replaced: replacedServices(job) };
  return { profile: calibrationOf(job.profile.profile, run) };
}

/** How reports and verdicts name the profile that was believed. */
export function profileNamed({ profile: attached }: Pick<RunJob, "profile">): Pick<RunReport, "profile"> {
  if (attached === undefined) return {};
  const { profile, sha256 } = attached;
  return { profile: { name: profileFileName(profile), sha256, createdAt: profile.createdAt, rounds: profile.rounds } };
}
