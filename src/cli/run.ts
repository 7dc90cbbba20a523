import path from "node:path";
import { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import type { Verdict } from "../judge/verdict.ts";
import { type NotifyOptions, withNotify } from "./notify.ts";
import { printJson, withJson, withPolicy } from "./options.ts";
import { type TrustOptions, trustGiven, withTrust } from "./trust-options.ts";

interface RunOptions extends NotifyOptions, TrustOptions {
  readonly json?: true;
  readonly seed?: string;
  readonly out: string;
  readonly key?: string;
  readonly ledger?: string;
  readonly policy?: string;
  readonly plain?: true;
  readonly proveSensitivity?: true;
  readonly profile?: string | boolean;
}

/** `canary run`: one rehearsal, from reading the scenario to the signed verdict. */
export function runCommand(): Command {
  return withTrust(withPolicy(withNotify(withJson(new Command("run")))))
    .description("Rehearse the plan of a scenario on two live twins and sign the verdict.")
    .argument("<scenario>", "scenario file (canary.scenario/v1)")
    .option("--seed <n>", "seed of traffic and shuffles; the scenario's or a new one if absent")
    .option("--out <folder>", "where run folders are written", "reports")
    .option(
      "--key <file>",
      "private key (*.key) that signs the verdict; else CANARY_SIGNING_KEY (its PEM text), else .canary/keys/canary.key (made when missing)",
    )
    .option("--plain", "plain lines instead of the live view")
    .option("--profile <file>", "calibration profile; else the newest of .canary/profiles that fits (canary calibrate)")
    .option("--no-profile", "use no calibration profile")
    .option("--prove-sensitivity", "plant known harms before signing; hold unless every one of them is seen")
    .option(
      "--ledger <file>",
      "record intents there before they act; else CANARY_DATABASE_URL, else CANARY_LEDGER, else nowhere",
    )
    .addHelpText(
      "after",
      `
Example:
  canary run scenarios/scale-batch-workers.yaml

Ctrl-C (or a, then y, in the live view) stops the run, undoes what was done, compares state (abort.json) and removes
the twins; over HTTP with the token in the file that is named at the start, and all runs of a host: canary halt.
Exit codes: 0 promote, 10 hold, 11 reject, 12 refused by policy, 20 mirror unavailable, 21 aborted,
22 deadline, 24 driver was the bottleneck (no verdict), 30 a signature that is demanded is missing or wrong. Answers are written to <out>/<scenario>-<run id>/.`,
    )
    .action(async (scenario: string, options: RunOptions) => {
      const { rehearse } = await import("./rehearse.ts");
      const { report, runDir } = await rehearse({
        scenarioFile: scenario,
        outDir: options.out,
        view: options.json === true ? "json" : options.plain === true ? "plain" : "auto",
        notify: options,
        ...trustGiven(options),
        ...(options.seed === undefined ? {} : { seed: parseSeed(options.seed) }),
        ...(options.proveSensitivity === undefined ? {} : { proveSensitivity: options.proveSensitivity }),
        ...(options.key === undefined ? {} : { keyFile: options.key }),
        ...(options.ledger === undefined ? {} : { ledgerFile: options.ledger }),
        ...(options.policy === undefined ? {} : { policyFolder: options.policy }),
        ...(typeof options.profile === "string" ? { profile: options.profile } : {}),
        ...(options.profile === false ? { profile: false as const } : {}),
      });
      process.exitCode = EXIT_CODE[report.verdict.kind];
      if (options.json === true) printJson(summaryOf(report.verdict, { runId: report.runId, runDir }));
    });
}

function summaryOf(verdict: Verdict, run: { readonly runId: string; readonly runDir: string }): unknown {
  return {
    kind: "verdict",
    verdict: verdict.kind,
    reasons: verdict.reasons,
    runId: run.runId,
    bundle: path.join(run.runDir, "verdict.sigstore.json"),
    report: path.join(run.runDir, "report.json"),
    exitCode: EXIT_CODE[verdict.kind],
  };
}

function parseSeed(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= 2 ** 31) return Number(text);
  throw new CanaryError({
    code: "USAGE",
    message: `--seed ${text} is no seed`,
    hint: "Give a whole number up to 2147483648.",
  });
}
