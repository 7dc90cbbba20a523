import path from "node:path";
import { z } from "zod";
import { CanaryError } from "../core/errors.ts";
import type { IntentLog } from "../core/intent-log.ts";
import type { Surroundings } from "../mirror/fingerprint.ts";
import { readPrivateText } from "../mirror/private-file.ts";
import type { KeptRun } from "../mirror/twins/kept-runs.ts";
import type { LeftBehind, ResumeState } from "../replay/proof/resume-rollback.ts";
import { RUN_FILES } from "./file-run-store.ts";
import type { RunJob } from "./run-job.ts";

/**
 * What a dead run's folder holds of its unfinished rollback.
 * @param intent - goes on with its log
 * @throws CanaryError REPLAY_FAILED when the state before the plan is not there: then nothing could be compared
 */
export async function leftBehind({ folder, unfinished }: KeptRun, intent: IntentLog): Promise<LeftBehind> {
  return { folder, unfinished, intent, kept: await readResumeState(folder) };
}

/** What the undos of a plan need beside the log, for a process that does not know the job. */
export function undosOf({ scenarioDir, plan }: RunJob): Pick<ResumeState, "baseDir" | "undoTries"> {
  const { tries } = plan.rollback;
  return { baseDir: scenarioDir, ...(tries === undefined ? {} : { undoTries: tries }) };
}

/** What tells, of the untouched control, which files change by themselves; nothing else of it is compared after a death. */
export function filesOfControl({ files = {}, inImage = {}, sinceStart = [] }: Surroundings): Surroundings {
  return { files, inImage, sinceStart };
}

/** Our own file: only its outline is checked, because everything in it is compared and nothing of it is carried out. */
const ResumeStateSchema = z.looseObject({
  reference: z.looseObject({ resources: z.looseObject({}), tables: z.looseObject({}), keys: z.looseObject({}) }),
  consequences: z.array(z.string()),
  directEffects: z.array(z.string()),
  controlReference: z.looseObject({}).exactOptional(),
  baseDir: z.string().exactOptional(),
  undoTries: z.number().int().min(1).max(5).exactOptional(),
});

async function readResumeState(folder: string): Promise<ResumeState> {
  const file = path.join(folder, RUN_FILES.reference);
  const value: unknown = JSON.parse((await readPrivateText(file)).text);
  if (isResumeState(value)) return value;
  throw new CanaryError({
    code: "REPLAY_FAILED",
    message: `${file} does not hold the state before the plan`,
    hint: "The state after the rollback can not be compared.",
  });
}

function isResumeState(value: unknown): value is ResumeState {
  return ResumeStateSchema.safeParse(value).success;
}
