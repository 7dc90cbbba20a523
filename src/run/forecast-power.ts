import type { ResolvedSlo } from "../judge/accepted.ts";
import { type PlannedPower, powerBySlo } from "../judge/planned-power.ts";
import { type RoundsPlan, roundSd, unseenByRounds } from "../judge/planned-rounds.ts";
import {
  type ForecastInput,
  forecastAfterBaseline,
  forecastBefore,
  type PowerForecast,
  widerThanMargin,
} from "../judge/power-forecast.ts";
import { forecastRounds, learnedRoundSd } from "../judge/rounds-forecast.ts";
import { learnedOf } from "../judge/use-profile.ts";
import type { Reason } from "../judge/verdict.ts";
import type { BlockStore } from "../measure/block-store.ts";
import type { Measure } from "../measure/slo.ts";
import type { RecordingManifest } from "../replay/recording.ts";
import type { TrafficSpec } from "../replay/traffic-spec.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { replacesProcesses } from "./restarts.ts";
import type { RunJob } from "./run-job.ts";

type Forecastable = Pick<RunJob, "scenario" | "plan" | "restarted"> & {
  readonly profile?: Pick<NonNullable<RunJob["profile"]>, "profile">;
};

/** What this run can show of every SLO, before anything is raised: from its profile, else from the rate alone. */
export function powerBefore(job: Forecastable): readonly PowerForecast[] {
  const { design } = job.scenario.judge;
  return resolvedSlos(job).map((resolved) => {
    const input = inputOf(job, resolved);
    if (design.kind !== "switchback") return forecastBefore(resolved, input);
    const { learned, restarted } = input;
    const noise =
      learned === undefined
        ? {}
        : { noise: { sd: learnedRoundSd(learned, design, restarted), from: "profile" as const } };
    return forecastRounds(resolved, { ...input, design, ...noise });
  });
}

/** The same for the rounds of a switchback from the measured baseline; from the rate where that is too short to tell. */
export function roundsAfterBaseline(job: Forecastable, plan: RoundsPlan): readonly PowerForecast[] {
  return plan.slos.map((resolved) => {
    const sd = roundSd(resolved, plan);
    const noise = sd === undefined ? {} : { noise: { sd, from: "baseline" as const } };
    const unseen = unseenByRounds(resolved, plan);
    const known = { ...noise, ...(unseen === undefined ? {} : { unseen }) };
    return forecastRounds(resolved, { ...inputOf(job, resolved), design: plan.design, ...known });
  });
}

/** The same from the measured baseline. */
export function powerAfterBaseline(job: Forecastable, power: readonly PlannedPower[]): readonly PowerForecast[] {
  const { profile } = calibrationInUse(job);
  const restarted = replacesProcesses(job);
  return resolvedSlos(job).flatMap((resolved): readonly PowerForecast[] => {
    const planned = power.find(({ name }) => name === resolved.slo.name);
    const restartUncalibrated = restarted && profile?.slos[resolved.slo.name]?.restart === undefined;
    const { judge: limits } = job.scenario;
    return planned === undefined ? [] : [forecastAfterBaseline(resolved, planned, { limits, restartUncalibrated })];
  });
}

/** What a stored run could show under its terms: from its baseline; before anything was raised where it had none. */
export function powerAgain(
  run: Forecastable & { readonly store: BlockStore } & Pick<RecordingManifest, "phases">,
): readonly PowerForecast[] {
  const { judge: limits, traffic } = run.scenario;
  const { design } = limits;
  const { baseline } = run.phases;
  if (baseline === undefined) return powerBefore(run);
  const asked = { store: run.store, slos: resolvedSlos(run), limits, restarted: replacesProcesses(run), baseline };
  if (design.kind === "switchback") return roundsAfterBaseline(run, { ...asked, design });
  const power = powerBySlo({ ...asked, ...calibrationInUse(run), ratePerSecond: traffic.ratePerSecond });
  return powerAfterBaseline(run, power);
}

/** SLOs of which the profile already says that no measuring will let them pass: the widening alone exceeds the margin. */
export function hopelessByProfile(job: Forecastable): readonly Reason[] {
  return resolvedSlos(job).flatMap((resolved): readonly Reason[] => {
    const { name } = resolved.slo;
    const why = widerThanMargin(resolved, inputOf(job, resolved));
    return why === undefined
      ? []
      : [{ code: "UNDERPOWERED", subject: name, message: `${name} can not be decided in this run: ${why}.` }];
  });
}

/** Requests a second of what a measure counts; all of them where it names no route. */
export function rateOf(measure: Measure, traffic: TrafficSpec): number {
  const weight = traffic.mix.reduce((sum, route) => sum + route.weight, traffic.recording?.weight ?? 0);
  const route = "route" in measure ? traffic.mix.find((candidate) => candidate.route === measure.route) : undefined;
  return traffic.ratePerSecond * (route === undefined ? 1 : route.weight / weight);
}

function inputOf(job: Forecastable, resolved: ResolvedSlo): ForecastInput {
  const { scenario, profile } = job;
  const learned = profile === undefined ? undefined : learnedOf(profile.profile, resolved);
  const calibration = calibrationInUse(job).profile?.slos[resolved.slo.name];
  return {
    limits: scenario.judge,
    ratePerSecond: rateOf(resolved.slo.measure, scenario.traffic),
    restarted: replacesProcesses(job),
    ...(learned === undefined ? {} : { learned }),
    ...(calibration === undefined ? {} : { calibration }),
  };
}
