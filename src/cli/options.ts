import type { Command } from "commander";

/** `--json` and its meaning are the same everywhere: one JSON document on stdout, people's text on stderr. */
export function withJson(command: Command): Command {
  return command.option("--json", "print one JSON document on stdout; everything for people goes to stderr");
}

/** `--policy` means the same everywhere: the folder of the policy that is asked. */
export function withPolicy(command: Command): Command {
  return command.option(
    "--policy <folder>",
    "policy that is asked; else CANARY_POLICY, else the one that ships (docs/policy.md)",
  );
}

/** Writes the one JSON document of a command. */
export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** A line for people: stdout, or stderr when stdout belongs to a machine. */
export function say(text: string, json = false): void {
  (json ? process.stderr : process.stdout).write(`${text}\n`);
}

/** The environment as plain values, for interpolation in documents. */
export function environmentValues(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
