import { CanaryError, EXIT_CODE, messageOf } from "../core/errors.ts";
import { redactForPeople } from "../core/redact.ts";
import { plainText } from "../report/plain-text.ts";
import { withoutWorkflowCommands } from "../report/workflow-commands.ts";

/**
 * Prints an error the way people and machines can act on it, and sets the exit code.
 * A stack trace only with `--debug`; anything that is no `CanaryError` is our bug.
 * Errors quote documents, logs of containers and answers of services: none of them may command a terminal or a runner.
 */
export function failWith(thrown: unknown, options: { readonly debug: boolean; readonly json: boolean }): void {
  const known = thrown instanceof CanaryError;
  const code = known ? thrown.code : "BUG";
  const message = redactForPeople(messageOf(thrown));
  const hint = known
    ? redactForPeople(thrown.hint)
    : "This is a bug in canary. Please report it with the output of the same command and --debug.";
  process.exitCode = known ? thrown.exitCode : EXIT_CODE.bug;
  if (options.json) {
    process.stdout.write(`${JSON.stringify({ kind: "error", code, message, hint, exitCode: process.exitCode })}\n`);
  }
  const tell = (text: string): boolean => process.stderr.write(withoutWorkflowCommands(plainText(text, "keep")));
  tell(`\ncanary: ${message} [${code}]\n${indent(hint)}\n`);
  if (options.debug && thrown instanceof Error) {
    tell(`${redactForPeople(thrown.stack ?? "")}\n`);
    if (thrown.cause instanceof Error)
      tell(redactForPeople(`caused by ${thrown.cause.stack ?? thrown.cause.message}\n`));
  }
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((line) => `  ${line}`)
    .join("\n");
}
