import { Command } from "commander";
import { RUNBOOKS, signCommand, verifyCommand } from "./plan-sign.ts";

/** `canary runbook`: what people allow agents to do, step by step, and who answers for it. */
export function runbookCommand(): Command {
  return new Command("runbook")
    .description("Sign a runbook or verify who signed it.")
    .addCommand(signCommand(RUNBOOKS))
    .addCommand(verifyCommand(RUNBOOKS));
}
