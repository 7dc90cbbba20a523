import { Command } from "commander";
import { CanaryError, EXIT_CODE, EXIT_CODE_BY_ERROR } from "../core/errors.ts";
import { printJson, say, withJson, withPolicy } from "./options.ts";

/** `canary policy`: what a policy answers, and why. */
export function policyCommand(): Command {
  return new Command("policy")
    .description("Ask a policy what it would answer, and why.")
    .addCommand(testCommand())
    .addCommand(explainCommand());
}

function testCommand(): Command {
  return withPolicy(withJson(new Command("test")))
    .description("Ask a policy every case of a table and compare its answers with those expected.")
    .argument("<table>", "table of cases (canary.policy-cases/v1)")
    .addHelpText(
      "after",
      `
Example:
  canary policy test policies/cases.yaml --policy policies/default

Exit codes: 0 every case as expected, 40 findings, 3 a table or policy that can not be read.`,
    )
    .action(async (table: string, options: { readonly json?: true; readonly policy?: string }) => {
      const [{ testPolicy }, { policyTestLines }] = await Promise.all([
        import("./policy-check.ts"),
        import("../report/terminal/policy-block.ts"),
      ]);
      const tested = await testPolicy(table, options.policy);
      const bad = tested.cases.filter(({ findings }) => findings.length > 0).length;
      process.exitCode = bad === 0 ? EXIT_CODE.done : EXIT_CODE.findings;
      if (options.json === true) printJson({ kind: "policy-test", ...tested, exitCode: process.exitCode });
      else say(policyTestLines(tested).join("\n"));
    });
}

interface ExplainOptions {
  readonly json?: true;
  readonly scenario?: string;
  readonly policy?: string;
  readonly at?: string;
}

function explainCommand(): Command {
  return withPolicy(withJson(new Command("explain")))
    .description("Say which rules decide about a plan, before a rehearsal and at the gate, and what would change it.")
    .argument("<plan>", "plan file (canary.plan/v1)")
    .option("--scenario <file>", "hold it against this scenario: its operator's rules, its environment, its mirror")
    .option("--at <instant>", "moment of the promotion, such as 2026-12-01T22:00:00Z; else now")
    .addHelpText(
      "after",
      `
Example:
  canary policy explain scenarios/plans/rolling-restart.yaml --scenario scenarios/rolling-restart.yaml

Nothing is started, signed or approved. What would change an answer was asked, not guessed.
Exit codes: 0 the plan may be rehearsed, 12 refused before a rehearsal, 3 invalid document.`,
    )
    .action(async (planFile: string, options: ExplainOptions) => {
      const [{ explainPlan }, { policyExplainLines }, { systemClock }] = await Promise.all([
        import("./policy-check.ts"),
        import("../report/terminal/policy-block.ts"),
        import("./system.ts"),
      ]);
      const { scenario, policy } = options;
      const explained = await explainPlan(planFile, {
        atEpochMs: options.at === undefined ? systemClock.epochMs() : instantOf(options.at),
        ...(scenario === undefined ? {} : { scenario }),
        ...(policy === undefined ? {} : { policy }),
      });
      const admitted = explained.admission.kind === "admitted";
      process.exitCode = admitted ? EXIT_CODE.done : EXIT_CODE_BY_ERROR.POLICY_REFUSED;
      if (options.json === true) printJson({ kind: "policy-explanation", ...explained, exitCode: process.exitCode });
      else say(policyExplainLines(explained).join("\n"));
    });
}

function instantOf(text: string): number {
  const at = /^\d{4}-\d{2}-\d{2}T.*(?:Z|[+-]\d{2}:\d{2})$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isFinite(at)) return at;
  throw new CanaryError({
    code: "USAGE",
    message: `--at ${text} is no instant`,
    hint: "Give date, time and offset, such as 2026-12-01T22:00:00Z.",
  });
}
