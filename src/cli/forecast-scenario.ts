import type { PowerForecast } from "../judge/power-forecast.ts";
import { powerBefore } from "../run/forecast-power.ts";
import { type ChosenProfile, chooseProfile } from "./choose-profile.ts";
import { newJob } from "./new-job.ts";
import { existingSigningKey } from "./signing.ts";

/** Reads a scenario and its profile and forecasts; the engine is asked for its version, nothing is raised. */
export async function forecastScenario(options: {
  readonly scenarioFile: string;
  readonly profile?: string | false;
  readonly keyFile?: string;
}): Promise<{ readonly forecasts: readonly PowerForecast[]; readonly note: string }> {
  const job = await newJob(options);
  const { note, ...profile } = await chosen(job, options);
  return { forecasts: powerBefore({ ...job, ...profile }), note };
}

/** A forecast needs no key of its own: where there is none, nobody can have signed a profile. */
async function chosen(
  job: Parameters<typeof chooseProfile>[0],
  options: Parameters<typeof forecastScenario>[0],
): Promise<ChosenProfile> {
  const key = await existingSigningKey(options.keyFile);
  if (key === undefined && typeof options.profile !== "string" && options.profile !== false)
    return { note: `no calibration profile: \`canary calibrate ${options.scenarioFile}\` makes one` };
  return await chooseProfile(job, options.profile, key ?? { keyId: "", publicPem: "" });
}
