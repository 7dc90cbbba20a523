import { createReadStream } from "node:fs";
import { access, readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { readUnverifiedProfile } from "../attest/profile-statement.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { sha256Hex } from "../core/sha256.ts";
import { type BlockStore, createBlockStore } from "../measure/block-store.ts";
import type { ResponseLog } from "../measure/response-log.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import type { RecordingManifest } from "../replay/recording.ts";
import { readPairs } from "../replay/recordings/read-pairs.ts";
import { REPORT_FILES } from "../report/write-reports.ts";
import { RUN_FILES } from "./file-run-store.ts";
import { blockStoreOptions } from "./load-session.ts";
import type { AttachedProfile } from "./profile-store.ts";
import { readResponses } from "./read-responses.ts";
import { parseScenario, type Scenario } from "./scenario.ts";
import { type StoredRun, StoredRunSchema } from "./stored-run.ts";

/** A finished run as its folder holds it: documents, what was witnessed, and everything that was measured. */
export interface OpenedRun {
  readonly scenario: Scenario;
  readonly plan: Plan;
  readonly stored: StoredRun;
  readonly store: BlockStore;
  /** What the run compared of answers; absent in runs that compared none. */
  readonly responses?: ResponseLog;
  /** The calibration that the run believed, from the bytes kept with it. */
  readonly profile?: Pick<AttachedProfile, "profile">;
  /** Services that the run saw restarted; absent in reports of before it looked, where the plan's words stand. */
  readonly restarted?: readonly string[];
}

/**
 * Reads the folder of a finished run.
 * @throws CanaryError RECORDING_INVALID when the folder is no run, the run ended without an answer, or a file is damaged
 */
export async function openStoredRun(runDir: string): Promise<OpenedRun> {
  const read = (file: string): Promise<string> => readPart(path.join(runDir, file));
  await expectFinished(runDir);
  const scenario = parseScenario(await read(RUN_FILES.scenario), path.join(runDir, RUN_FILES.scenario));
  const plan = parsePlan(await read(RUN_FILES.plan), path.join(runDir, RUN_FILES.plan));
  const stored = parsePart(StoredRunSchema, await read(REPORT_FILES.json), REPORT_FILES.json);
  const store = await loadStore(path.join(runDir, RUN_FILES.recording), scenario, stored.traffic.driver !== undefined);
  const responses = stored.responses === undefined ? {} : { responses: await readResponses(runDir) };
  const profile = stored.profile === undefined ? {} : { profile: await readKept(runDir, stored.profile.sha256) };
  const restarted = stored.restarted === undefined ? {} : { restarted: stored.restarted };
  return { scenario, plan, stored, store, ...responses, ...profile, ...restarted };
}

/** The profile was verified when the run began; what lies beside the report now must be the same bytes. */
async function readKept(runDir: string, sha256: string): Promise<Pick<AttachedProfile, "profile">> {
  const text = await readPart(path.join(runDir, RUN_FILES.profile));
  const read = sha256Hex(text) === sha256 ? readUnverifiedProfile(text) : undefined;
  if (read?.kind === "profile") return { profile: read.profile };
  throw damaged(`${RUN_FILES.profile} is not the calibration profile that the run used`);
}

/** A run that was stopped or broke has a log of what it was about to do, and no answer. */
async function expectFinished(runDir: string): Promise<void> {
  if (await exists(path.join(runDir, REPORT_FILES.json))) return;
  if (!(await exists(path.join(runDir, RUN_FILES.intent)))) {
    throw damaged(`${runDir} is no folder of a run: it has neither ${REPORT_FILES.json} nor ${RUN_FILES.intent}`);
  }
  throw new CanaryError({
    code: "RECORDING_INVALID",
    message: `the run in ${runDir} ended without an answer, so there is nothing to judge again`,
    hint: `It was stopped, or something failed before its verdict; ${RUN_FILES.intent} says how far it came. Rehearse the plan again.`,
  });
}

async function exists(file: string): Promise<boolean> {
  return await access(file).then(
    () => true,
    () => false,
  );
}

async function loadStore(recordingDir: string, scenario: Scenario, hasTraffic: boolean): Promise<BlockStore> {
  const store = createBlockStore(blockStoreOptions(scenario.traffic));
  if (!hasTraffic) return store;
  await expectRecording(recordingDir);
  parsePart(ManifestSchema, await readPart(path.join(recordingDir, RUN_FILES.manifest)), RUN_FILES.manifest);
  for await (const batch of readPairs(recordingDir)) store.addPairs(batch);
  const lines = createInterface({ input: createReadStream(path.join(recordingDir, RUN_FILES.metrics)) });
  for await (const line of lines) {
    if (line !== "") store.addMetric(parsePart(MetricSchema, line, RUN_FILES.metrics));
  }
  return store;
}

/** A report may have been kept without the measurements behind it, as the sample in the repository is. */
async function expectRecording(recordingDir: string): Promise<void> {
  for (const name of [RUN_FILES.manifest, RUN_FILES.pairs, RUN_FILES.metrics]) {
    if (await exists(path.join(recordingDir, name))) continue;
    throw new CanaryError({
      code: "RECORDING_INVALID",
      message: `the recording of the run is gone: ${path.join(recordingDir, name)} does not exist`,
      hint: "A report alone can be read, not judged again. Give the folder of a run with its recording.",
    });
  }
}

const ManifestSchema = z.looseObject({
  schema: z.literal("canary.recording/v1") satisfies z.ZodType<RecordingManifest["schema"]>,
});
const MetricSchema = z.strictObject({
  atMs: z.number(),
  role: z.enum(["control", "shadow"]),
  key: z.string().max(10_000),
  value: z.number(),
});

async function readPart(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw damaged(`cannot read ${file}: ${messageOf(cause)}`, cause);
  });
}

function parsePart<T>(schema: z.ZodType<T>, text: string, name: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(`${name} of the run is damaged`, cause);
  }
}

function damaged(message: string, cause?: unknown): CanaryError {
  const hint = "Give the folder of a finished run, reports/<run>.";
  return new CanaryError({ code: "RECORDING_INVALID", message, hint, cause });
}
