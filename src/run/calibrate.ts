import { canonicalJson } from "../attest/canonical-json.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { SloWindow } from "../judge/calibration-windows.ts";
import { learnCalibration } from "../judge/learn-calibration.ts";
import type { Machine, Profile, ProfileSubject } from "../judge/profile.ts";
import { type CalibrateEffects, measureRound, restartable, settleSecondsOf } from "./calibration-round.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import type { RunJob } from "./run-job.ts";

/** How long a calibration takes pains. */
export interface CalibrationSize {
  /** Raises of both twins. */
  readonly rounds: number;
  /** Measured after each raise, s; half as long again after the restart. */
  readonly seconds: number;
}

/**
 * Raises the twins again and again without a plan, restarts the shadow's services, and learns from what differs all the
 * same: noise, bias of a raise, bias after a restart, drift. Nothing is left of the rounds but the answer.
 * @throws CanaryError MIRROR_UNAVAILABLE | DRIVER_BOTTLENECK | ABORTED_BY_HUMAN | DEADLINE_EXCEEDED; nothing is learned then
 */
export async function calibrate(
  job: RunJob,
  size: CalibrationSize,
  effects: CalibrateEffects,
  signal: AbortSignal,
): Promise<Profile> {
  const slos = resolvedSlos({ ...job, plan: { ...job.plan, expects: [] } });
  const windows = new Map<string, readonly SloWindow[]>(slos.map(({ slo }) => [slo.name, []]));
  effects.observe({ kind: "begin", rounds: size.rounds, roundMs: roundMs(job, size) });
  for (let round = 1; round <= size.rounds; round++) {
    const measured = await measureRound({ job, slos, round, seconds: size.seconds, effects, signal });
    for (const { name, window } of measured) windows.set(name, [...(windows.get(name) ?? []), window]);
  }
  const profile: Profile = {
    schema: "canary.profile/v1",
    createdAt: new Date(effects.clock.epochMs()).toISOString(),
    harness: { name: "canary-harness", version: effects.harnessVersion },
    scenario: { name: job.scenario.name, sha256: job.scenario.sha256 },
    ...profileSubject(job, effects.machine),
    rounds: size.rounds,
    secondsPerRound: size.seconds,
    restarted: [...restartable(job.spec)],
    seed: job.seed,
    slos: slos.map((resolved) => learnCalibration(resolved, windows.get(resolved.slo.name) ?? [])),
  };
  effects.observe({ kind: "learned", profile });
  return profile;
}

/** What a profile of this job on this machine is about; a run asks for one that is about the same. */
export function profileSubject(job: Pick<RunJob, "scenario" | "spec">, machine: Machine): ProfileSubject {
  const { traffic, isolation, cores } = job.scenario;
  return {
    mirror: { name: job.spec.name, sha256: job.spec.sha256 },
    machine: cores === "shared" ? { ...machine, twinCores: "shared" } : machine,
    isolation,
    traffic: { sha256: sha256Hex(canonicalJson(traffic)), ratePerSecond: traffic.ratePerSecond },
  };
}

/** Raising, restarting and removing the shipped shop. */
const OTHER_MS = 25_000;

function roundMs(job: RunJob, { seconds }: CalibrationSize): number {
  const restart = restartable(job.spec).length === 0 ? 0 : settleSecondsOf(job) + seconds / 2;
  return OTHER_MS + (job.scenario.warmupSeconds + seconds + restart) * 1000;
}
