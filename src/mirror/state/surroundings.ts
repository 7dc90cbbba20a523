import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath, Surroundings } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { ServiceProcess } from "../twin.ts";
import type { ErrorPattern, FileListing, FlagFile, ServiceProgram } from "../twin-surroundings.ts";
import { withoutContent } from "../twins/files/file-facts.ts";
import { dataFolders } from "./data-folders.ts";
import { flagResources, isReadFlagByFlag } from "./flag-state.ts";
import type { TwinSource } from "./store-state.ts";

/**
 * What lies around the stores of a twin: files, flags, trouble in its output, processes. The stores' own data folders are no
 * files here, because their content is compared as rows and keys.
 * @throws CanaryError MIRROR_UNAVAILABLE when the engine does not answer
 */
export async function readSurroundings(
  source: TwinSource,
  stores: readonly StateSpec[],
  signal: AbortSignal,
): Promise<{ readonly around: Surroundings; readonly flags: Readonly<Record<ResourcePath, string>> }> {
  const [listing, flagFiles, patterns, processes, programs] = await Promise.all([
    dataFolders(source, stores, signal).then((except) => source.files(except, signal)),
    source.flagFiles(signal),
    source.errorPatterns(signal),
    source.processes(signal),
    source.programs(signal),
  ]);
  return {
    around: surroundingsOf(listing, flagFiles, patterns, processes, programs),
    flags: Object.assign({}, ...flagFiles.map(flagResources)),
  };
}

/** The surroundings of a twin from what it answered. */
export function surroundingsOf(
  listing: FileListing,
  flagFiles: readonly FlagFile[],
  patterns: readonly ErrorPattern[],
  processes: readonly ServiceProcess[],
  programs: readonly ServiceProgram[] = [],
): Surroundings {
  return {
    ...filesOf(listing, flagFiles),
    errors: errorsOf(patterns),
    processes: processesByService(processes),
    programs: programsByName(programs),
  };
}

/** Of a file that is compared flag by flag only owner and permissions count. */
function filesOf(listing: FileListing, flagFiles: readonly FlagFile[]): Surroundings {
  const read = flagFiles.filter(isReadFlagByFlag).map(({ resource }) => resource);
  const without = (texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> => {
    const own = read.flatMap((path) => {
      const text = texts[path];
      return text === undefined ? [] : [[path, withoutContent(text, "compared flag by flag")] as const];
    });
    return own.length === 0 ? texts : { ...texts, ...Object.fromEntries(own) };
  };
  return { ...listing, files: without(listing.files), inImage: without(listing.inImage) };
}

function errorsOf(patterns: readonly ErrorPattern[]): Readonly<Record<ResourcePath, string>> {
  return Object.fromEntries(
    patterns.map(({ service, pattern, example }) => [logPath(service, pattern), example] as const),
  );
}

/** A `*` in a pattern of trouble is no wildcard of the grammar: it is written as what it stands for. */
function logPath(service: string, pattern: string): ResourcePath {
  return resourcePath("log", service, pattern.replaceAll("*", "#"));
}

function processesByService(processes: readonly ServiceProcess[]): Readonly<Record<string, string>> {
  const byService = new Map<string, string[]>();
  for (const { service, id } of processes) byService.set(service, [...(byService.get(service) ?? []), id]);
  return Object.fromEntries([...byService].map(([service, ids]) => [service, ids.sort().join("\n")]));
}

/** Processes that run their parent's program are as many as there is work; the others are counted, in the replica with most. */
function programsByName(programs: readonly ServiceProgram[]): Readonly<Record<ResourcePath, string>> {
  const counts = new Map<ResourcePath, Map<string, number>>();
  for (const { service, replica, name, forked } of programs) {
    const path = resourcePath("process", service, name);
    const byReplica = counts.get(path) ?? new Map<string, number>();
    counts.set(path, byReplica.set(replica, (byReplica.get(replica) ?? 0) + (forked ? 0 : 1)));
  }
  return Object.fromEntries([...counts].map(([path, byReplica]) => [path, String(Math.max(...byReplica.values()))]));
}
