import { InvariantViolation } from "../../core/invariant.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep, StepOf } from "../../plan/action.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import { flagTarget } from "./changed-flag.ts";
import { fileTarget } from "./changed-text.ts";
import { executeHttp } from "./http-action.ts";
import { tryRedis } from "./redis-dry-run.ts";
import { trySql } from "./sql-dry-run.ts";
import { notLanded, type StepContext, type StepOutcome, type StepResult } from "./step-result.ts";
import { timeBoxed } from "./time-box.ts";

/**
 * Tries a step on a quiet twin in the way that its kind offers, inside the action's time box; nothing is changed.
 * Answers nothing where there is nothing to try, or no way to; else `landed` says that nothing stood against it.
 * @throws signal.reason when aborted; CanaryError on the harness's own trouble
 */
export async function tryStep(
  step: ActionStep,
  offer: DryRunOffer,
  twin: Twin,
  context: StepContext,
): Promise<StepResult | undefined> {
  if (offer.kind === "none" || offer.kind === "needless") return undefined;
  return await timeBoxed((boxed) => kindOfTrial(step, twin, boxed), twin, context);
}

function kindOfTrial(step: ActionStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  switch (step.uses) {
    case "sql":
      return trySql(step, twin, context);
    case "file":
    case "flag":
      return tryFile(step, twin, context);
    case "scale":
    case "update":
    case "restart":
    case "remove":
      return tryService(step, twin, context);
    case "redis":
      return tryRedis(step, twin, context);
    case "http":
      return tryRequest(step, twin, context);
    default:
      throw new InvariantViolation(`${step.uses} offers no dry run`);
  }
}

/** Computes the new content from the present one. */
async function tryFile(
  step: StepOf<"file"> | StepOf<"flag">,
  twin: Twin,
  { signal }: StepContext,
): Promise<StepOutcome> {
  const { service, path } = step.with;
  const before = await twin.readFile(service, path, signal);
  const target = step.uses === "flag" ? await flagTarget(step, before) : await fileTarget(step, before);
  if (target.kind === "impossible") return notLanded(`${path} of ${service} would not be changed: ${target.why}`);
  const was = before === undefined ? "no file" : `${before.length} bytes`;
  const is = target.bytes === undefined ? "no file" : `${target.bytes.length} bytes`;
  return passed(`${path} of ${service} would be ${is} instead of ${was}`);
}

/** Holds a change of a service against what the twin runs: that it is there, that its image can be had, that its limits would do. */
async function tryService(
  step: StepOf<"scale"> | StepOf<"update"> | StepOf<"restart"> | StepOf<"remove">,
  twin: Twin,
  { signal }: StepContext,
): Promise<StepOutcome> {
  const { service } = step.with;
  const now = (await twin.configuration(signal)).find((one) => one.service === service);
  if (now === undefined) return notLanded(`there is no service ${service}`);
  if (step.uses === "restart" && now.replicas === 0) return notLanded(`${service} runs no replica that could restart`);
  if (step.uses !== "update") return passed(`${service} is there, with ${now.replicas} replicas`);
  const { image, memoryBytes } = step.with;
  const imageId = image === undefined ? undefined : await twin.imageId(image, signal);
  if (memoryBytes !== undefined && memoryBytes !== null) {
    const used = (await twin.usage(signal)).find((one) => one.service === service)?.memoryBytes;
    const each = used === undefined ? undefined : used / Math.max(1, now.replicas);
    if (each !== undefined && each > memoryBytes)
      return notLanded(
        `${service} uses ${Math.round(each)} bytes a replica now, more than the limit of ${memoryBytes}`,
      );
  }
  return passed(`${service} is there${imageId === undefined ? "" : `, and image ${image} can be had (${imageId})`}`);
}

/** Sends the request that the plan declares for it; that it changes nothing is for the caller to see. */
async function tryRequest(step: StepOf<"http">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { dryRun, service, port } = step.with;
  if (dryRun === undefined) throw new InvariantViolation("a request without a dry run offers none");
  return await executeHttp({ uses: "http", with: { service, port, ...dryRun } }, twin, context);
}

function passed(message: string): StepOutcome {
  return { landed: true, output: "", message };
}
