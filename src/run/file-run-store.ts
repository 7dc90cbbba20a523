import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { type IntentLog, inBoth } from "../core/intent-log.ts";
import { redactDeep } from "../core/redact.ts";
import { sha256Hex } from "../core/sha256.ts";
import { KEPT_FILES } from "../mirror/twins/kept-runs.ts";
import type { ResumeState } from "../replay/proof/resume-rollback.ts";
import type { RecordingManifest } from "../replay/recording.ts";
import { reportJson } from "../report/files/report-json.ts";
import type { RunReport } from "../report/run-report.ts";
import { REPORT_FILES, writeReports } from "../report/write-reports.ts";
import { onDisk, openIntentLog, writeDurably, writeWhole } from "./durable-folder.ts";
import type { RunStore } from "./run-effects.ts";

/** Names of the files in a run's folder, for everyone who reads one. */
export const RUN_FILES = {
  recording: "recording",
  manifest: "manifest.json",
  metrics: "metrics.jsonl",
  pairs: "pairs.bin",
  responses: "responses.jsonl",
  intent: KEPT_FILES.intent,
  /** State before the plan, for whoever has to finish the rollback of a killed run. */
  reference: "reference.json",
  /** How such a rollback was finished. */
  resumed: "rollback-resumed.json",
  plan: "plan.yaml",
  scenario: "scenario.yaml",
  bundle: "verdict.sigstore.json",
  profile: "profile.json",
  abort: "abort.json",
} as const;

/** Makes the signed bundle of a finished run; wired by the CLI, which owns the key. */
export type SignVerdict = (
  report: RunReport,
  evidence: { readonly recordingSha256: string; readonly reportSha256: string },
) => Promise<string>;

/**
 * A run's folder on disk. The verdict appears in it by one rename, last; a run that ends without an answer leaves
 * its intent log and recording for people to look at, and no verdict.
 * @throws CanaryError REPLAY_FAILED, also from the store's methods, when the disk is full or does not let us write
 */
export async function openRunStore(options: RunStoreOptions): Promise<RunStore> {
  return await onDisk(options.runDir, () => openFolder(options));
}

interface RunStoreOptions {
  readonly runDir: string;
  readonly planText: string;
  readonly scenarioText: string;
  /** The calibration profile that is believed, as it was signed. */
  readonly profileText?: string;
  /** Takes every intent before the journal does: the ledger. An undo is finished from the journal alone. */
  readonly ledgerIntents?: IntentLog;
  readonly sign: SignVerdict;
}

async function openFolder(options: RunStoreOptions): Promise<RunStore> {
  const recordingDir = path.join(options.runDir, RUN_FILES.recording);
  await mkdir(recordingDir, { recursive: true });
  await writeFile(path.join(options.runDir, RUN_FILES.plan), options.planText);
  await writeFile(path.join(options.runDir, RUN_FILES.scenario), options.scenarioText);
  if (options.profileText !== undefined) {
    await writeFile(path.join(options.runDir, RUN_FILES.profile), options.profileText);
  }
  await using opening = new AsyncDisposableStack();
  const intent = await openIntentLog(path.join(options.runDir, RUN_FILES.intent));
  opening.use(intent);
  const metrics = openLines(path.join(recordingDir, RUN_FILES.metrics));
  opening.use(metrics);
  const responses = openLines(path.join(recordingDir, RUN_FILES.responses));
  opening.use(responses);
  const opened = opening.move();
  return {
    recordingDir,
    folder: path.resolve(options.runDir),
    intent: inBoth(options.ledgerIntents, { record: (entry) => onDisk(options.runDir, () => intent.record(entry)) }),
    keepForResume: (state: ResumeState) =>
      onDisk(options.runDir, () =>
        writeWhole(path.join(options.runDir, RUN_FILES.reference), `${JSON.stringify(state)}\n`, 0o600),
      ),
    saveMetrics: metrics.save,
    saveResponses: responses.save,
    saveManifest: (manifest: RecordingManifest) =>
      onDisk(options.runDir, async () => {
        await metrics.flush();
        await responses.flush();
        await writeWhole(path.join(recordingDir, RUN_FILES.manifest), `${JSON.stringify(manifest, null, 2)}\n`);
      }),
    publish: (report) =>
      onDisk(options.runDir, async () => {
        const bundle = await options.sign(report, {
          recordingSha256: await digestOfRecording(recordingDir),
          reportSha256: sha256Hex(reportJson(report)),
        });
        await publishWhole({ ...report, bundleSha256: sha256Hex(bundle) }, bundle, options.runDir);
        return options.runDir;
      }),
    saveAbort: (record) =>
      onDisk(options.runDir, async () => {
        const file = path.join(options.runDir, RUN_FILES.abort);
        await writeWhole(file, `${JSON.stringify(redactDeep(record), null, 2)}\n`);
        return file;
      }),
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** Lines of JSON, buffered by the stream; what went wrong with one of them is told at the flush. */
function openLines(
  file: string,
): AsyncDisposable & { readonly save: (lines: readonly unknown[]) => void; readonly flush: () => Promise<void> } {
  const stream = createWriteStream(file);
  let failure: Error | undefined;
  // Without a listener a full disk would end the process, and the twins would be left to the reaper.
  stream.on("error", (error) => {
    failure ??= error;
  });
  const save = (lines: readonly unknown[]): void => {
    if (failure !== undefined) return;
    for (const line of lines) stream.write(`${JSON.stringify(line)}\n`);
  };
  return {
    save,
    flush: async () => {
      if (failure !== undefined) throw failure;
      await new Promise<void>((resolve, reject) => stream.write("", (error) => (error ? reject(error) : resolve())));
    },
    [Symbol.asyncDispose]: () =>
      stream.closed ? Promise.resolve() : new Promise((resolve) => stream.close(() => resolve())),
  };
}

/**
 * Reports and bundle, or none of them: the bundle is on disk before the reports are written and gets its name after,
 * so that a full disk leaves neither a verdict without reports nor reports without a verdict.
 */
async function publishWhole(report: RunReport, bundle: string, runDir: string): Promise<void> {
  const file = path.join(runDir, RUN_FILES.bundle);
  const partial = `${file}.partial`;
  try {
    await writeDurably(partial, bundle);
    await writeReports(report, runDir);
    await rename(partial, file);
  } catch (error) {
    const written = [partial, ...Object.values(REPORT_FILES).map((name) => path.join(runDir, name))];
    await Promise.all(written.map((name) => rm(name, { force: true })));
    throw error;
  }
}

/**
 * SHA-256 over the files of a recording in a fixed order; a run that never sent traffic has an empty one. Compared answers
 * count where there are some: recordings from before they existed keep their digest.
 */
export async function digestOfRecording(recordingDir: string): Promise<string> {
  const digest = createHash("sha256");
  for (const name of [RUN_FILES.manifest, RUN_FILES.pairs, RUN_FILES.metrics, RUN_FILES.responses]) {
    const file = path.join(recordingDir, name);
    const exists = await open(file).then(
      (handle) => handle.close().then(() => true),
      () => false,
    );
    if (name === RUN_FILES.responses && !exists) continue;
    digest.update(`${name}\0${exists}\0`);
    if (exists) await pipeline(createReadStream(file), digest, { end: false });
  }
  return digest.digest("hex");
}
