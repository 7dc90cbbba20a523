import { CanaryError } from "../../core/errors.ts";

/** MIRROR_UNAVAILABLE whose hint is what a container printed last. */
export function unavailable(message: string, output: string, cause?: unknown): CanaryError {
  const lines = output.trimEnd().split("\n").slice(-20);
  const hint =
    output.trim() === ""
      ? "It printed nothing. Start it by hand to see why."
      : `Its last lines:\n${lines.map((line) => `  ${printable(line)}`).join("\n")}`;
  return new CanaryError({ code: "MIRROR_UNAVAILABLE", message, hint, cause });
}

/** Output of a container may hold terminal commands; none reaches the reader's terminal. */
function printable(line: string): string {
  return line.replace(/\p{Cc}/gu, (character) => (character === "\t" ? " " : "")).slice(0, 400);
}
