import type { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
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

/**
 * What is read of a command line, or everything that is wrong with it in one error, so that it is corrected once.
 * @throws CanaryError the only one that was thrown; USAGE naming each where there are several
 */
export async function allTogether<const Reads extends readonly Promise<unknown>[]>(
  reads: Reads,
): Promise<{ -readonly [Index in keyof Reads]: Awaited<Reads[Index]> }> {
  const settled = await Promise.allSettled(reads);
  const thrown = settled.flatMap((one): readonly unknown[] => (one.status === "rejected" ? [one.reason] : []));
  const problems = thrown.filter((one) => one instanceof CanaryError);
  if (problems.length > 1 && problems.length === thrown.length) {
    throw new CanaryError({
      code: "USAGE",
      message: `${problems.length} things are wrong with the command line`,
      hint: problems.map(({ message, hint }) => `- ${message}\n  ${hint.replaceAll("\n", "\n  ")}`).join("\n"),
      cause: problems[0],
    });
  }
  return await Promise.all(reads);
}

/** The environment as plain values, for interpolation in documents. */
export function environmentValues(): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}
