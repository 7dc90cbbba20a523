import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, readFile, statfs } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { CommandResult, EngineAnswer, Host } from "./host.ts";

/** A hung engine must not hang the doctor. */
const ENGINE_TIMEOUT_MS = 10_000;

/** The machine this process runs on; what only `cli` may read of the process is passed in. */
export function nodeHost(ofProcess: {
  readonly platform: string;
  readonly nodeVersion: string;
  readonly userId: number | undefined;
  readonly dockerHost: string | undefined;
}): Host {
  return {
    ...ofProcess,
    coreCount: availableParallelism,
    availableMemoryBytes: freemem,
    freeDiskBytes,
    readText: (path) => readFile(path, "utf8").catch(() => undefined),
    writeAccess,
    askEngine: (signal) => askEngine(ofProcess.dockerHost ?? "", signal),
    run,
  };
}

async function freeDiskBytes(path: string): Promise<number | undefined> {
  try {
    const { bavail, bsize } = await statfs(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

async function writeAccess(path: string): Promise<"granted" | "denied" | "missing"> {
  try {
    await access(path, constants.W_OK);
    return "granted";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "missing" : "denied";
  }
}

async function askEngine(dockerHost: string, signal: AbortSignal): Promise<EngineAnswer> {
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(ENGINE_TIMEOUT_MS)]);
  try {
    return await Promise.race([engineItself(dockerHost), rejectOnAbort(deadline)]);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: "silent", why: deadline.aborted ? `no answer in ${ENGINE_TIMEOUT_MS / 1000} s` : messageOf(error) };
  }
}

/** Found by the library that a run uses, so that the doctor never judges another engine than the run's. */
async function engineItself(dockerHost: string): Promise<EngineAnswer> {
  const { getContainerRuntimeClient } = await import("testcontainers");
  const { dockerode } = (await getContainerRuntimeClient()).container;
  if (!isNamedBy(dockerHost, dockerode.modem))
    return { kind: "silent", why: "another one of this machine would be used" };
  const [info, images] = await Promise.all([dockerode.info(), dockerode.listImages()]);
  // Untagged images have no list of names at all on some engines.
  return { kind: "answers", info, imageNames: images.flatMap((image) => image.RepoTags ?? []) };
}

/** The library falls back to the local socket when the one that DOCKER_HOST names is silent, and says nothing. */
function isNamedBy(dockerHost: string, modem: object): boolean {
  if (!dockerHost.startsWith("unix://")) return true;
  return "socketPath" in modem && modem.socketPath === dockerHost.slice("unix://".length);
}

async function rejectOnAbort(signal: AbortSignal): Promise<never> {
  signal.throwIfAborted();
  await once(signal, "abort");
  throw signal.reason;
}

async function run(
  command: string,
  args: readonly string[],
  options: Parameters<Host["run"]>[2],
): Promise<CommandResult> {
  const deadline = AbortSignal.timeout(options.timeoutMs);
  const child = spawn(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    signal: AbortSignal.any([options.signal, deadline]),
  });
  const output = Promise.all([tailOf(child.stdout), tailOf(child.stderr, options.onLine)]);
  try {
    const [exitCode, [stdout, stderr]] = await Promise.all([exitCodeOf(child), output]);
    return { kind: "exited", exitCode, stdout, stderr };
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return { kind: "missing" };
    throw new CanaryError({
      code: deadline.aborted ? "DEADLINE_EXCEEDED" : "MIRROR_UNAVAILABLE",
      message: `${command} ${deadline.aborted ? `did not end within ${options.timeoutMs / 1000} s` : "could not be run"}`,
      hint: `Run it by hand to see why: ${[command, ...args].join(" ")}`,
      cause: error,
    });
  }
}

/** A command ended by a signal has no code of its own; shells count 128 upwards, and so do we. */
async function exitCodeOf(child: ChildProcess): Promise<number> {
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 128;
}

async function tailOf(stream: Readable, onLine?: (line: string) => void): Promise<string> {
  let tail = "";
  for await (const line of createInterface({ input: stream })) {
    onLine?.(line);
    tail = `${tail}${line}\n`.slice(-LIMITS.outputBytesMax);
  }
  return tail;
}
