import { Command } from "commander";
import { handoverCommand } from "./hand-over.ts";
import { printJson, say, withJson, withPolicy } from "./options.ts";
import { PLANS, signCommand, verifyCommand } from "./plan-sign.ts";
import { type TrustOptions, trustGiven, withTrust } from "./trust-options.ts";

interface CheckOptions extends TrustOptions {
  readonly scenario?: string;
  readonly policy?: string;
  readonly json?: true;
}

/** `canary plan`: what can be said of a plan from its words alone. */
export function planCommand(): Command {
  const check = withTrust(withPolicy(withJson(new Command("check"))))
    .description("Read a plan as policy does: what each action does, its tier and why, what would be refused.")
    .argument("<plan>", "plan file (canary.plan/v1)")
    .option("--scenario <file>", "hold it against this scenario: its operator's rules, its environment, its mirror")
    .addHelpText(
      "after",
      `
Example:
  canary plan check scenarios/plans/drop-unused-index.yaml --scenario scenarios/drop-unused-index.yaml

Nothing is started. SQL is read with PostgreSQL's own grammar; docs/policy.md has the tables.
Exit codes: 0 nothing stands against a rehearsal, 3 invalid document, 12 refused by policy, 30 not signed as it must be.`,
    )
    .action(async (planFile: string, options: CheckOptions) => {
      const [{ checkPlanFile }, { EXIT_CODE, EXIT_CODE_BY_ERROR }, { planCheckLines }] = await Promise.all([
        import("./check-plan-file.ts"),
        import("../core/errors.ts"),
        import("../report/terminal/plan-check-block.ts"),
      ]);
      const given = {
        ...trustGiven(options),
        ...(options.policy === undefined ? {} : { policyFolder: options.policy }),
      };
      const checked = await checkPlanFile(planFile, options.scenario, given);
      const admitted = checked.admission.kind === "admitted";
      process.exitCode = admitted ? EXIT_CODE.done : EXIT_CODE_BY_ERROR.POLICY_REFUSED;
      if (options.json === true) printJson({ kind: "plan-check", ...checked, exitCode: process.exitCode });
      else say(planCheckLines(checked).join("\n"));
    });
  return new Command("plan")
    .description("Look at a plan before anything is raised, sign it, verify who signed it.")
    .addCommand(check)
    .addCommand(signCommand(PLANS))
    .addCommand(verifyCommand(PLANS))
    .addCommand(handoverCommand());
}
