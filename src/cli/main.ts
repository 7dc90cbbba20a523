import { Command, CommanderError } from "commander";
import { failWith } from "./failure.ts";
import { harnessVersion } from "./version.ts";

/** Every command by its name, in the order of the help. A command loads what it runs; only the help of all loads all. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  run: async () => (await import("./run.ts")).runCommand(),
  drill: async () => (await import("./drill.ts")).drillCommand(),
  calibrate: async () => (await import("./calibrate.ts")).calibrateCommand(),
  plan: async () => (await import("./plan.ts")).planCommand(),
  runbook: async () => (await import("./runbook.ts")).runbookCommand(),
  approve: async () => (await import("./approve.ts")).approveCommand(),
  policy: async () => (await import("./policy.ts")).policyCommand(),
  power: async () => (await import("./power.ts")).powerCommand(),
  judge: async () => (await import("./judge.ts")).judgeCommand(),
  verdict: async () => (await import("./verdict.ts")).verdictCommand(),
  ledger: async () => (await import("./ledger.ts")).ledgerCommand(),
  gate: async () => (await import("./gate.ts")).gateCommand(),
  queue: async () => (await import("./queue.ts")).queueCommand(),
  halt: async () => (await import("./halt.ts")).haltCommand(),
  keys: async () => (await import("./keys.ts")).keysCommand(),
  init: async () => (await import("./init.ts")).initCommand(),
  doctor: async () => (await import("./doctor.ts")).doctorCommand(),
  schema: async () => (await import("./schema.ts")).schemaCommand(),
};

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
  for (const command of await Promise.all(wanted(argv).map((load) => load()))) {
    inheritBehaviour(command);
    program.addCommand(command);
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

/** The command that was named; all of them where it is none of ours, for help and for what was meant. */
function wanted(argv: readonly string[]): readonly (() => Promise<Command>)[] {
  // Options before a command take no value.
  const named = argv.find((word) => !word.startsWith("-"));
  const load = Object.entries(COMMANDS).find(([name]) => name === named)?.[1];
  return load === undefined ? Object.values(COMMANDS) : [load];
}

function inheritBehaviour(command: Command): void {
  for (const option of command.options) if (option.mandatory) option.description += " (demanded)";
  command.exitOverride().showHelpAfterError("(add --help for what it takes)");
  for (const child of command.commands) inheritBehaviour(child);
}
