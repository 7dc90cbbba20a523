import { BASE_IMAGES, checkEngine, checkImages, checkLimits, type SetupRights } from "./check-engine.ts";
import { checkCores, checkDisk, checkHostServices, checkMemory, checkNode, checkScheduling } from "./check-machine.ts";
import { type EngineState, engineState } from "./engine-state.ts";
import type { Finding } from "./finding.ts";
import type { Host } from "./host.ts";
import { grantedScheduling } from "./scheduling.ts";

/** Where a distribution's engine would keep its images, to be looked at before there is one. */
const DIRECTORY_BEFORE_INSTALL = "/var/lib";

/**
 * Looks over the machine without changing it: one finding for each check but `leftovers`, in the order of `CHECKS`.
 * An engine in trouble is a finding, not an error.
 * @param options.images - images that must be here; without it the ones the set-up provides
 * @throws signal.reason when aborted
 */
export async function diagnose(options: {
  readonly host: Host;
  readonly signal: AbortSignal;
  readonly images?: readonly string[];
}): Promise<readonly Finding[]> {
  const { host, signal } = options;
  const [state, scheduling, rights, tcp, tcp6] = await Promise.all([
    engineState(host, signal),
    grantedScheduling(host, signal),
    setupRights(host),
    host.readText("/proc/net/tcp"),
    host.readText("/proc/net/tcp6"),
  ]);
  const directory = engineDirectory(state);
  const engine = checkEngine(state, rights);
  return [
    engine,
    checkImages(state, options.images ?? BASE_IMAGES, engine),
    checkDisk(await host.freeDiskBytes(directory), directory),
    checkMemory(host.availableMemoryBytes(), state),
    checkCores(host.coreCount(), state),
    checkLimits(state),
    checkNode(host.nodeVersion),
    checkScheduling(scheduling),
    checkHostServices([tcp, tcp6]),
  ];
}

function engineDirectory(state: EngineState): string {
  return state.kind === "answers" ? state.info.DockerRootDir : DIRECTORY_BEFORE_INSTALL;
}

async function setupRights(host: Host): Promise<SetupRights> {
  const mayStart = host.platform === "linux" && host.userId === 0 && (host.dockerHost ?? "") === "";
  const release = (await host.readText("/etc/os-release")) ?? "";
  return { mayStart, mayInstall: mayStart && /^(ID|ID_LIKE)=.*(debian|ubuntu)/m.test(release) };
}
