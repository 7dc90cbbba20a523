import { sha256Hex } from "../core/sha256.ts";
import { measureKey, type Slo } from "../measure/slo.ts";
import { acceptedRange, effectScale, type ResolvedSlo } from "./accepted.ts";
import type { CalibrationProfile, SloCalibration } from "./calibration.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { LearnedSlo, Profile } from "./profile.ts";

/** What the judge may believe of a profile for these SLOs and a plan that replaces the containers of these services. */
export function calibrationOf(
  profile: Profile,
  run: { readonly slos: readonly ResolvedSlo[]; readonly replaced: readonly string[] },
): CalibrationProfile {
  const covered = run.replaced.every((service) => profile.restarted.includes(service));
  const vouches = profile.secondsPerRound >= JUDGE_RULES.vouchingWindowSecondsMin;
  const slos = run.slos.flatMap((resolved): readonly (readonly [string, SloCalibration])[] => {
    const learned = learnedOf(profile, resolved);
    return learned === undefined ? [] : [[learned.name, believedOf(learned, { covered, vouches })]];
  });
  return { slos: Object.fromEntries(slos) };
}

/** What a profile learned of the very measure that this SLO asks for, on the very scale. */
export function learnedOf(profile: Profile, resolved: ResolvedSlo): LearnedSlo | undefined {
  const scale = effectScale(acceptedRange(resolved) ?? resolved.slo.limit);
  const measure = measureSha256(resolved.slo);
  const found = profile.slos.find(({ name }) => name === resolved.slo.name);
  const fits = found?.kind === "learned" && found.scale === scale && found.measureSha256 === measure;
  return fits ? found : undefined;
}

/** Digest of what an SLO measures. */
export function measureSha256({ measure }: Pick<Slo, "measure">): string {
  return sha256Hex(measureKey(measure));
}

function believedOf(
  learned: LearnedSlo,
  { covered, vouches }: { readonly covered: boolean; readonly vouches: boolean },
): SloCalibration {
  const { tau, restartSd, drift, blocks } = learned;
  return {
    tau,
    blocks,
    vouches,
    ...(restartSd === undefined || !covered ? {} : { restart: { sd: restartSd, rounds: 1 } }),
    ...(drift.shown ? { driftSd: drift.sd, driftSeconds: drift.seconds } : {}),
  };
}
