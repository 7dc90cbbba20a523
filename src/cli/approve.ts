import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import { withPlainText } from "../report/plain-text.ts";
import { printJson, say, sayWho, withJson } from "./options.ts";
import { systemClock } from "./system.ts";

interface ApproveOptions {
  readonly environment?: string;
  readonly key?: string;
  readonly verdict?: string;
  readonly validForHours: string;
  readonly comment?: string;
  readonly out?: string;
  readonly json?: true;
}

interface RevokeOptions {
  readonly key?: string;
  readonly reason: string;
  readonly out?: string;
  readonly json?: true;
}

interface CountOptions {
  readonly environment?: string;
  readonly trust: string;
  readonly need: string;
  readonly approval?: readonly string[];
  readonly runbook?: string;
  readonly verdict?: string;
  readonly json?: true;
}

/** Where approvals are written when nobody says otherwise. */
const APPROVAL_FOLDER = path.join(".canary", "approvals");

// `revoke` and `count` share options with the command that they belong to, which reads those wherever they stand.

/** `canary approve`: a person agrees to exactly this plan in this environment, takes it back, or counts who did. */
export function approveCommand(): Command {
  return withJson(new Command("approve"))
    .description("Sign that a plan may be carried out in an environment, with your own key.")
    .argument("<plan>", "plan file, or the SHA-256 of one")
    .option("--environment <id>", "the environment, as the plan's target and the verdict name it (demanded)")
    .option("--key <file>", "your private key (*.key); else CANARY_SIGNING_KEY (its PEM text)")
    .option("--verdict <file>", "the verdict that you looked at: the approval then counts for no other")
    .option("--valid-for-hours <n>", "how long it may be relied on, at most 168", "24")
    .option("--comment <text>", "for people who read it later")
    .option("--out <file>", "where it is written; else .canary/approvals/<plan>-<id>.sigstore.json")
    .addHelpText(
      "after",
      `
Examples:
  canary approve plan.yaml --environment production/eu-west --verdict verdict.sigstore.json --key ~/keys/ada.key
  canary approve revoke .canary/approvals/48e33d24d3c9-0f….sigstore.json --reason "wrong region" --key ~/keys/ada.key
  canary approve count plan.yaml --environment production/eu-west --trust trust.yaml --need 2 --approval .canary/approvals/*

Who approves must have had no hand in the plan: not its agent, not who answers for it, not the author of its runbook.`,
    )
    .addCommand(revokeCommand())
    .addCommand(countCommand())
    .action(async (plan: string, options: ApproveOptions) => {
      const [{ signApproval }, { givenSigningKey }, { approvalIdOf, digestOfPlan, digestOfVerdict }] =
        await Promise.all([
          import("../attest/approval-statement.ts"),
          import("./signing.ts"),
          import("./approved-things.ts"),
        ]);
      const environment = namedEnvironment(options.environment);
      const planSha256 = await digestOfPlan(plan, environment);
      const nowEpochMs = systemClock.epochMs();
      const bundle = signApproval(
        {
          planSha256,
          environment,
          ...(options.verdict === undefined
            ? {}
            : { verdictSha256: await digestOfVerdict(options.verdict, planSha256) }),
          approvedAtEpochMs: nowEpochMs,
          expiresAtEpochMs: nowEpochMs + hours(options.validForHours),
          nonce: crypto.randomUUID().replaceAll("-", ""),
          ...(options.comment === undefined ? {} : { comment: options.comment }),
        },
        await givenSigningKey(options.key),
      );
      const id = approvalIdOf(bundle);
      const out = await written(bundle, options.out, `${planSha256.slice(0, 12)}-${id.slice(0, 12)}.sigstore.json`);
      if (options.json === true) printJson({ kind: "approval", id, planSha256, environment, file: out });
      else say(withPlainText([`approved plan sha256:${planSha256} for ${environment}`, out]).join("\n"));
    });
}

