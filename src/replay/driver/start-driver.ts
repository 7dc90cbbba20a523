import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { DriverReport, PairBatch } from "../recording.ts";
import { FILE_HEADER_BYTES, PAIRS_FILE } from "../recordings/pair-format.ts";
import { parseBlock } from "../recordings/read-pairs.ts";
import type { DriverOptions, StartDriver, TrafficDriver } from "../traffic-driver.ts";
import { decoded } from "./decoded-answer.ts";
import type { DriverCommand, DriverNotice } from "./driver-protocol.ts";

/** Compiled and source tree alike: the entry point stands beside this file, with this file's ending. */
const ENTRY = fileURLToPath(
  new URL(`./driver-main${import.meta.url.endsWith(".ts") ? ".ts" : ".js"}`, import.meta.url),
);

/** A young generation that holds seconds of traffic, collected by the sending thread itself: helpers have no priority. */
const NODE_FLAGS = ["--max-semi-space-size=32", "--single-threaded-gc", "--no-warnings"];

/** Starts the driver as a process of its own, so that nothing the run does can delay a request. */
export const startDriver: StartDriver = async (options) => {
  options.signal.throwIfAborted();
  const child = fork(ENTRY, [], {
    serialization: "advanced",
    execArgv: NODE_FLAGS,
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  const link = linkTo(child, options);
  try {
    const { traffic, baseDir, targets, seed, recordingDir } = options;
    const sampledPerSecond = options.onSampled === undefined ? 0 : (options.sampledPerSecond ?? 0);
    const start = { kind: "start", traffic, baseDir, targets, seed, recordingDir, sampledPerSecond } as const;
    const started = await link.ask(start, "started");
    return driverOf(link, child, started.startMonotonicMs);
  } catch (error) {
    await kill(child);
    throw error;
  }
};

type Answer<K extends DriverNotice["kind"]> = Extract<DriverNotice, { kind: K }>;

/** The conversation with the driver's process. */
interface Link {
  /** Aborts when the driver ends without having been asked to `finish`. */
  readonly ended: AbortSignal;
  /** Sends a command and waits for this answer. @throws what ended the driver meanwhile */
  ask<K extends DriverNotice["kind"]>(command: DriverCommand, answer: K, signal?: AbortSignal): Promise<Answer<K>>;
  /** Resolves when all pairs up to this length of the file were handed on. */
  delivered(offset: number): Promise<void>;
  close(): Promise<void>;
}

function driverOf(link: Link, child: ChildProcess, startMonotonicMs: number): TrafficDriver {
  return {
    startMonotonicMs,
    ended: link.ended,
    pause: async (signal) => {
      const { offset } = await link.ask({ kind: "pause" }, "paused", signal);
      await link.delivered(offset);
    },
    resume: async () => {
      await link.ask({ kind: "resume" }, "resumed");
    },
    finish: async (signal): Promise<DriverReport> => {
      const { offset, report } = await link.ask({ kind: "finish" }, "finished", signal);
      await link.delivered(offset);
      if (child.connected) child.disconnect();
      return report;
    },
    [Symbol.asyncDispose]: async () => {
      await kill(child);
      await link.close();
    },
  };
}

function linkTo(child: ChildProcess, options: DriverOptions): Link {
  const ended = new AbortController();
  const end = (reason: unknown): void => {
    if (!ended.signal.aborted) ended.abort(reason);
    child.kill("SIGKILL");
  };
  const tail = followFile(join(options.recordingDir, PAIRS_FILE), options.onPairs, end);
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr = (stderr + text).slice(-4000);
  });
  child.on("error", (cause) => end(driverDied(messageOf(cause), cause)));
  let finished = false;
  child.on("exit", (code, signal) => {
    if (!finished) end(driverDied(`it ended with ${signal ?? code}\n${stderr}`.trim()));
  });
  child.on("message", (notice: DriverNotice) => {
    if (notice.kind === "pulse") options.onPulse(notice.pulse);
    if (notice.kind === "sampled") options.onSampled?.(decoded(notice.pair));
    if (notice.kind === "written") void tail.readTo(notice.offset);
    if (notice.kind === "finished") finished = true;
    if (notice.kind === "failed") end(new CanaryError({ ...notice, cause: notice.stack }));
  });
  options.signal.addEventListener("abort", () => end(options.signal.reason), { once: true, signal: ended.signal });
  return {
    ended: ended.signal,
    ask: async (command, answer, signal) => {
      invariant(!finished, "a finished driver takes no commands");
      const stop = AbortSignal.any(signal === undefined ? [ended.signal] : [ended.signal, signal]);
      stop.throwIfAborted();
      const reply = nextNotice(child, answer, stop);
      // A driver that is gone cannot be told anything; its exit, which says more, ends the waiting.
      child.send(command, () => undefined);
      return await reply;
    },
    delivered: (offset) => tail.readTo(offset),
    close: () => tail.close(),
  };
}

/** The next notice of this kind; rejects with the reason of `stop`. */
function nextNotice<K extends DriverNotice["kind"]>(
  child: ChildProcess,
  kind: K,
  stop: AbortSignal,
): Promise<Answer<K>> {
  return new Promise((resolve, reject) => {
    const listen = (notice: DriverNotice): void => {
      if (!isKind(notice, kind)) return;
      child.off("message", listen);
      resolve(notice);
    };
    child.on("message", listen);
    stop.addEventListener(
      "abort",
      () => {
        child.off("message", listen);
        reject(stop.reason);
      },
      { once: true },
    );
  });
}

function isKind<K extends DriverNotice["kind"]>(notice: DriverNotice, kind: K): notice is Answer<K> {
  return notice.kind === kind;
}

/** Reads what the driver has appended and hands it on, in order, one stretch at a time. */
function followFile(
  path: string,
  onPairs: (batch: PairBatch) => void,
  onFailure: (reason: unknown) => void,
): { readTo(offset: number): Promise<void>; close(): Promise<void> } {
  let file: FileHandle | undefined;
  let readUpTo = FILE_HEADER_BYTES;
  let last: Promise<void> = Promise.resolve();
  const read = async (offset: number): Promise<void> => {
    if (offset <= readUpTo) return;
    file ??= await open(path, "r");
    const block = Buffer.from(new ArrayBuffer(offset - readUpTo));
    await file.read(block, 0, block.length, readUpTo);
    for (const batch of parseBlock(block, { path, offset: readUpTo }).batches) onPairs(batch);
    readUpTo = offset;
  };
  return {
    readTo: (offset) => {
      last = last.then(() => read(offset));
      last.catch(onFailure);
      return last;
    },
    close: async () => {
      await last.catch(() => undefined);
      await file?.close();
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, "exit");
  child.kill("SIGKILL");
  await exit;
}

function driverDied(how: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "REPLAY_FAILED",
    message: `the traffic driver's process is gone: ${how}`,
    hint: "Nothing can be judged without traffic. Run again; if it was killed for memory, lower the rate or `inFlightMax`.",
    cause,
  });
}
