import type { ContainerRuntimeClient } from "testcontainers";
import { engineError } from "./engine-errors.ts";

/** The engine client inside testcontainers, for what its own interface does not offer. */
export type Docker = ContainerRuntimeClient["container"]["dockerode"];
export type ContainerOptions = Parameters<ContainerRuntimeClient["container"]["create"]>[0];
export type ContainerDetails = Awaited<ReturnType<ContainerRuntimeClient["container"]["inspect"]>>;
export type ContainerSummary = Awaited<ReturnType<ContainerRuntimeClient["container"]["list"]>>[number];
export type ImageDetails = Awaited<ReturnType<ContainerRuntimeClient["image"]["inspect"]>>;

/** A connection to the container engine that knows which of its calls are still under way. */
export interface Engine {
  readonly docker: Docker;
  readonly client: ContainerRuntimeClient;
  /** Name and version, e.g. `docker 20.10.24`. */
  readonly version: string;
  readonly cpus: number;
  /**
   * Runs a call that changes nothing. An abort rejects at once with the signal's reason.
   * @param answerMsMax - an engine that hangs says nothing for ever; default 2 min
   * @throws CanaryError MIRROR_UNAVAILABLE saying what was being done; signal.reason when aborted
   */
  read<T>(doing: string, signal: AbortSignal, work: (docker: Docker) => Promise<T>, answerMsMax?: number): Promise<T>;
  /**
   * Like `read` for a call that changes something. It runs on in the background after an abort, where `settled` knows
   * of it: the engine might otherwise finish a dropped `create` after everything was removed.
   */
  change<T>(doing: string, signal: AbortSignal, work: (docker: Docker) => Promise<T>, answerMsMax?: number): Promise<T>;
  /** Resolves with the exit code when the container has ended; an abort closes the request. */
  wait(containerId: string, signal: AbortSignal): Promise<{ readonly StatusCode: number }>;
  /** Resolves when no change is under way any more, or an engine that hangs has been waited for long enough. */
  settled(): Promise<void>;
  /** The same engine with changes counted apart as well, for one twin. */
  scoped(): Engine;
}

/**
 * Connects to the engine that DOCKER_HOST or the default socket names.
 * @param dockerHost - what the caller knows DOCKER_HOST to be: another engine is then not silently taken instead
 * @throws CanaryError MIRROR_UNAVAILABLE when none answers
 */
export async function openEngine(options: { readonly dockerHost?: string } = {}): Promise<Engine> {
  // Half a second and 50 MB: only a run pays for it.
  const { getContainerRuntimeClient } = await import("testcontainers");
  try {
    const client = await getContainerRuntimeClient();
    const docker = client.container.dockerode;
    refuseOtherEngine(docker, options.dockerHost);
    // The client is cached for the life of the process, so only this call proves that the engine still lives.
    const { Version, Components } = await docker.version();
    const podman = Components?.some((component) => /podman/i.test(component.Name)) ?? false;
    return engineOver(client, `${podman ? "podman" : "docker"} ${Version}`);
  } catch (cause) {
    throw engineError(cause, "connecting to the container engine");
  }
}

function refuseOtherEngine(docker: Docker, dockerHost: string | undefined): void {
  if (dockerHost === undefined || dockerHost === "") return;
  const { socketPath, host } = docker.modem as { socketPath?: string; host?: string };
  const used = socketPath ?? host ?? "";
  if (dockerHost.replace(/^\w+:\/\//, "").startsWith(used.replace(/^\w+:\/\//, "")) && used !== "") return;
  throw new Error(`ECONNREFUSED: DOCKER_HOST is ${dockerHost}, but only ${used} answers`);
}

/** A call that has not been answered by then never will be: removing a container takes an engine seconds at worst. */
const ANSWER_MS_MAX = 120_000;

/** The engine behind a client; with a parent, one whose changes the parent counts too. */
export function engineOver(client: ContainerRuntimeClient, version: string, parent?: Engine): Engine {
  const docker = client.container.dockerode;
  const underWay = new Set<Promise<unknown>>();
  const engine: Engine = {
    docker,
    client,
    version,
    cpus: client.info.containerRuntime.cpus,
    async read(doing, signal, work, answerMsMax = ANSWER_MS_MAX) {
      signal.throwIfAborted();
      return await abortable(named(answered(work(docker), answerMsMax), doing), signal);
    },
    async change<T>(
      doing: string,
      signal: AbortSignal,
      work: (docker: Docker) => Promise<T>,
      answerMsMax = ANSWER_MS_MAX,
    ) {
      signal.throwIfAborted();
      const watched = (): Promise<T> => remember(answered(work(docker), answerMsMax), underWay);
      if (parent !== undefined) return await parent.change(doing, signal, watched, answerMsMax);
      return await abortable(named(watched(), doing), signal);
    },
    async wait(containerId, signal) {
      signal.throwIfAborted();
      const ended = docker.getContainer(containerId).wait({ condition: "not-running", abortSignal: signal });
      return await abortable(named(ended, "waiting for a container"), signal);
    },
    async settled() {
      while (underWay.size > 0) await Promise.allSettled(underWay);
    },
    scoped: () => engineOver(client, version, engine),
  };
  return engine;
}

/**
 * What an engine answers, or an error when it hangs. Infinity waits for as long as it takes.
 * @throws Error `no answer within …`, which `engineError` knows
 */
export async function answered<T>(running: Promise<T>, answerMsMax = ANSWER_MS_MAX): Promise<T> {
  if (answerMsMax === Number.POSITIVE_INFINITY) return await running;
  const late = AbortSignal.timeout(answerMsMax);
  return await abortable(running, late).catch((cause: unknown) => {
    if (cause !== late.reason || !late.aborted) throw cause;
    throw new Error(`no answer within ${answerMsMax / 1000} s`, { cause });
  });
}

async function named<T>(running: Promise<T>, doing: string): Promise<T> {
  return await running.catch((cause: unknown) => {
    throw engineError(cause, doing);
  });
}

function remember<T>(running: Promise<T>, underWay: Set<Promise<unknown>>): Promise<T> {
  underWay.add(running);
  running.finally(() => underWay.delete(running)).catch(() => undefined);
  return running;
}

/** The promise's outcome, or a rejection with the signal's reason if that comes first. */
export async function abortable<T>(running: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([running, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}
