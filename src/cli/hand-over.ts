import { writeFile } from "node:fs/promises";
import { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import { plainText } from "../report/plain-text.ts";
import { printJson, sayWho, withJson, withPolicy } from "./options.ts";
import { systemClock } from "./system.ts";
import { type TrustOptions, trustGiven } from "./trust-options.ts";

interface HandoverOptions extends TrustOptions {
  readonly scenario: string;
  readonly policy?: string;
  readonly trust: string;
  readonly approval?: readonly string[];
  readonly need: string;
  readonly key?: string;
  readonly out?: string;
  readonly json?: true;
}

/** `canary plan handover`: a plan of tier 4 for a person to execute, signed with its sign-offs; nothing else comes of it. */
export function handoverCommand(): Command {
  return withPolicy(withJson(new Command("handover")))
    .description(
      "Hand a plan of tier 4 to a person: a signed document with its sign-offs. Nothing is rehearsed, nothing acts.",
    )
    .argument("<plan>", "plan file")
    .requiredOption("--scenario <file>", "the operator's rules, by which the plan is of tier 4")
    .requiredOption(
      "--trust <file>",
      "whose keys count, and for what (canary.trust/v1, docs/identity.md); plan and runbook must be signed as the scenario demands",
    )
    .option("--runbook <file...>", "runbooks that the plan may name, each with <file>.sigstore.json")
    .option("--approval <file...>", "files that `canary approve` and `canary approve revoke` wrote, in any order")
    .option("--need <k>", "how many people must have signed it off", "2")
    .option(
      "--key <file>",
      "private key (*.key) of the harness, which signs the document; else CANARY_SIGNING_KEY (its PEM text), else .canary/keys/canary.key",
    )
    .option("--out <file>", "where it is written; else <plan>.handover.sigstore.json")
    .addHelpText(
      "after",
      `
Example:
  canary plan handover drop-table.yaml --scenario shop.yaml --trust trust.yaml --approval .canary/approvals/*

Exit codes: 0 handed over, 12 the plan is not of tier 4, 30 not signed as it must be, 31 too few people signed it off.`,
    )
    .action(async (planFile: string, options: HandoverOptions) => {
      const { handOver } = await import("./prepare-handover.ts");
      const made = await handOver({
        planFile,
        scenarioFile: options.scenario,
        policyFolder: options.policy,
        trustFile: options.trust,
        ...trustGiven(options),
        approvals: options.approval ?? [],
        need: wholeNumber(options.need),
        keyFile: options.key,
        nowEpochMs: systemClock.epochMs(),
      });
      if (made.kind === "refused") {
        process.exitCode = EXIT_CODE.refused;
        if (options.json === true) return printJson({ ...made, exitCode: process.exitCode });
        return sayLines([
          `not handed over: ${made.counted.length} of ${options.need} people signed it off`,
          ...made.refused.map(
            ({ person, id, code, message }) => `  not counted: ${person ?? id.slice(0, 12)}: ${code}: ${message}`,
          ),
        ]);
      }
      const out = options.out ?? `${planFile}.handover.sigstore.json`;
      await writeFile(out, made.bundle).catch((cause: unknown) => {
        throw new CanaryError({ code: "USAGE", message: `cannot write ${out}`, hint: "Give --out <file>.", cause });
      });
      if (options.json === true) return printJson({ kind: "handover", handover: made.handover, file: out });
      const { plan, environment, notice, actions, signOffs, expiresAt } = made.handover;
      sayLines([
        `HAND-OVER of ${plan} for ${environment}, until ${expiresAt}`,
        notice,
        ...actions.flatMap(({ id, what, why, step, rollback }) => [
          `  ${id}: ${what}, because ${why}`,
          `    ${JSON.stringify(step)}`,
          `    way back: ${rollback === undefined ? "none" : JSON.stringify(rollback)}`,
        ]),
        ...signOffs.map(({ person, approvedAt }) => `  signed off by ${person} at ${approvedAt}`),
        out,
      ]);
    });
}

function sayLines(lines: readonly string[]): void {
  sayWho(lines.map((line) => plainText(line, "keep").replaceAll("\n", " ")).join("\n"));
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d?$/.test(text)) return Number(text);
  throw new CanaryError({ code: "USAGE", message: `--need ${text} is no number`, hint: "Give 1 to 99." });
}
