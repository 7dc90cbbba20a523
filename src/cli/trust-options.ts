import path from "node:path";
import type { Command } from "commander";
import type { TrustTerms } from "../run/job-trust.ts";

/** Whom a command believes, as given on the command line. */
export interface TrustOptions {
  readonly trust?: string;
  readonly runbook?: readonly string[];
}

/** `--trust` and `--runbook` are the same everywhere: they take the place of the scenario's own and demand what it demands. */
export function withTrust(command: Command): Command {
  return command
    .option(
      "--trust <file>",
      "trusted keys (canary.trust/v1) instead of the scenario's; demands signed plan and runbook",
    )
    .option(
      "--runbook <file...>",
      "runbooks that the plan may name, each with <file>.sigstore.json, beside the scenario's",
    );
}

/** What the command line adds to a scenario's `trust`; relative to where this process stands. */
export function trustGiven(options: TrustOptions): { readonly trust?: Partial<Pick<TrustTerms, "keys" | "runbooks">> } {
  const { trust, runbook = [] } = options;
  if (trust === undefined && runbook.length === 0) return {};
  const runbooks = runbook.map((file) => path.resolve(file));
  return { trust: trust === undefined ? { runbooks } : { keys: path.resolve(trust), runbooks } };
}
