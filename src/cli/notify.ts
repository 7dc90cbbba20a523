import { readFile, stat } from "node:fs/promises";
import type { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import type { Notifier } from "../core/notifier.ts";
import { type Deliver, queuedNotifier } from "../report/notify/queued-notifier.ts";
import { systemClock } from "./system.ts";

/** Who is told, as given on the command line; the environment stands in for what is absent. */
export interface NotifyOptions {
  readonly notifyWebhook?: string;
  readonly notifyHost?: readonly string[];
  readonly notifySecretFile?: string;
  readonly notifyCommand?: string;
}

/** Where a run tells what happens is a matter of where it runs, not of what it rehearses: flags, not the scenario. */
export function withNotify(command: Command): Command {
  return command
    .option("--notify-webhook <url>", "post signed notices here (Standard Webhooks); else CANARY_NOTIFY_WEBHOOK")
    .option("--notify-host <host...>", "hosts beside loopback that notices may be posted to; else CANARY_NOTIFY_HOSTS")
    .option("--notify-secret-file <file>", "file with the webhook's whsec_ secret; else CANARY_NOTIFY_SECRET")
    .option("--notify-command <program>", "start this for every notice, JSON on its stdin; a path or a JSON list");
}

/**
 * The notifier that was asked for; without one nobody is told anything.
 * @throws CanaryError USAGE when host, secret or program are not as they must be
 */
export async function notifierOf(options: NotifyOptions, say: (message: string) => void): Promise<Notifier> {
  const sinks: { readonly name: string; readonly deliver: Deliver }[] = [];
  const webhook = options.notifyWebhook ?? process.env["CANARY_NOTIFY_WEBHOOK"];
  if (webhook !== undefined && webhook !== "") {
    const { checkedWebhook, webhookSink } = await import("../report/notify/webhook-sink.ts");
    const listed = (process.env["CANARY_NOTIFY_HOSTS"] ?? "").split(",").filter((host) => host !== "");
    const url = checkedWebhook(webhook, options.notifyHost ?? listed);
    const secret = await secretOf(options.notifySecretFile);
    sinks.push({ name: `the webhook at ${url.host}`, deliver: await webhookSink({ url, secret, clock: systemClock }) });
  }
  if (options.notifyCommand !== undefined) {
    const { commandArguments, commandSink } = await import("../report/notify/command-sink.ts");
    const argv = commandArguments(options.notifyCommand);
    sinks.push({ name: argv[0], deliver: commandSink({ argv, environment: plainEnvironment() }) });
  }
  return queuedNotifier({ sinks, clock: systemClock, say });
}

/** Nothing of ours: keys, passphrases and tokens stay here. */
function plainEnvironment(): Readonly<Record<string, string>> {
  const names = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];
  return Object.fromEntries(
    names.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name] ?? ""]])),
  );
}

async function secretOf(file: string | undefined): Promise<string> {
  const fromEnvironment = process.env["CANARY_NOTIFY_SECRET"];
  if (file === undefined && fromEnvironment !== undefined && fromEnvironment !== "") return fromEnvironment;
  if (file === undefined) {
    throw new CanaryError({
      code: "USAGE",
      message: "the webhook needs a secret to be signed with",
      hint: "Give --notify-secret-file, or CANARY_NOTIFY_SECRET: whsec_ and base64 of 24 to 64 random bytes.",
    });
  }
  const info = await stat(file).catch((cause: unknown) => {
    throw new CanaryError({
      code: "USAGE",
      message: `cannot read ${file}`,
      hint: "It holds the webhook's secret.",
      cause,
    });
  });
  if ((info.mode & 0o077) !== 0) {
    throw new CanaryError({ code: "USAGE", message: `${file} can be read by others`, hint: `chmod 600 ${file}` });
  }
  return (await readFile(file, "utf8")).trim();
}
