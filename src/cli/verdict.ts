import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import type { VerdictStatement } from "../attest/statement.ts";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import { withPlainText } from "../report/plain-text.ts";
import { withoutWorkflowCommands } from "../report/workflow-commands.ts";
import { printJson, say, withJson } from "./options.ts";
import { systemClock } from "./system.ts";
import { publishCommand } from "./verdict-publish.ts";

/** `canary verdict`: look at a signed verdict, or refuse it. */
export function verdictCommand(): Command {
  return new Command("verdict")
    .description("Show, verify, export or publish a signed verdict (*.sigstore.json).")
    .addCommand(showCommand())
    .addCommand(verifyCommand())
    .addCommand(exportCommand())
    .addCommand(publishCommand());
}

function showCommand(): Command {
  return withJson(new Command("show"))
    .description("Print what a verdict says. Nothing is verified: use `verify` before you believe it.")
    .argument("<file>", "verdict (*.sigstore.json)")
    .addHelpText("after", "\nExample:\n  canary verdict show reports/<run>/verdict.sigstore.json")
    .action(async (file: string, options: { readonly json?: true }) => {
      const { readUnverified } = await import("../attest/verify.ts");
      const read = readUnverified(await bundleText(file));
      if (read.kind === "problem") throw refused(file, [read.message]);
      if (options.json === true) printJson({ verified: false, keyId: read.keyId, statement: read.statement });
      else say(`NOT VERIFIED (signed by key ${withPlainText(read.keyId)})\n${describe(read.statement)}`);
    });
}

function verifyCommand(): Command {
  return withJson(new Command("verify"))
    .description("Verify signature, validity and subject of a verdict; refuses on any doubt with exit code 30.")
    .argument("<file>", "verdict (*.sigstore.json)")
    .option("--key <file>", "public key (*.pub) of whoever may sign verdicts; else .canary/keys/canary.pub")
    .addOption(
      new Option("--require <verdict>", "also end with the verdict's own exit code unless it is this one").choices([
        "promote",
        "hold",
        "reject",
      ]),
    )
    .option("--plan <file>", "plan that the verdict must be about, byte for byte")
    .addHelpText(
      "after",
      "\nExample:\n  canary verdict verify reports/<run>/verdict.sigstore.json --plan reports/<run>/plan.yaml --require promote",
    )
    .action(
      async (
        file: string,
        options: { readonly key?: string; readonly plan?: string; readonly require?: string; readonly json?: true },
      ) => {
        const [{ verifyBundle }, { ownKeyring }, { trustedPublicKey }] = await Promise.all([
          import("../attest/verify.ts"),
          import("../attest/keyring.ts"),
          import("./signing.ts"),
        ]);
        const key = await trustedPublicKey(options.key);
        const plan = options.plan === undefined ? undefined : await readOrRefuse(options.plan);
        const verification = verifyBundle({
          bundleText: await bundleText(file),
          trusted: ownKeyring(key, "canary"),
          nowEpochMs: systemClock.epochMs(),
          ...(plan === undefined ? {} : { plan }),
        });
        if (verification.kind === "invalid") throw refused(file, verification.problems);
        if (options.json === true) printJson({ verified: true, keyId: key.keyId, statement: verification.statement });
        else say(`verified with key ${key.keyId}\n${describe(verification.statement)}`);
        const { verdict } = verification.statement.predicate;
        // A genuine reject verifies; a script that goes on after `verify` must say which verdict it goes on for.
        if (options.require !== undefined && verdict !== options.require)
          process.exitCode = EXIT_CODE[verdict] || EXIT_CODE.refused;
      },
    );
}

interface ExportOptions {
  readonly vsa: true;
  readonly trustedKey?: string;
  readonly key?: string;
  readonly verifierId: string;
  readonly out?: string;
  readonly json?: true;
}

function exportCommand(): Command {
  return withJson(new Command("export"))
    .description(
      "Derive a statement that other tools read from a verdict that verifies. Our gate never takes a derived one.",
    )
    .argument("<file>", "verdict (*.sigstore.json)")
    .requiredOption("--vsa", "as a verification summary of SLSA v1.2: PASSED for promote, else FAILED")
    .option(
      "--trusted-key <file>",
      "public key (*.pub) that the verdict must be signed with; else .canary/keys/canary.pub",
    )
    .option(
      "--key <file>",
      "private key (*.key) that signs the summary; else CANARY_SIGNING_KEY (its PEM text), else .canary/keys/canary.key",
    )
    .option(
      "--verifier-id <uri>",
      "name of the verifier, as readers of the summary know it",
      "https://canary-harness.dev/canary",
    )
    .option("--out <file>", "where it is written; else <file> with .vsa.sigstore.json")
    .addHelpText("after", "\nExample:\n  canary verdict export reports/<run>/verdict.sigstore.json --vsa")
    .action(async (file: string, options: ExportOptions) => {
      const { exportVsa } = await import("./export-vsa.ts");
      const out = options.out ?? file.replace(/(?:\.sigstore)?\.json$|$/, ".vsa.sigstore.json");
      const exported = await exportVsa({ ...options, file, out, nowEpochMs: systemClock.epochMs() });
      if (exported.kind === "invalid") throw refused(file, exported.problems);
      if (options.json === true) printJson({ kind: "vsa", result: exported.result, file: out });
      else say(`${exported.result}, derived from ${file}\n${out}`);
    });
}

async function bundleText(file: string): Promise<string> {
  return (await readOrRefuse(file)).toString("utf8");
}

async function readOrRefuse(file: string): Promise<Buffer> {
  return await readFile(file).catch((cause: unknown) => {
    throw new CanaryError({ code: "USAGE", message: `cannot read ${file}`, hint: "Check the path.", cause });
  });
}

function refused(file: string, problems: readonly string[]): CanaryError {
  return new CanaryError({
    code: "SIGNATURE_INVALID",
    message: `${file} is not a verdict to rely on`,
    hint: problems.map((problem) => `- ${problem}`).join("\n"),
  });
}

/** Every text of a verdict was written by somebody else; a bundle that anybody can write must not repaint the terminal. */
function describe(statement: VerdictStatement): string {
  const { predicate } = withPlainText(statement);
  const reasons = predicate.reasons.map(({ code, message }) => `  ${code}: ${message}`).join("\n");
  const lines = [
    `${predicate.verdict.toUpperCase()}  plan sha256:${predicate.planDigest.sha256}`,
    reasons,
    `for          ${predicate.environment.id} (${predicate.environment.class})`,
    `agent        ${predicate.agent.id} ${predicate.agent.version}, tier ${predicate.trustTier.effective}`,
    `valid        ${predicate.notBefore} to ${predicate.expiresAt}`,
    `does not show ${predicate.mirror.fidelity.join("; ") || "(the mirror names nothing)"}`,
  ];
  return withoutWorkflowCommands(lines.join("\n"));
}
