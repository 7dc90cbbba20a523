import type { CalibrationProfile, SloCalibration } from "../../../src/judge/calibration.ts";
import { type JudgeLimits, JudgeLimitsSchema } from "../../../src/judge/judge-limits.ts";
import { type GoalName, goal, resolved } from "../goals.ts";
import type { RowJudge } from "../row.ts";

/** What a row may ask of the judge beside its defaults. */
export interface OurOptions {
  readonly limits?: Partial<JudgeLimits>;
  /** Calibrated sd of the twins' bias: of ratios as a log, of error rates absolute. */
  readonly tau?: number;
  readonly tauErrors?: number;
  /** Anything else a profile may know of every SLO, e.g. drift or the bias of a restart. */
  readonly calibration?: SloCalibration;
  /** A profile that the product's calibration learns of the world; leaves no room for the made-up values above. */
  readonly learned?: boolean;
  readonly restarted?: boolean;
  readonly settleSeconds?: number;
  readonly gates?: boolean;
  /** The judge uses the last so many seconds before the plan; all of them unless told otherwise. */
  readonly baselineSeconds?: number;
}

/** The product's judge over some SLOs; the plan acts after `beforeSeconds`, observation ends after `afterSeconds`. */
export function ours(
  goals: readonly GoalName[],
  time: { readonly beforeSeconds: number; readonly afterSeconds: number },
  options: OurOptions = {},
): RowJudge {
  const profile = profileOf(goals, options);
  return {
    kind: "ours",
    ...(options.learned === undefined ? {} : { learned: options.learned }),
    setting: {
      slos: resolved(goals),
      limits: JudgeLimitsSchema.parse({ ...options.limits, observeSecondsMax: Math.max(60, time.afterSeconds) }),
      ...(profile === undefined ? {} : { profile }),
      baselineSeconds: options.baselineSeconds ?? time.beforeSeconds,
      settleSeconds: options.settleSeconds ?? 0,
      observeSecondsMax: time.afterSeconds,
      ...(options.restarted === undefined ? {} : { restarted: options.restarted }),
      ...(options.gates === undefined ? {} : { gates: options.gates }),
    },
  };
}

function profileOf(
  goals: readonly GoalName[],
  { tau, tauErrors, calibration }: OurOptions,
): CalibrationProfile | undefined {
  if (tau === undefined && tauErrors === undefined && calibration === undefined) return undefined;
  const slos = goals.map((name): readonly [string, SloCalibration] => {
    const { slo } = goal(name);
    const known = slo.limit.scale === "ratio" ? tau : tauErrors;
    return [slo.name, { ...(known === undefined ? {} : { tau: known }), ...calibration }];
  });
  return { slos: Object.fromEntries(slos) };
}
