import type { ServiceChange, ServiceConfiguration, Twin } from "../../mirror/twin.ts";
import type { ActionStep, StepOf } from "../../plan/action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type ScaleStep = Extract<ActionStep, { uses: "scale" }>;
type UpdateStep = Extract<ActionStep, { uses: "update" }>;

/** Sets the number of replicas; it landed if the engine then reports that many. */
export async function executeScale(step: ScaleStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, replicas } = step.with;
  await twin.scale(service, replicas, context.signal);
  const now = await configurationOf(twin, service, context.signal);
  if (now === undefined) return notLanded(`there is no service ${service}`);
  const message = `${service} runs ${now.replicas} ${now.replicas === 1 ? "replica" : "replicas"}`;
  return now.replicas === replicas ? { landed: true, output: "", message } : notLanded(`${message}, not ${replicas}`);
}

/** Changes environment, image or limits; it landed if the engine then reports every one of the new values. */
export async function executeUpdate(step: UpdateStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service } = step.with;
  await twin.update(service, serviceChange(step), context.signal);
  const now = await configurationOf(twin, service, context.signal);
  if (now === undefined) return notLanded(`there is no service ${service}`);
  const missing = unmetChanges(step, now).filter((change) => change !== "image");
  // An image is named here and reported as an id; that the service came up again with it is what `update` resolves with.
  return missing.length === 0
    ? {
        landed: true,
        output: "",
        message: `${service} runs with the new ${changedNames(step).join(", ")}`,
      }
    : notLanded(`${service} does not have the new ${missing.join(", ")}`);
}

/** Restarts every replica; it landed if none of the old processes is left and as many replicas run as before. */
export async function executeRestart(step: StepOf<"restart">, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, maxUnavailable } = step.with;
  const before = await configurationOf(twin, service, context.signal);
  if (before === undefined) return notLanded(`there is no service ${service}`);
  const old = await processesOf(twin, service, context.signal);
  await twin.restart(service, { maxUnavailable }, context.signal);
  const left = (await processesOf(twin, service, context.signal)).filter((id) => old.includes(id));
  const now = await configurationOf(twin, service, context.signal);
  if (left.length > 0) return notLanded(`${left.length} of ${old.length} processes of ${service} were not restarted`);
  if (now?.replicas !== before.replicas)
    return notLanded(`${service} runs ${now?.replicas ?? 0} of ${before.replicas} replicas after the restart`);
  const message = `${service} runs in new processes, ${before.replicas} ${before.replicas === 1 ? "replica" : "replicas"}`;
  return { landed: true, output: "", message };
}

async function processesOf(twin: Twin, service: string, signal: AbortSignal): Promise<readonly string[]> {
  const all = await twin.processes(signal);
  return all.filter((one) => one.service === service).map(({ id }) => id);
}

/** Whether the service already is what the step would make it. An image counts only if it is named by its id. */
export async function serviceAtTarget(step: ScaleStep | UpdateStep, twin: Twin, signal: AbortSignal): Promise<boolean> {
  const now = await configurationOf(twin, step.with.service, signal);
  if (now === undefined) return false;
  return step.uses === "scale" ? now.replicas === step.with.replicas : unmetChanges(step, now).length === 0;
}

/** Names of what the service does not (or not provably) have yet: `environment NAME`, `image`, `memory`, `cpus`. */
function unmetChanges(step: UpdateStep, now: ServiceConfiguration): readonly string[] {
  const { environment = {}, image, memoryBytes, cpus } = step.with;
  return [
    ...Object.entries(environment).flatMap(([name, value]) =>
      (now.environment[name] ?? null) === value ? [] : [`environment ${name}`],
    ),
    ...(image === undefined || image === now.imageId ? [] : ["image"]),
    ...(memoryBytes === undefined || memoryBytes === (now.memoryBytes ?? null) ? [] : ["memory"]),
    ...(cpus === undefined || sameCores(cpus, now.cpus) ? [] : ["cpus"]),
  ];
}

/** The engine counts billionths of a core. */
function sameCores(wanted: number | null, now: number | undefined): boolean {
  if (wanted === null || now === undefined) return wanted === null && now === undefined;
  return Math.abs(wanted - now) < 1e-6;
}

function changedNames(step: UpdateStep): readonly string[] {
  const { environment = {}, image, memoryBytes, cpus } = step.with;
  return [
    ...Object.keys(environment),
    ...(image === undefined ? [] : ["image"]),
    ...(memoryBytes === undefined ? [] : ["memory"]),
    ...(cpus === undefined ? [] : ["cpus"]),
  ];
}

function serviceChange(step: UpdateStep): ServiceChange {
  const { environment, image, memoryBytes, cpus } = step.with;
  return {
    ...(environment === undefined ? {} : { environment }),
    ...(image === undefined ? {} : { image }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
  };
}

/** One service as the engine reports it; `undefined` for a name that the mirror does not have. */
export async function configurationOf(
  twin: Twin,
  service: string,
  signal: AbortSignal,
): Promise<ServiceConfiguration | undefined> {
  return (await twin.configuration(signal)).find((one) => one.service === service);
}
