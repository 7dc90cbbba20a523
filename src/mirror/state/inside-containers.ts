import type { Difference, ResourcePath, Surroundings } from "../fingerprint.ts";
import { valuesDiffering } from "./values-differing.ts";

/**
 * What changed inside the containers of a twin between two looks, beside its files: the engine's own files, and programs that run
 * now and did not, or more often. A service that came or went is told by its configuration; a program that ended by what it served.
 */
export function changedInside(before: Surroundings, after: Surroundings): readonly Difference[] {
  const served = servicesOf(before);
  const rewritten = valuesDiffering(before.ofEngine ?? {}, after.ofEngine ?? {}).filter(
    ({ kind }) => kind === "changed",
  );
  const running = valuesDiffering(before.programs ?? {}, after.programs ?? {}).filter(
    ({ path, before: was = "-1", after: is = "-1" }) => served.has(serviceOf(path)) && Number(is) > Number(was),
  );
  return [...rewritten, ...running];
}

/** Whether a path is that of a program. */
export function isProgram(path: ResourcePath): boolean {
  return path.startsWith("process/");
}

function servicesOf({ programs = {} }: Surroundings): ReadonlySet<string> {
  return new Set(Object.keys(programs).map(serviceOf));
}

function serviceOf(path: ResourcePath): string {
  return path.split("/")[1] ?? "";
}
