import { settledSeries } from "../measure/phase-series.ts";
import type { Series } from "../measure/series.ts";
import type { Window } from "../replay/recording.ts";
import { acceptedRange, effectScale, type ResolvedSlo } from "./accepted.ts";
import { startingBlock } from "./block-length.ts";
import { type CalibrationProfile, isContradicted, type SloCalibration } from "./calibration.ts";
import { onePhaseSequence } from "./confidence-sequence.ts";
import type { JudgeLimits } from "./judge-limits.ts";
import type { LookInput } from "./judge-slos.ts";
import { normalQuantile } from "./normal-quantile.ts";

/** Fewer blocks of baseline say nothing of a profile. */
const BLOCKS_TO_SPEAK = 6;
/** The run is believed against its profile when chance would make its noise this much larger once in a hundred runs. */
const LOUDER_AT = 0.99;

/** What the baseline of a run is held against. */
export interface TrustInput extends Pick<LookInput, "store" | "slos" | "limits" | "profile"> {
  readonly baseline: Window;
}

/**
 * The profile as far as this run's own baseline does not speak against it, asked before anything is judged with it: bias
 * beyond what it allows, or noise beyond what it saw (a calibration of a quiet hour, 30 days old, promoted 8 to 26% of
 * harmful plans of a loud one). Of a profile that is contradicted only drift stays, because drift only widens
 * (docs/decisions/0007). To be spread into what is asked; nothing without a profile.
 */
export function trustedProfile({ profile, ...run }: TrustInput): { readonly profile?: CalibrationProfile } {
  if (profile === undefined) return {};
  const slos = run.slos.flatMap((resolved): readonly (readonly [string, SloCalibration])[] => {
    const { name } = resolved.slo;
    const calibration = profile.slos[name];
    return calibration === undefined ? [] : [[name, trustedCalibration(resolved, calibration, run)]];
  });
  return { profile: { slos: Object.fromEntries(slos) } };
}

function trustedCalibration(
  resolved: ResolvedSlo,
  calibration: SloCalibration,
  { store, limits, baseline }: Omit<TrustInput, "profile">,
): SloCalibration {
  const { measure } = resolved.slo;
  const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
  const { blockMs } = startingBlock(measure, limits, calibration);
  const before = settledSeries(store, { measure, scale, window: baseline, blockMs });
  if (before.kind === "no-data" || before.influence.length < BLOCKS_TO_SPEAK) return calibration;
  const { estimate, standardError } = onePhaseSequence(before, before.floor, limits);
  const controlLevel = before.levels.control;
  const isBiased = isContradicted({ measure, scale, calibration, controlLevel, baseline: { estimate, standardError } });
  if (!isBiased && !isLouder(before, calibration, { blockMs, limits })) return calibration;
  const { driftSd, driftSeconds } = calibration;
  return {
    contradicted: isBiased ? "bias" : "noise",
    ...(driftSd === undefined ? {} : { driftSd }),
    ...(driftSeconds === undefined ? {} : { driftSeconds }),
  };
}

/** Whether blocks of the baseline vary more than the profile's did, beyond chance; logs of variances are about normal. */
function isLouder(
  before: Series,
  { blocks = [] }: SloCalibration,
  { blockMs, limits }: { readonly blockMs: number; readonly limits: Pick<JudgeLimits, "alpha" | "g"> },
): boolean {
  const known = blocks.find((block) => block.blockMs === blockMs);
  if (known === undefined || known.count < 2) return false;
  const { blockSd } = onePhaseSequence(before, before.floor, limits);
  const spread = Math.sqrt(2 / (before.influence.length - 1) + 2 / (known.count - 1));
  // Written so that numbers that are none are louder.
  return !(2 * Math.log(blockSd / known.sd) <= normalQuantile(LOUDER_AT) * spread);
}
