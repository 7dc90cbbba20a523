import { Command, CommanderError } from "commander";
import { approveCommand } from "./approve.ts";
import { calibrateCommand } from "./calibrate.ts";
import { doctorCommand } from "./doctor.ts";
import { drillCommand } from "./drill.ts";
import { failWith } from "./failure.ts";
import { gateCommand } from "./gate.ts";
import { haltCommand } from "./halt.ts";
import { initCommand } from "./init.ts";
import { judgeCommand } from "./judge.ts";
import { keysCommand } from "./keys.ts";
import { ledgerCommand } from "./ledger.ts";
import { planCommand } from "./plan.ts";
import { policyCommand } from "./policy.ts";
import { powerCommand } from "./power.ts";
import { queueCommand } from "./queue.ts";
import { runCommand } from "./run.ts";
import { runbookCommand } from "./runbook.ts";
import { schemaCommand } from "./schema.ts";
import { verdictCommand } from "./verdict.ts";
import { harnessVersion } from "./version.ts";

/** Parses the command line and runs one command; never throws, sets the process's exit code. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command("canary")
    .description("Rehearse an operations agent's plan on live twins of its environment, and sign the verdict.")
    .version(harnessVersion())
    .option("--debug", "print stack traces of errors")
    .showHelpAfterError("(canary --help shows what there is)")
    .addHelpText(
      "after",
      `
Examples:
  canary doctor --fix                               set up what a rehearsal needs
  canary run scenarios/scale-batch-workers.yaml     rehearse a plan and sign the verdict
  canary verdict verify reports/<run>/verdict.sigstore.json

Exit codes: 0 promote or done, 2 usage, 3 invalid document, 10 hold, 11 reject, 12 refused by policy, 20 mirror
unavailable, 21 aborted, 22 deadline, 23 snapshot, 24 driver was the bottleneck, 30 signature or ledger,
31 refused by the gate, 40 findings, 70 our bug`,
    )
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(text) });
  for (const command of [
    runCommand,
    drillCommand,
    calibrateCommand,
    planCommand,
    runbookCommand,
    approveCommand,
    policyCommand,
    powerCommand,
    judgeCommand,
    verdictCommand,
    ledgerCommand,
    gateCommand,
    queueCommand,
    haltCommand,
    keysCommand,
    initCommand,
    doctorCommand,
    schemaCommand,
  ]) {
    const built = command();
    inheritBehaviour(built);
    program.addCommand(built);
  }
  try {
    await program.parseAsync(argv, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    failWith(error, { debug: argv.includes("--debug"), json: argv.includes("--json") });
  }
}

function inheritBehaviour(command: Command): void {
  for (const option of command.options) if (option.mandatory) option.description += " (demanded)";
  command.exitOverride().showHelpAfterError("(add --help for what it takes)");
  for (const child of command.commands) inheritBehaviour(child);
}
