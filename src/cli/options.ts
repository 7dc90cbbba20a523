import type { Command } from "commander";
import { redact, redactDeep, redactForPeople } from "../core/redact.ts";

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

/** Writes the one JSON document of a command; texts in it may be anybody's. */
export function printJson(document: unknown): void {
  printOwnJson(redactDeep(document));
}

/** Writes a document in which every word is ours. */
export function printOwnJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
}

/** A line for people: stdout, or stderr when stdout belongs to a machine. */
export function say(text: string, json = false): void {
  (json ? process.stderr : process.stdout).write(`${redactForPeople(text)}\n`);
}

/** A line in which every word is ours, and one may be a secret that was made for whoever reads it. */
export function sayOwn(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** A line that names who answers for something: their names stay, secrets do not. */
export function sayWho(text: string): void {
  process.stdout.write(`${redact(text)}\n`);
}

/** The environment as plain values, for interpolation in documents. */
export function environmentValues(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
