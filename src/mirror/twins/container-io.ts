import { LIMITS } from "../../core/limits.ts";
import type { ExecResult } from "../twin.ts";
import type { Docker, Engine } from "./engine.ts";

/** Bytes of one container's output, told apart by stream. */
export interface StreamedOutput {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Splits the engine's multiplexed stream: frames of an 8-byte header (stream number, 3 zero bytes, big-endian length)
 * and their payload. A frame that was cut off counts as far as it goes. Source: Engine API, "Attach to a container".
 */
export function splitStreams(bytes: Buffer): StreamedOutput {
  const streams: [Buffer[], Buffer[]] = [[], []];
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(offset + 4);
    const payload = bytes.subarray(offset + 8, offset + 8 + length);
    streams[bytes[offset] === 2 ? 1 : 0].push(payload);
    offset += 8 + length;
  }
  return { stdout: Buffer.concat(streams[0]), stderr: Buffer.concat(streams[1]) };
}

/**
 * Runs a program in a container and waits for its end. Output beyond LIMITS.outputBytesMax is read and dropped.
 * An abort stops the waiting; the engine offers no way to stop the program.
 */
export async function execInContainer(
  engine: Engine,
  containerId: string,
  argv: readonly string[],
  signal: AbortSignal,
  as: { readonly user?: string; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<ExecResult> {
  const run = async (docker: Docker): Promise<ExecResult> => {
    const container = docker.getContainer(containerId);
    const user = as.user === undefined ? {} : { User: as.user };
    const Env = Object.entries(as.environment ?? {}).map(([name, value]) => `${name}=${value}`);
    const exec = await container.exec({ Cmd: [...argv], AttachStdout: true, AttachStderr: true, Env, ...user });
    const stream = await exec.start({ hijack: true, stdin: false });
    const stop = (): void => void stream.destroy();
    signal.addEventListener("abort", stop, { once: true });
    const bytes = await collect(stream).finally(() => signal.removeEventListener("abort", stop));
    const { ExitCode } = await exec.inspect();
    const { stdout, stderr } = splitStreams(bytes);
    return { exitCode: ExitCode ?? -1, stdout: stdout.toString("utf8"), stderr: stderr.toString("utf8") };
  };
  // How long a program may take is the caller's to say, by the signal.
  return await engine.read(`running ${argv[0] ?? "nothing"} in a container`, signal, run, Number.POSITIVE_INFINITY);
}

async function collect(stream: AsyncIterable<string | Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    if (bytes >= LIMITS.outputBytesMax) continue;
    const kept = Buffer.from(chunk).subarray(0, LIMITS.outputBytesMax - bytes);
    chunks.push(kept);
    bytes += kept.length;
  }
  return Buffer.concat(chunks);
}

/** Last lines of a container's output, both streams in the order in which they were written. */
export async function lastLines(
  engine: Engine,
  containerId: string,
  lines: number,
  signal: AbortSignal,
): Promise<string> {
  const raw = await engine.read("reading a container's output", signal, (docker) =>
    docker.getContainer(containerId).logs({ stdout: true, stderr: true, tail: lines, follow: false }),
  );
  const bytes = Buffer.isBuffer(raw) ? raw : Buffer.from(String(raw));
  return mergedFrames(bytes).subarray(-LIMITS.outputBytesMax).toString("utf8");
}

/** Payloads of the multiplexed stream in the order in which they were written. */
export function mergedFrames(bytes: Buffer): Buffer {
  const frames: Buffer[] = [];
  for (let offset = 0; offset + 8 <= bytes.length; ) {
    const length = bytes.readUInt32BE(offset + 4);
    frames.push(bytes.subarray(offset + 8, offset + 8 + length));
    offset += 8 + length;
  }
  return Buffer.concat(frames);
}

/** What a failed health check printed, in one line. */
export function healthOutput(answer: ExecResult): string {
  const line = `${answer.stdout} ${answer.stderr}`.replace(/[\p{Cc}\s]+/gu, " ").trim();
  return line === "" ? `exit code ${answer.exitCode}` : line.slice(0, 200);
}
