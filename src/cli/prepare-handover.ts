import type { ApprovalCount } from "../attest/count-approvals.ts";
import { type Handover, handoverOf, signHandover } from "../attest/handover-statement.ts";
import { CanaryError } from "../core/errors.ts";
import { readPlan } from "../policy/admit.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { operatorOf } from "../run/admit-job.ts";
import { countApproved } from "./approved-things.ts";
import { newJob } from "./new-job.ts";
import { openPolicy } from "./open-policy.ts";
import { signingKey } from "./signing.ts";
import type { trustGiven } from "./trust-options.ts";

export type HandedOver =
  | { readonly kind: "handover"; readonly handover: Handover; readonly bundle: string }
  | ({ readonly kind: "refused" } & ApprovalCount);

/**
 * Prepares the hand-over of a plan of tier 4 that enough people signed off; signatures of plan and runbook are verified as for a run.
 * @throws CanaryError POLICY_REFUSED for a plan of another tier, which is to be rehearsed; whatever reading the documents throws
 */
export async function handOver(options: {
  readonly planFile: string;
  readonly scenarioFile: string;
  /** Of the policy whose tiers count; absent: `openPolicy` says which. */
  readonly policyFolder: string | undefined;
  readonly trustFile: string;
  readonly trust?: NonNullable<ReturnType<typeof trustGiven>["trust"]>;
  readonly approvals: readonly string[];
  readonly need: number;
  readonly keyFile: string | undefined;
  readonly nowEpochMs: number;
}): Promise<HandedOver> {
  const job = await newJob(options);
  const asking = { parse: await loadSqlParser(), policy: await openPolicy(options.policyFolder) };
  const { tier } = readPlan(job.plan, operatorOf(job), asking);
  if (tier.effective !== 4) {
    throw new CanaryError({
      code: "POLICY_REFUSED",
      message: `plan ${job.plan.name} is of tier ${tier.effective}, and only what no agent may do is handed over`,
      hint: "Rehearse it: canary run.",
    });
  }
  const count = await countApproved(job.plan, {
    environment: job.plan.target.environment,
    trust: options.trustFile,
    approval: options.approvals,
    ...(job.trust?.planSigner === undefined ? {} : { planSigner: job.trust.planSigner.identity }),
    ...(job.trust?.runbook === undefined ? {} : { runbookAuthor: job.trust.runbook.author }),
    nowEpochMs: options.nowEpochMs,
  });
  if (count.counted.length < options.need) return { kind: "refused", ...count };
  const handover = handoverOf(job.plan, count.counted, options.nowEpochMs);
  return {
    kind: "handover",
    handover,
    bundle: signHandover(handover, job.plan.sha256, await signingKey(options.keyFile)),
  };
}
