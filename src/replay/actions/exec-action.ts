import type { Twin } from "../../mirror/twin.ts";
import type { ActionStep } from "../../plan/action.ts";
import { actionIdentity } from "./action-identity.ts";
import type { StepContext, StepOutcome } from "./step-result.ts";

type ExecStep = Extract<ActionStep, { uses: "exec" }>;

/** Runs a program in the service's first replica; it landed if the exit code is the expected one. */
export async function executeExec(step: ExecStep, twin: Twin, context: StepContext): Promise<StepOutcome> {
  const { service, argv, expectExitCode } = step.with;
  const result = await twin.exec(service, argv, context.signal, actionIdentity(context).environment);
  const landed = result.exitCode === expectExitCode;
  return {
    landed,
    output: [result.stdout, result.stderr].filter((text) => text !== "").join("\n"),
    message: `${argv[0]} exited with ${result.exitCode}${landed ? "" : `, expected ${expectExitCode}`}`,
  };
}
