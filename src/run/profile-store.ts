import { mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Keyring } from "../attest/keyring.ts";
import type { SigningKey } from "../attest/keys.ts";
import { openProfile, signProfile } from "../attest/profile-statement.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { type Profile, type ProfileSubject, profileFileName, profileMisfits } from "../judge/profile.ts";

/** A profile that a run uses, with the very bytes it was read from. */
export interface AttachedProfile {
  readonly profile: Profile;
  /** The signed bundle's text. */
  readonly text: string;
  /** Of `text`. */
  readonly sha256: string;
}

/** What a search for a profile found; `why` in words that follow "no calibration profile: ". */
export type ProfileSearch =
  | { readonly kind: "found"; readonly attached: AttachedProfile; readonly file: string }
  | { readonly kind: "none"; readonly why: string };

/** Whom and what a profile is held against. */
export interface ProfileQuestion {
  readonly trusted: Keyring;
  readonly run: ProfileSubject;
  readonly nowEpochMs: number;
}

/** A folder that somebody filled with files must not be read whole. */
const FILES_READ_MAX = 200;

/**
 * The newest profile in a folder that a trusted key signed and that is about this run. Never fails: a run without a
 * profile is a run, and what was passed over is said.
 */
export async function findProfile(folder: string, question: ProfileQuestion): Promise<ProfileSearch> {
  const names = await readdir(folder).catch((): readonly string[] => []);
  const candidates = names.filter((name) => name.endsWith(".json")).slice(0, FILES_READ_MAX);
  const fitting: { readonly attached: AttachedProfile; readonly file: string }[] = [];
  const passedOver: string[] = [];
  for (const name of candidates) {
    const file = path.join(folder, name);
    const opened = await open(file, question.trusted);
    if (opened.kind === "problem") {
      passedOver.push(`${name}: ${opened.message}`);
      continue;
    }
    const misfits = profileMisfits(opened.profile, question.run, question.nowEpochMs);
    if (misfits.length === 0) fitting.push({ attached: opened, file });
    else if (opened.profile.mirror.name === question.run.mirror.name) passedOver.push(`${name}: ${misfits[0]}`);
  }
  const [newest] = fitting.sort((a, b) => created(b) - created(a));
  if (newest !== undefined) return { kind: "found", ...newest };
  return { kind: "none", why: passedOver.length === 0 ? "none was made yet" : passedOver.slice(0, 3).join("; ") };
}

/**
 * The profile that was asked for by name.
 * @throws CanaryError PROFILE_INVALID when it is about another run, with every difference; SIGNATURE_INVALID when no
 * trusted key signed it
 */
export async function readProfile(file: string, question: ProfileQuestion): Promise<AttachedProfile> {
  const opened = await open(file, question.trusted);
  if (opened.kind === "problem") {
    throw new CanaryError({
      code: opened.unreadable === true ? "PROFILE_INVALID" : "SIGNATURE_INVALID",
      message: `${file} is not a calibration profile to rely on`,
      hint: `${opened.message}. Profiles are signed with the key of the verdicts that use them; make one with canary calibrate.`,
    });
  }
  const misfits = profileMisfits(opened.profile, question.run, question.nowEpochMs);
  if (misfits.length === 0) return opened;
  throw new CanaryError({
    code: "PROFILE_INVALID",
    message: `${file} is not about this run`,
    hint: `${misfits.map((misfit) => `- ${misfit}`).join("\n")}\nCalibrate again, or run with --no-profile.`,
  });
}

/**
 * Signs a profile and puts it among the others; one about the same is replaced. Answers the file.
 * @throws CanaryError PROFILE_INVALID when the folder cannot be written
 */
export async function writeProfile(folder: string, profile: Profile, key: SigningKey): Promise<string> {
  const file = path.join(folder, profileFileName(profile));
  const partial = `${file}.partial`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(partial, signProfile(profile, key));
    await rename(partial, file);
    return file;
  } catch (cause) {
    throw new CanaryError({
      code: "PROFILE_INVALID",
      message: `the profile cannot be written to ${file}: ${messageOf(cause)}`,
      hint: "Make room on the disk, or name another folder with --out.",
      cause,
    });
  }
}

type Opened =
  | ({ readonly kind: "profile" } & AttachedProfile)
  | { readonly kind: "problem"; readonly message: string; readonly unreadable?: true };

async function open(file: string, trusted: Keyring): Promise<Opened> {
  try {
    const info = await stat(file);
    if (!info.isFile() || info.size > LIMITS.documentBytesMax) throw new Error("it is no file of a profile's size");
    const text = await readFile(file, "utf8");
    const opened = openProfile(text, trusted);
    return opened.kind === "problem" ? opened : { ...opened, text };
  } catch (cause) {
    return { kind: "problem", message: `it cannot be read: ${messageOf(cause)}`, unreadable: true };
  }
}

function created({ attached }: { readonly attached: AttachedProfile }): number {
  return Date.parse(attached.profile.createdAt);
}
