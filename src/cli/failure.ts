import { CanaryError, EXIT_CODE, messageOf } from "../core/errors.ts";

/**
 * Prints an error the way people and machines can act on it, and sets the exit code.
 * A stack trace only with `--debug`; anything that is no `CanaryError` is our bug.
 */
export function failWith(thrown: unknown, options: { readonly debug: boolean; readonly json: boolean }): void {
  const known = thrown instanceof CanaryError;
  const code = known ? thrown.code : "BUG";
  const message = messageOf(thrown);
  const hint = known
    ? thrown.hint
    : "This is a bug in canary. Please report it with the output of the same command and --debug.";
  process.exitCode = known ? thrown.exitCode : EXIT_CODE.bug;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ kind: "error", code, message, hint, exitCode: process.exitCode })}\n`);
  }
  process.stderr.write(`\ncanary: ${message} [${code}]\n${indent(hint)}\n`);
  if (options.debug && thrown instanceof Error) {
    process.stderr.write(`${thrown.stack ?? ""}\n`);
    if (thrown.cause instanceof Error)
      process.stderr.write(`caused by ${thrown.cause.stack ?? thrown.cause.message}\n`);
  }
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
