import type { ResolvedSlo } from "../judge/accepted.ts";
import type { PlannedPower } from "../judge/planned-power.ts";
import {
  type ForecastInput,
  forecastAfterBaseline,
  forecastBefore,
  type PowerForecast,
  widerThanMargin,
} from "../judge/power-forecast.ts";
import { learnedOf } from "../judge/use-profile.ts";
import type { Reason } from "../judge/verdict.ts";
import type { Measure } from "../measure/slo.ts";
import type { TrafficSpec } from "../replay/traffic-spec.ts";
import { calibrationInUse } from "./calibration-in-use.ts";
import { replacesProcesses, resolvedSlos } from "./resolved-slos.ts";
import type { RunJob } from "./run-job.ts";

type Forecastable = Pick<RunJob, "scenario" | "plan"> & {
  readonly profile?: Pick<NonNullable<RunJob["profile"]>, "profile">;
};

/** What this run can show of every SLO, before anything is raised: from its profile, else from the rate alone. */
export function powerBefore(job: Forecastable): readonly PowerForecast[] {
  // The rounds of a switchback are planned by their own rule.
  if (job.scenario.judge.design.kind === "switchback") return [];
  return resolvedSlos(job).map((resolved) => forecastBefore(resolved, inputOf(job, resolved)));
}

/** The same from the measured baseline. */
export function powerAfterBaseline(job: Forecastable, power: readonly PlannedPower[]): readonly PowerForecast[] {
  const { profile } = calibrationInUse(job);
  const restarted = replacesProcesses(job.plan);
  return resolvedSlos(job).flatMap((resolved): readonly PowerForecast[] => {
    const planned = power.find(({ name }) => name === resolved.slo.name);
    const restartUncalibrated = restarted && profile?.slos[resolved.slo.name]?.restart === undefined;
    const { judge: limits } = job.scenario;
    return planned === undefined ? [] : [forecastAfterBaseline(resolved, planned, { limits, restartUncalibrated })];
  });
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
  const { scenario, plan, profile } = job;
  const learned = profile === undefined ? undefined : learnedOf(profile.profile, resolved);
  const calibration = calibrationInUse(job).profile?.slos[resolved.slo.name];
  return {
    limits: scenario.judge,
    ratePerSecond: rateOf(resolved.slo.measure, scenario.traffic),
    restarted: replacesProcesses(plan),
    ...(learned === undefined ? {} : { learned }),
    ...(calibration === undefined ? {} : { calibration }),
  };
}
