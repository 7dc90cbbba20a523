import type { Demands } from "./needs.ts";
import type { PolicyData } from "./policy-data.ts";
import type { GateQuestion } from "./question.ts";
import type { FactGroup } from "./rule-context.ts";
import { acted, within } from "./supervisor.ts";
import { freezesAt, windowsAt } from "./windows.ts";

/** What is at hand when the gate asks, as facts. */
export function givenAt(question: GateQuestion, data: PolicyData, { row }: Demands): FactGroup {
  const { verdict, shown, approvals, environment, atEpochMs, plan } = question;
  const windows = windowsAt(data.windows, environment.id, atEpochMs);
  const recent = within(question.past, atEpochMs, row.guardrails.promotions.minutes).filter(
    (one) => acted(one) && one.agent === plan.agent.id && one.environment === environment.id,
  );
  return {
    verdict: verdict.kind,
    onlyHumanNeeded: verdict.reasons.length > 0 && verdict.reasons.every((code) => code === "HUMAN_NEEDED"),
    approvals: approvals.count,
    strongApprovals: approvals.strong,
    ...shown,
    openWindows: windows.open,
    closedWindows: windows.closed,
    freezes: freezesAt(data.freezes, environment.id, atEpochMs),
    recentPromotions: recent.length,
  };
}
