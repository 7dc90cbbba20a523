import type { Difference, ResourcePath, Surroundings } from "../fingerprint.ts";
import { valuesDiffering } from "./values-differing.ts";

/** In place of a value: the image has the file, the container not any more. */
const GONE = "gone";

/** Whether a path is that of a file, folder or link: what twins may draw differently when they start. */
export function isFilePath(path: ResourcePath): boolean {
  return /^(?:file|volume|bind)\//.test(path);
}

/** Files that are not the same. A file of an image that is written back as it was is the same again. */
export function fileDifferences(before: Surroundings, after: Surroundings): readonly Difference[] {
  return valuesDiffering(filesBeside(before, after), filesBeside(after, before));
}

/** The files of one state as paths to values, with those of the image that only the other state has touched. */
export function filesBeside(state: Surroundings, other: Surroundings): Readonly<Record<ResourcePath, string>> {
  const all = { ...other.inImage, ...state.inImage, ...state.files };
  return Object.fromEntries(Object.entries(all).filter(([, text]) => text !== GONE));
}

/** Trouble that services have told of between two looks at the same twin. */
export function newErrorPatterns(before: Surroundings, after: Surroundings): readonly Difference[] {
  const known = before.errors ?? {};
  return Object.entries(after.errors ?? {})
    .filter(([path]) => known[path] === undefined)
    .map(([path, example]): Difference => ({ path, kind: "added", after: example }));
}

/** Services whose processes are not those of the other look any more. */
export function restartedServices(before: Surroundings, after: Surroundings): ReadonlySet<string> {
  return new Set(valuesDiffering(before.processes ?? {}, after.processes ?? {}).map(({ path }) => path));
}
