import { isAbsolute, relative, resolve, sep } from "node:path";
import type { InterpolationScope } from "./interpolate.ts";
import type { Report } from "./problem.ts";

/** What a path of the mirror must be. */
export type PathKind = "file" | "folder" | "file or folder";

/** Everything that turning written values into a `MirrorSpec` may ask for. Paths are absolute. */
export interface MirrorScope extends InterpolationScope {
  readonly baseDir: string;
  /** Text of an env file, or `undefined` if there is no such file. */
  readonly readEnvFile: (path: string) => string | undefined;
  /** What is wrong with a path that lies in the mirror's folder by name: missing, of another kind, a link to outside. */
  readonly inspectPath: (path: string, kind: PathKind) => string | undefined;
  readonly report: Report;
}

/**
 * Resolves a path of the document; a path outside the mirror's folder is reported.
 * @returns `undefined` when it was reported
 */
export function insideMirror(
  written: string,
  at: { readonly path: readonly PropertyKey[]; readonly kind: PathKind; readonly from?: string },
  scope: MirrorScope,
): string | undefined {
  const path = resolve(at.from ?? scope.baseDir, written);
  const problem = outsideReason(written, path, scope.baseDir) ?? scope.inspectPath(path, at.kind);
  if (problem === undefined) return path;
  scope.report(at.path, `"${written}" ${problem}`);
  return undefined;
}

/** Whether a path is the folder or below it, by name alone. */
export function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return !isAbsolute(way) && way !== ".." && !way.startsWith(`..${sep}`);
}

function outsideReason(written: string, path: string, baseDir: string): string | undefined {
  if (/(?:docker|podman|containerd|crio)\.sock$/.test(written)) {
    return "is the container engine itself: who holds it holds this machine";
  }
  if (written.startsWith("~")) return "is in a home folder; a mirror reads only its own folder";
  return isInside(path, baseDir) ? undefined : "lies outside the mirror's folder";
}
