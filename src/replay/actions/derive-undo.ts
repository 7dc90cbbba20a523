import { LIMITS } from "../../core/limits.ts";
import { redact } from "../../core/redact.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep, StepOf } from "../../plan/action.ts";
import { needsNoUndo, undoUnderivable } from "../../plan/kinds.ts";
import { keysOf, saveKeys } from "./redis-action.ts";
import { configurationOf } from "./service-action.ts";
import { notLanded, type StepContext, type StepResult } from "./step-result.ts";
import { timeBoxed } from "./time-box.ts";

/** What was read before a step acts: the step that puts it back, nothing to put back, or why it can not act. */
export type UndoReading =
  | { readonly kind: "undo"; readonly step: ActionStep }
  | { readonly kind: "none" }
  | { readonly kind: "refused"; readonly result: StepResult };

/**
 * Reads, inside the step's time box, the state that a step is about to change, and makes the step that puts it back.
 * What can not be read is not acted upon.
 * @throws signal.reason when aborted; CanaryError when the engine does not answer any more
 */
export async function readUndo(step: ActionStep, twin: Twin, context: StepContext): Promise<UndoReading> {
  if (needsNoUndo(step)) return { kind: "none" };
  let undo: ActionStep | undefined;
  const result = await timeBoxed(
    async (boxed) => {
      const derived = await deriveUndo(step, twin, boxed.signal);
      if (typeof derived === "string") return notLanded(`nothing was done, for no undo could be read: ${derived}`);
      undo = derived;
      return { landed: true, output: "", message: "" };
    },
    twin,
    context,
  );
  return undo === undefined ? { kind: "refused", result } : { kind: "undo", step: undo };
}

/** A derived undo in one line for people: secrets masked, contents cut. */
export function undoWords(step: ActionStep): string {
  const short = JSON.stringify(step.with, (name, value: unknown) => {
    if (typeof value !== "string") return value;
    if (name === "replaceBase64" || name === "dumpHex") return `(${value.length} characters)`;
    return value.length > UNDO_TEXT_CHARS_MAX
      ? `${value.slice(0, UNDO_TEXT_CHARS_MAX)}… (${value.length} characters)`
      : value;
  });
  return redact(`${step.uses} ${short}`).slice(0, LIMITS.textCharsMax);
}

const UNDO_TEXT_CHARS_MAX = 200;

/** The undo, or why there is none, in words. */
async function deriveUndo(step: ActionStep, twin: Twin, signal: AbortSignal): Promise<ActionStep | string> {
  const why = undoUnderivable(step);
  if (why !== undefined) return why;
  switch (step.uses) {
    case "scale":
    case "remove":
    case "update":
      return await serviceUndo(step, twin, signal);
    case "file":
    case "flag":
      return await fileUndo(step, twin, signal);
    case "redis":
      return await redisUndo(step, twin);
    default:
      return `${step.uses} can do anything`;
  }
}

async function serviceUndo(
  step: StepOf<"scale"> | StepOf<"remove"> | StepOf<"update">,
  twin: Twin,
  signal: AbortSignal,
): Promise<ActionStep | string> {
  const { service } = step.with;
  const now = await configurationOf(twin, service, signal);
  if (now === undefined) return `there is no service ${service}`;
  if (step.uses !== "update") return { uses: "scale", with: { service, replicas: now.replicas } };
  const { environment, image, memoryBytes, cpus } = step.with;
  const names = Object.keys(environment ?? {});
  const before = Object.fromEntries(names.map((name) => [name, now.environment[name] ?? null]));
  return {
    uses: "update",
    with: {
      service,
      ...(environment === undefined ? {} : { environment: before }),
      ...(image === undefined ? {} : { image: now.imageId }),
      ...(memoryBytes === undefined ? {} : { memoryBytes: now.memoryBytes ?? null }),
      ...(cpus === undefined ? {} : { cpus: now.cpus ?? null }),
    },
  };
}

async function fileUndo(step: StepOf<"file"> | StepOf<"flag">, twin: Twin, signal: AbortSignal): Promise<ActionStep> {
  const { service, path } = step.with;
  const before = await twin.readFile(service, path, signal);
  if (before === undefined) return { uses: "file", with: { service, path, remove: true } };
  const found = await twin.fileAttributes(service, path, signal);
  const mode = found?.mode.toString(8).padStart(4, "0") ?? "0644";
  const attributes = { mode, uid: found?.uid ?? 0, gid: found?.gid ?? 0 };
  const text = before.toString("utf8");
  // Text stays readable in the log of intents and can be masked; anything else keeps its bytes.
  const content = Buffer.from(text).equals(before) ? { replace: text } : { replaceBase64: before.toString("base64") };
  return { uses: "file", with: { service, path, ...content, attributes } };
}

async function redisUndo(step: StepOf<"redis">, twin: Twin): Promise<ActionStep | string> {
  const { service, commands, restore = [] } = step.with;
  const named = await Promise.all(commands.map((command) => keysOf(command, service, twin)));
  const keys = [...new Set([...named.flat(), ...restore.map(({ key }) => key)])];
  if (keys.length > LIMITS.undoKeysMax) return `it touches ${keys.length} keys, more than ${LIMITS.undoKeysMax}`;
  const saved = await saveKeys(keys, service, twin);
  const bytes = saved.reduce((sum, { dumpHex }) => sum + (dumpHex?.length ?? 0) / 2, 0);
  if (bytes > LIMITS.fileBytesMax) return `its keys hold ${bytes} bytes, more than ${LIMITS.fileBytesMax}`;
  return { uses: "redis", with: { service, commands: [], restore: [...saved] } };
}
