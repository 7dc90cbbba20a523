import { readFile } from "node:fs/promises";
import path from "node:path";
import type { Keyring } from "../attest/keyring.ts";
import type { Predicate } from "../attest/predicate.ts";
import { readChecked } from "../attest/verify.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { sha256Hex } from "../core/sha256.ts";
import { reportJson } from "../report/files/report-json.ts";
import type { RunReport } from "../report/run-report.ts";
import { REPORT_FILES } from "../report/write-reports.ts";
import { digestOfRecording, RUN_FILES } from "./file-run-store.ts";

/** What vouches for the files of a stored run: a signature of a trusted key over all of them, or nothing, and why. */
export type Seal =
  | { readonly kind: "signed"; readonly keyId: string }
  | { readonly kind: "unverified"; readonly why: string };

/**
 * Compares every file that a run is judged from with the digests that its verdict was signed over, and checks the signature
 * where its key is trusted. The recording is hashed as a stream.
 * @throws CanaryError RECORDING_INVALID, naming the file, when one is not what was signed or the bundle is none of ours
 */
export async function readSeal(runDir: string, trusted: Keyring): Promise<Seal> {
  const bundle = await readIfThere(path.join(runDir, RUN_FILES.bundle));
  if (bundle === undefined) return unverified(`there is no ${RUN_FILES.bundle} beside it`);
  const read = readChecked(bundle.toString("utf8"), trusted);
  if (read.kind === "problem") throw refused(`${RUN_FILES.bundle} is not the signed verdict of a run: ${read.message}`);
  const { predicate } = read.statement;
  await expectSigned(runDir, predicate);
  await expectReport(runDir, predicate, sha256Hex(bundle));
  if (!read.signed) {
    const known = trusted.keys.length === 0 ? "there is no public key here" : "that is not the key trusted here";
    return unverified(`signature not checked: it names key ${read.keyId}, and ${known} (--key)`);
  }
  if (predicate.reportSha256 === undefined) {
    return unverified(`it was signed by ${read.keyId} before signatures covered all of ${REPORT_FILES.json}`);
  }
  return { kind: "signed", keyId: read.keyId };
}

async function expectSigned(runDir: string, predicate: Predicate): Promise<void> {
  const { planDigest, scenarioSha256, profile, recordingSha256 } = predicate;
  const digests = [
    { name: RUN_FILES.plan, sha256: planDigest.sha256 },
    { name: RUN_FILES.scenario, sha256: scenarioSha256 },
    ...(profile === undefined ? [] : [{ name: RUN_FILES.profile, sha256: profile.sha256 }]),
  ];
  for (const { name, sha256 } of digests) {
    const bytes = await readIfThere(path.join(runDir, name));
    if (bytes === undefined || sha256Hex(bytes) !== sha256) throw notSigned(name);
  }
  if ((await digestOfRecording(path.join(runDir, RUN_FILES.recording))) !== recordingSha256) {
    throw notSigned(
      `${RUN_FILES.recording}/ (${RUN_FILES.manifest}, ${RUN_FILES.pairs}, ${RUN_FILES.metrics}, ${RUN_FILES.responses})`,
    );
  }
}

/** What was witnessed stands in the report alone; the name of its bundle is the one thing in it that was written after. */
async function expectReport(runDir: string, predicate: Predicate, bundle: string): Promise<void> {
  const text = (await readIfThere(path.join(runDir, REPORT_FILES.json)))?.toString("utf8") ?? "null";
  const { bundleSha256, ...report }: RunReport = JSON.parse(text);
  if (bundleSha256 !== undefined && bundleSha256 !== bundle) {
    throw refused(`${REPORT_FILES.json} names another ${RUN_FILES.bundle} than the one beside it`);
  }
  const { reportSha256 } = predicate;
  const isSigned =
    reportSha256 === undefined ? saysTheSame(report, predicate) : sha256Hex(reportJson(report)) === reportSha256;
  if (!isSigned) throw notSigned(REPORT_FILES.json);
}

/** Documents from before the report was signed as a whole: what they carry of it. */
function saysTheSame({ verdict, rollback, quiet, profile }: RunReport, predicate: Predicate): boolean {
  const { quiet: quietly, underLoad } = predicate.rollback;
  const restored = (proof: { readonly residue: readonly unknown[]; readonly failed?: unknown }): boolean =>
    proof.residue.length === 0 && proof.failed === undefined;
  return (
    verdict.kind === predicate.verdict &&
    verdict.reasons.map(({ code }) => code).join() === predicate.reasons.map(({ code }) => code).join() &&
    profile?.sha256 === predicate.profile?.sha256 &&
    restored(quiet) === quietly.restored &&
    (rollback.kind === "run"
      ? underLoad.kind === "run" && restored(rollback) === underLoad.restored
      : underLoad.kind === "not-run")
  );
}

async function readIfThere(file: string): Promise<Buffer | undefined> {
  return await readFile(file).catch((cause: unknown) => {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return undefined;
    throw refused(`cannot read ${file}: ${messageOf(cause)}`, cause);
  });
}

function unverified(why: string): Seal {
  return { kind: "unverified", why };
}

function notSigned(name: string): CanaryError {
  return refused(`${name} is not what the verdict of this run was signed over`);
}

function refused(message: string, cause?: unknown): CanaryError {
  const hint = `It was changed after the run, or belongs to another one. Get the whole folder again, with its ${RUN_FILES.bundle}.`;
  return new CanaryError({ code: "RECORDING_INVALID", message, hint, cause });
}
