import { randomBytes } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { readBoundedText } from "../attest/bounded-file.ts";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";
import { withPlainText } from "../report/plain-text.ts";
import { askGate, type GateOptions, gateAsked, gateToken, gateUrl, refusedBy, withGate } from "./gate-client.ts";
import type { ServeOptions } from "./gate-serve.ts";
import { withNotify } from "./notify.ts";
import { allTogether, printJson, printOwnJson, say, sayOwn, withJson, withPolicy } from "./options.ts";
import { systemClock } from "./system.ts";

/** `canary gate`: the webhook that production asks, and asking it. */
export function gateCommand(): Command {
  return new Command("gate")
    .description("Serve the gate that every promotion has to pass, ask it, stop it.")
    .addCommand(serveCommand())
    .addCommand(checkCommand())
    .addCommand(switchCommand("kill"))
    .addCommand(switchCommand("unkill"))
    .addCommand(tokenCommand());
}

function serveCommand(): Command {
  return withPolicy(withNotify(withJson(new Command("serve"))))
    .description("Serve a gate until it is told to stop (SIGTERM, SIGINT).")
    .requiredOption("--config <file>", "configuration (canary.gate/v1); docs/gate.md begins with the smallest one")
    .option(
      "--ledger <file>",
      "SQLite file; else CANARY_DATABASE_URL (PostgreSQL), else CANARY_LEDGER, else .canary/ledger.db",
    )
    .option("--drain-seconds <n>", "how long it goes on after it was told to stop, saying that it is not ready", "5")
    .addHelpText(
      "after",
      `
Examples:
  canary gate serve --config gate.yaml
  CANARY_DATABASE_URL=postgres://gate@db/canary canary gate serve --config gate.yaml --policy policies/ours

It serves /v1/promotions, /v1/verdicts, /v1/admission and what else the configuration names; /openapi.json lists all.
Certificate, key, trusted keys and callers are read again when their files change. Set-up of kubectl, Flagger, Argo
Rollouts and GitHub: docs/gate.md`,
    )
    .action(async (options: ServeOptions & { readonly drainSeconds: string; readonly json?: true }) => {
      const [{ serveGate }, { stopSignal }] = await Promise.all([
        import("./gate-serve.ts"),
        import("./stop-signal.ts"),
      ]);
      const json = options.json === true;
      const drainMs = secondsOf(options.drainSeconds) * 1000;
      using stop = stopSignal();
      await using gate = await serveGate(options, (message) => say(`canary gate: ${message}`, true));
      if (json) printJson({ kind: "listening", url: gate.url, ledger: gate.origin });
      else say(`listening on ${gate.url}; decisions are recorded in ${gate.origin}`);
      await stop.stopped;
      gate.drain();
      say("stopping: not ready any more; what was asked is still answered", true);
      await systemClock.sleep(drainMs, stop.hurry).catch(() => undefined);
    });
}

interface CheckOptions extends GateOptions {
  readonly environment?: string;
  readonly image?: string;
  readonly resource?: readonly string[];
  readonly json?: true;
}

function checkCommand(): Command {
  return withGate(withJson(new Command("check")))
    .description("Ask whether a plan would be admitted now; for CI. Nothing is used up.")
    .argument("<plan>", "plan file, byte for byte as it was rehearsed")
    .option("--environment <id>", "environment it would be promoted to, as the plan's target names it (demanded)")
    .option("--image <service=image>", "what would change: a service gets this image")
    .option("--resource <path=json...>", "or: these resources get these values (docs/resources.md)")
    .addHelpText(
      "after",
      `
Examples:
  canary gate check plan.yaml --environment production/eu-west --gate https://gate.example --token-file token
  canary gate check plan.yaml --environment production/eu-west --resource service/worker/replicas=3

Exit codes: 0 it would be admitted, 31 it would be refused (every reason is told), 2 wrong options (all are told), 3 no plan,
20 the gate gave no answer`,
    )
    .action(async (planFile: string, options: CheckOptions) => {
      const [plan, environment, change, url, token] = await allTogether([
        readBoundedText(planFile, { code: "PLAN_INVALID", bytesMax: LIMITS.documentBytesMax }),
        environmentOf(options),
        changeOf(options),
        gateUrl(options),
        gateToken(options),
      ]);
      const body = { plan: sha256Hex(plan), environment, ...(change === undefined ? {} : { change }) };
      const reply = await askGate({ url, token }, "/v1/promotions/check", body);
      const answer = reply.body as {
        readonly decision?: unknown;
        readonly reasons?: readonly { readonly code: string; readonly message: string; readonly remedy: string }[];
      };
      if (answer.decision !== "admit" && answer.decision !== "refuse") throw refusedBy(reply);
      const isAdmitted = reply.status === 200 && answer.decision === "admit";
      process.exitCode = isAdmitted ? EXIT_CODE.done : EXIT_CODE.refused;
      if (options.json === true) return printJson({ kind: "gate-check", ...answer, exitCode: process.exitCode });
      say(isAdmitted ? "it would be admitted" : "it would be refused:");
      for (const { code, message, remedy } of withPlainText(answer.reasons ?? [])) {
        say(`  ${code}: ${message}\n    ${remedy}`);
      }
    });
}

