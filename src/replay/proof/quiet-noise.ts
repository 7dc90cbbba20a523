import type { Difference, ResourcePath, Surroundings } from "../../mirror/fingerprint.ts";
import { familyOf } from "../../mirror/state/family.ts";
import { isProgram } from "../../mirror/state/inside-containers.ts";
import { fileDifferences, isFilePath, restartedServices } from "../../mirror/state/surroundings-difference.ts";
import type { Role } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";

/** What shows which differences of a quiet shadow are nobody's. */
export interface QuietLooks {
  /** Both twins before anything. */
  readonly baseline: Readonly<Record<Role, Surroundings>>;
  /** The shadow before and after the step whose differences are asked for. */
  readonly before: Surroundings;
  readonly after: Surroundings;
  /** The untouched control, looked at after the shadow, so that it had at least as long to change by itself. */
  readonly controlNow: Surroundings;
  /** Paths that an action was seen to change: whatever the start of a process may write there, they were the plan's. */
  readonly touched: ReadonlySet<ResourcePath>;
}

/**
 * Whether a difference of the quiet shadow is noise, as the untouched control and the start of the twins show it: a file
 * that changes by itself, trouble that the control tells of too, or a file that a process writes when it starts, where the
 * process has just started again. Everything else is somebody's; rows, keys and configuration always are.
 */
export function quietNoise(looks: QuietLooks): (difference: Difference) => boolean {
  const { baseline, before, after, controlNow, touched } = looks;
  const moving = fileDifferences(baseline.control, controlNow);
  const movedPaths = new Set(moving.map(({ path }) => path));
  const comingAndGoing = new Set(moving.filter(({ kind }) => kind !== "changed").map(({ path }) => familyOf(path)));
  const restarted = restartedServices(before, after);
  const writtenByStarting = new Set(
    [...(baseline.control.sinceStart ?? []), ...(baseline.shadow.sinceStart ?? [])].map(familyOf),
  );
  const [fresh, freshBefore] = [new Set(after.sinceStart), new Set(before.sinceStart)];
  const startedAnew = ({ path, kind }: Difference): boolean =>
    writtenByStarting.has(familyOf(path)) &&
    isOfService(path, restarted) &&
    (kind === "removed" ? freshBefore.has(path) : fresh.has(path));
  return (difference) => {
    const { path, kind } = difference;
    if (path.startsWith("log/")) return controlNow.errors?.[path] !== undefined;
    // Another image may run another program, and what the control runs by now too is the service's own.
    if (isProgram(path))
      return runsOnControl(difference, controlNow) || (isOfService(path, restarted) && !touched.has(path));
    if (isOfEngine(path, after)) return false;
    // A folder of this machine that both twins share: what one of them does there shows on both.
    if (!isFilePath(path) || path.startsWith("bind/")) return false;
    if (movedPaths.has(path) || (kind !== "changed" && comingAndGoing.has(familyOf(path)))) return true;
    return !touched.has(path) && startedAnew(difference);
  };
}

/** Paths of files that a step may have written, as far as its kind decides it. */
export function writable(step: ActionStep): (path: ResourcePath) => boolean {
  if (!REACHING_FILES.has(step.uses) || !("service" in step.with)) return () => false;
  const own = resourcePath("file", step.with.service);
  // A volume holds it under another path, but under the same name.
  const only = step.uses === "file" || step.uses === "flag" ? `/${step.with.path.split("/").at(-1) ?? ""}` : "";
  return (path) => (path.startsWith(`${own}/`) || path.startsWith("volume/")) && path.endsWith(only);
}

/** Kinds that write files themselves, or let a service do so. */
const REACHING_FILES: ReadonlySet<ActionStep["uses"]> = new Set(["exec", "file", "flag", "http", "grpc"]);

/**
 * Whether a difference that is noise may hide the plan's: the file changed on the untouched control by itself, to something
 * else, and the plan was seen to change it before, or its step may write there.
 */
export function mayHide(
  { path, after }: Difference,
  { baseline, controlNow, touched }: Pick<QuietLooks, "baseline" | "controlNow" | "touched">,
  mayWrite: (path: ResourcePath) => boolean,
): boolean {
  const [was, is] = [baseline.control.files?.[path], controlNow.files?.[path]];
  if (!isFilePath(path) || was === is || after === is) return false;
  return touched.has(path) || mayWrite(path);
}

/** Whether only a further look at the control can tell what a difference is. */
export function maybeNoise({ path }: Difference): boolean {
  return path.startsWith("log/") || isProgram(path) || (isFilePath(path) && !path.startsWith("bind/"));
}

function runsOnControl({ path, after = "0" }: Difference, { programs = {} }: Surroundings): boolean {
  const there = programs[path];
  return there !== undefined && Number(there) >= Number(after);
}

/** A path of the engine's own files: nobody but the engine writes them. */
function isOfEngine(path: ResourcePath, { ofEngine = {} }: Surroundings): boolean {
  return ofEngine[path] !== undefined;
}

/** A volume may belong to any of the services. */
function isOfService(path: ResourcePath, services: ReadonlySet<string>): boolean {
  const [kind, service = ""] = path.split("/");
  return kind === "file" || kind === "process" ? services.has(service) : services.size > 0;
}
