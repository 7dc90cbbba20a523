import { spawn } from "node:child_process";
import { CanaryError } from "../../core/errors.ts";
import type { Deliver } from "./queued-notifier.ts";
import { bodyOf } from "./webhook-sink.ts";

const COMMAND_MS_MAX = 10_000;
const STDERR_CHARS_MAX = 300;

/**
 * The program and its arguments, as given on a command line: a JSON list, or one path without arguments. There is no shell.
 * @throws CanaryError USAGE
 */
export function commandArguments(text: string): readonly [string, ...string[]] {
  const [program, ...rest] = text.trimStart().startsWith("[") ? listOf(text) : [text];
  if (program !== undefined && program !== "" && [program, ...rest].every((part) => !part.includes("\0")))
    return [program, ...rest];
  throw new CanaryError({
    code: "USAGE",
    message: "--notify-command names no program",
    hint: 'Give a path, or a JSON list: --notify-command \'["/usr/local/bin/page", "--team", "sre"]\'',
  });
}

function listOf(text: string): readonly string[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) && list.every((part) => typeof part === "string") ? list : [];
  } catch {
    return [];
  }
}

/** Starts a program for every notice, with the notice as JSON on its standard input; it has ten seconds. */
export function commandSink(options: {
  readonly argv: readonly [string, ...string[]];
  readonly environment: Readonly<Record<string, string>>;
}): Deliver {
  const [program, ...args] = options.argv;
  return (notice, signal) =>
    new Promise((resolve) => {
      const child = spawn(program, args, {
        shell: false,
        stdio: ["pipe", "ignore", "pipe"],
        env: { ...options.environment },
        timeout: COMMAND_MS_MAX,
        killSignal: "SIGKILL",
        signal,
      });
      let stderr = "";
      child.stderr.setEncoding("utf8").on("data", (text: string) => {
        stderr = (stderr + text).slice(-STDERR_CHARS_MAX);
      });
      child.on("error", (error) => resolve(error.message));
      child.on("exit", (code, killed) => {
        if (code === 0) return resolve(undefined);
        const how =
          killed === null ? `it ended with ${code}` : `it was ended after ${COMMAND_MS_MAX / 1000} s (${killed})`;
        resolve(`${how} ${stderr.trim()}`.trim());
      });
      // A program that does not read its input has ended for other reasons, which its exit tells.
      child.stdin.on("error", () => undefined);
      child.stdin.end(`${JSON.stringify({ ...(bodyOf(notice) as object), id: notice.id })}\n`);
    });
}