async function environmentOf({ environment }: CheckOptions): Promise<string> {
  if (environment !== undefined) return environment;
  const hint = "Add --environment <id>, as the plan's target names it.";
  throw new CanaryError({ code: "USAGE", message: "no environment is named", hint });
}

async function changeOf({ image, resource }: CheckOptions): Promise<object | undefined> {
  const given = [...(image === undefined ? [] : [image]), ...(resource ?? [])];
  const without = given.filter((text) => text.indexOf("=") <= 0);
  if (without.length > 0) {
    const message = `${without.join(", ")}: no value is given`;
    throw new CanaryError({ code: "USAGE", message, hint: "Write name=value after --image and --resource." });
  }
  const parts = (text: string): readonly [string, string] => [
    text.slice(0, text.indexOf("=")),
    text.slice(text.indexOf("=") + 1),
  ];
  if (image !== undefined && resource !== undefined) {
    const message = "the change is given twice, by --image and by --resource";
    throw new CanaryError({ code: "USAGE", message, hint: "Give it once." });
  }
  if (image !== undefined) {
    const [service, name] = parts(image);
    return { kind: "image", service, image: name };
  }
  if (resource === undefined) return undefined;
  return { kind: "resources", resources: resource.map(parts).map(([path, to]) => ({ path, to: jsonOrText(to) })) };
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface SwitchOptions extends GateOptions {
  readonly key: string;
  readonly reason: string;
  readonly scope: string;
  readonly ledgerName?: string;
  readonly json?: true;
}

function switchCommand(name: "kill" | "unkill"): Command {
  const isEngaged = name === "kill";
  const command = withGate(withJson(new Command(name)));
  const ledgerName = [
    "--ledger-name <name>",
    "the ledger of the gates that it is for: the first line of its checkpoints; a gate's refusal names it",
  ] as const;
  return (isEngaged ? command.option(...ledgerName) : command.requiredOption(...ledgerName))
    .description(
      isEngaged
        ? "Stop promotions at once, at every gate of the ledger."
        : "Let promotions go on that were stopped by `gate kill`.",
    )
    .requiredOption("--key <file>", "your private key (*.key), trusted for the role operator")
    .requiredOption("--reason <text>", "for the record and for whoever is refused")
    .option("--scope <scope>", "* for all, an environment, or sha256:<digest> of a plan or a verdict", "*")
    .addHelpText(
      "after",
      `
Example:
  canary gate ${name} --key olga.key --reason "${isEngaged ? "checkout is failing" : "checkout is well again"}" ${isEngaged ? "" : "--ledger-name shop.example/ledger "}--gate https://gate.example --token-file token

The order is signed, good for five minutes and once, and recorded in the ledger.`,
    )
    .action(async (options: SwitchOptions) => {
      const [{ readPrivateKeyFile }, { signKillSwitch }, { passphrase }] = await Promise.all([
        import("../attest/key-files.ts"),
        import("../gate/kill-switch.ts"),
        import("./key-location.ts"),
      ]);
      const [key, gate] = await allTogether([readPrivateKeyFile(options.key, passphrase()), gateAsked(options)]);
      const { scope, reason, ledgerName: ledger } = options;
      const order = { scope, isEngaged, reason, ...(ledger === undefined ? {} : { ledger }) };
      const made = { atEpochMs: systemClock.epochMs(), nonce: randomBytes(16).toString("hex") };
      const reply = await askGate(gate, "/v1/kill-switch", { bundle: signKillSwitch(order, key, made) });
      if (reply.status !== 200) throw refusedBy(reply);
      if (options.json === true) printJson({ kind: "kill-switch", ...(reply.body as object) });
      else say(isEngaged ? `stopped: ${options.scope}` : `released: ${options.scope}`);
    });
}

function tokenCommand(): Command {
  return withJson(new Command("token"))
    .description("Make a bearer token for a caller: the token for them, its digest for the gate's configuration.")
    .option("--out <file>", "write the token there (mode 0600) in place of printing it: a file for --token-file")
    .addHelpText(
      "after",
      `
Example:
  canary gate token --out token

The gate's configuration holds the digest alone (tokenSha256), which sha256sum prints of the file too.`,
    )
    .action(async ({ out, json }: { readonly out?: string; readonly json?: true }) => {
      const token = randomBytes(32).toString("base64url");
      const tokenSha256 = sha256Hex(token);
      if (out !== undefined) await writeToken(out, token);
      if (json === true) printOwnJson({ ...(out === undefined ? { token } : { file: out }), tokenSha256 });
      else sayOwn(`token        ${out === undefined ? token : `in ${out}`}\ntokenSha256  ${tokenSha256}`);
    });
}

/** Never over another file: a token that somebody uses would be gone. */
async function writeToken(file: string, token: string): Promise<void> {
  await writeFile(file, token, { flag: "wx", mode: 0o600 }).catch((cause: unknown) => {
    throw new CanaryError({ code: "USAGE", message: `cannot write ${file}`, hint: "Give --out <new file>.", cause });
  });
}

function secondsOf(text: string): number {
  if (/^\d{1,4}$/.test(text)) return Number(text);
  throw new CanaryError({ code: "USAGE", message: `${text} is no number of seconds`, hint: "For example 5." });
}
