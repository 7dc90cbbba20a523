import { ownKeyring } from "../attest/keyring.ts";
import type { SigningKey } from "../attest/keys.ts";
import { messageOf } from "../core/errors.ts";
import { readMachine } from "../mirror/twins/read-machine.ts";
import { profileSubject } from "../run/calibrate.ts";
import { type AttachedProfile, findProfile, type ProfileQuestion, readProfile } from "../run/profile-store.ts";
import type { RunJob } from "../run/run-job.ts";
import { dockerHost, PROFILE_FOLDER } from "./key-location.ts";
import { systemClock } from "./system.ts";

/** What became of the search, and a sentence about it for people. */
export interface ChosenProfile {
  readonly profile?: AttachedProfile;
  readonly note: string;
}

/**
 * The calibration profile of a run: the file that was named, none when `false`, else the newest in the project that fits.
 * Only profiles signed with the key that signs the verdict are believed.
 * @throws CanaryError PROFILE_INVALID | SIGNATURE_INVALID when the file that was named is not about this run, or foreign
 */
export async function chooseProfile(
  job: Pick<RunJob, "scenario" | "spec">,
  wanted: string | false | undefined,
  key: Pick<SigningKey, "keyId" | "publicPem">,
): Promise<ChosenProfile> {
  if (wanted === false) return { note: "no calibration profile, as asked" };
  const machine = await readMachine(dockerHost()).catch((error: unknown) => {
    if (wanted !== undefined) throw error;
    return messageOf(error);
  });
  if (typeof machine === "string") return { note: `no calibration profile: ${machine}` };
  const question: ProfileQuestion = {
    trusted: ownKeyring(key, "canary"),
    run: profileSubject(job, machine),
    nowEpochMs: systemClock.epochMs(),
  };
  if (wanted !== undefined) return { profile: await readProfile(wanted, question), note: `calibrated by ${wanted}` };
  const found = await findProfile(PROFILE_FOLDER, question);
  if (found.kind === "found") return { profile: found.attached, note: `calibrated by ${found.file}` };
  return { note: `no calibration profile: ${found.why} (canary calibrate makes one)` };
}
