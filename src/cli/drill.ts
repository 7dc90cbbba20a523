import path from "node:path";
import { Command } from "commander";
import { EXIT_CODE } from "../core/errors.ts";
import type { DrillReport } from "../report/drill/drill-report.ts";
import { printJson, withJson, withPolicy } from "./options.ts";
import { type TrustOptions, trustGiven, withTrust } from "./trust-options.ts";

interface DrillOptions extends TrustOptions {
  readonly out: string;
  readonly key?: string;
  readonly ledger?: string;
  readonly policy?: string;
  readonly json?: true;
}

/** Exit code of each outcome. */
const EXIT_OF: Readonly<Record<DrillReport["outcome"], number>> = {
  clean: EXIT_CODE.done,
  "not-restored": EXIT_CODE.reject,
  findings: EXIT_CODE.findings,
};

/** `canary drill`: proves the undo of a plan from every place where it can stop. */
export function drillCommand(): Command {
  return new Command("drill")
    .description("Prove a plan's rollback from every prefix, and under faults.")
    .addCommand(runDrillCommand());
}

function runDrillCommand(): Command {
  return withTrust(withPolicy(withJson(new Command("run"))))
    .description(
      "Play every prefix of a scenario's plan on a quiet twin, stop or disturb it, undo it, compare the state.",
    )
    .argument("<scenario>", "scenario file; its `drill` section says which faults, else the mirror does")
    .option("--out <folder>", "where drill folders are written", "reports")
    .option(
      "--key <file>",
      "private key (*.key) that signs the drill; else CANARY_SIGNING_KEY (its PEM text), else .canary/keys/canary.key (made when missing)",
    )
    .option(
      "--ledger <file>",
      "record intents there before they act; else CANARY_DATABASE_URL, else CANARY_LEDGER, else nowhere",
    )
    .addHelpText(
      "after",
      `
Example:
  canary drill run scenarios/slow-dependency.yaml

Each cell of the matrix is a prefix of the plan (0 to all actions) and a way of stopping or disturbing it: abort, abort in
the middle of an action, every action twice, the agent silent or lost, the harness lost, and each fault. Faults strike the
twin's containers and, through a proxy that stands between the services from the start, their connections; each is measured
to have landed and to be gone again. There is no traffic and no statistics: \`canary run\` judges the cost of the plan.

Exit codes: 0 every cell clean, 11 a rollback does not restore, 40 findings or cells of which nothing is known, 12 refused by
policy, 20 mirror unavailable, 21 aborted, 22 deadline. Answers are written to <out>/drill-<scenario>-<run id>/.`,
    )
    .action(async (scenario: string, options: DrillOptions) => {
      const { drillScenario } = await import("./drill-scenario.ts");
      const { report, folder } = await drillScenario({
        scenarioFile: scenario,
        outDir: options.out,
        json: options.json === true,
        ...trustGiven(options),
        ...(options.key === undefined ? {} : { keyFile: options.key }),
        ...(options.ledger === undefined ? {} : { ledgerFile: options.ledger }),
        ...(options.policy === undefined ? {} : { policyFolder: options.policy }),
      });
      process.exitCode = EXIT_OF[report.outcome];
      if (options.json === true) printJson(summaryOf(report, folder));
    });
}

function summaryOf(report: DrillReport, folder: string): unknown {
  return {
    kind: "drill",
    outcome: report.outcome,
    cells: report.cells.map(({ prefix, column, result, reason }) => ({ prefix, column, result, reason })),
    runId: report.runId,
    report: path.join(folder, "drill.json"),
    page: path.join(folder, "drill.html"),
    bundle: path.join(folder, "drill.sigstore.json"),
    exitCode: EXIT_OF[report.outcome],
  };
}