function revokeCommand(): Command {
  return withJson(new Command("revoke"))
    .description("Take an approval back: your own, or anybody's with an operator's key.")
    .argument("<approval>", "the approval's file")
    .requiredOption("--reason <text>", "why, for people who read it later")
    .option("--key <file>", "your private key (*.key); else CANARY_SIGNING_KEY (its PEM text)")
    .option("--out <file>", "where it is written; else .canary/approvals/<id>.revoked.sigstore.json")
    .addHelpText(
      "after",
      `
Example:
  canary approve revoke .canary/approvals/48e33d24d3c9-0f….sigstore.json --reason "wrong region" --key ~/keys/ada.key

Bring it to the gate like the approval: canary verdict publish ... --approval <file>`,
    )
    .action(async (file: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<RevokeOptions>();
      const [{ signRevocation }, { givenSigningKey }, { readApprovalFile }] = await Promise.all([
        import("../attest/approval-statement.ts"),
        import("./signing.ts"),
        import("./approved-things.ts"),
      ]);
      const { approvalId, planSha256 } = await readApprovalFile(file);
      const bundle = signRevocation(
        { approvalId, planSha256, revokedAtEpochMs: systemClock.epochMs(), reason: options.reason },
        await givenSigningKey(options.key),
      );
      const out = await written(bundle, options.out, `${approvalId.slice(0, 12)}.revoked.sigstore.json`);
      if (options.json === true) printJson({ kind: "approval-revocation", approvalId, planSha256, file: out });
      else say(`revoked approval ${approvalId}\n${out}`);
    });
}

function countCommand(): Command {
  return withJson(new Command("count"))
    .description("Count the people who approved a plan, and say why the others do not count; 0 when enough, else 31.")
    .argument("<plan>", "plan file")
    .option("--environment <id>", "the environment, as the plan's target and the approvals name it (demanded)")
    .requiredOption("--trust <file>", "whose keys count, and for what (canary.trust/v1, docs/identity.md)")
    .option("--need <k>", "how many different people must have approved", "2")
    .option("--approval <file...>", "files that `canary approve` and `canary approve revoke` wrote, in any order")
    .option("--runbook <file>", "the plan's runbook, whose author cannot approve it")
    .option(
      "--verdict <file>",
      "the verdict (*.sigstore.json) that is to be promoted: what approves another one does not count",
    )
    .addHelpText(
      "after",
      `
Example:
  canary approve count plan.yaml --environment production/eu-west --trust trust.yaml --need 2 --approval .canary/approvals/*

The gate counts by the same rules, for itself, and asks for as many as its policy says (docs/approvals.md).`,
    )
    .action(async (plan: string, _own: unknown, command: Command) => {
      const options = command.optsWithGlobals<CountOptions>();
      const environment = namedEnvironment(options.environment);
      const { countFiles } = await import("./approved-things.ts");
      const count = await countFiles({ ...options, plan, environment, nowEpochMs: systemClock.epochMs() });
      const need = wholeNumber(options.need, "--need");
      process.exitCode = count.counted.length >= need ? EXIT_CODE.done : EXIT_CODE.refused;
      if (options.json === true) return printJson({ kind: "approvals", need, ...count, exitCode: process.exitCode });
      const lines = [
        `${count.counted.length} of ${need} approvals`,
        ...count.counted.map(
          ({ person, expiresAtEpochMs }) => `  ${person}, until ${new Date(expiresAtEpochMs).toISOString()}`,
        ),
        ...count.refused.map(
          ({ person, id, code, message }) => `  not counted: ${person ?? id.slice(0, 12)}: ${code}: ${message}`,
        ),
        ...count.refusedRevocations.map(
          ({ id, message }) => `  not believed as a revocation: ${id.slice(0, 12)}: ${message}`,
        ),
      ];
      sayWho(withPlainText(lines).join("\n"));
    });
}

/** Not a required option of the command itself: `revoke` and `count` would have to name it as well. */
function namedEnvironment(environment: string | undefined): string {
  if (environment !== undefined) return environment;
  const hint = "Add --environment <id>, as the plan's target names it.";
  throw new CanaryError({ code: "USAGE", message: "an approval is for one environment", hint });
}

async function written(bundle: string, out: string | undefined, name: string): Promise<string> {
  const file = out ?? path.join(APPROVAL_FOLDER, name);
  try {
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, bundle, { flag: "wx", mode: 0o644 });
    return file;
  } catch (cause) {
    throw new CanaryError({ code: "USAGE", message: `cannot write ${file}`, hint: "Give --out <new file>.", cause });
  }
}

function hours(text: string): number {
  const value = wholeNumber(text, "--valid-for-hours");
  if (value <= 168) return value * 3_600_000;
  throw new CanaryError({ code: "USAGE", message: "an approval is valid for a week at most", hint: "Give 1 to 168." });
}

function wholeNumber(text: string, option: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new CanaryError({
    code: "USAGE",
    message: `${option} ${text} is no number`,
    hint: "Give a whole number from 1.",
  });
}
