import type { FileAttributes, Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import { flagTarget } from "./changed-flag.ts";
import { type FileTarget, fileTarget } from "./changed-text.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type FileLikeStep = StepOf<"file"> | StepOf<"flag">;

/** Changes a file, or one flag in it, in every replica; it landed if all of them then hold exactly the new content. */
export async function executeFile(step: FileLikeStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, path } = step.with;
  const target = await targetOf(step, await twin.readFile(service, path, context.signal));
  const what = step.uses === "flag" ? `flag ${step.with.flag} in ${path}` : path;
  if (target.kind === "impossible") return notLanded(`${what} of ${service} was not changed: ${target.why}`);
  await twin.writeFile(service, path, target.bytes, context.signal, attributesOf(step));
  const now = await twin.readFile(service, path, context.signal);
  if (!sameContent(now, target.bytes)) return notLanded(`${path} of ${service} does not hold what was written`);
  const done =
    target.bytes === undefined ? "is gone" : `holds the ${target.bytes.length} bytes that were to be written`;
  return { landed: true, output: "", message: `${what} of ${service} ${done}` };
}

/** Whether the file already holds what the step would write. A file that can not be read is at no target. */
export async function fileAtTarget(step: FileLikeStep, twin: Twin, signal: AbortSignal): Promise<boolean> {
  const now = await twin.readFile(step.with.service, step.with.path, signal);
  const target = await targetOf(step, now);
  return target.kind === "content" && sameContent(now, target.bytes);
}

function targetOf(step: FileLikeStep, before: Buffer | undefined): Promise<FileTarget> {
  return step.uses === "flag" ? flagTarget(step, before) : fileTarget(step, before);
}

function attributesOf(step: FileLikeStep): FileAttributes | undefined {
  if (step.uses === "flag" || step.with.attributes === undefined) return undefined;
  const { mode, uid, gid } = step.with.attributes;
  return { mode: Number.parseInt(mode, 8), uid, gid };
}

function sameContent(a: Buffer | undefined, b: Buffer | undefined): boolean {
  return a === undefined || b === undefined ? a === b : a.equals(b);
}
