import { CLOCK_SKEW_MS_MAX } from "../attest/statement-words.ts";
import type { Since } from "../ledger/ledger.ts";
import type { PromotionRequest } from "./promotion-request.ts";
import { subject } from "./records.ts";

type About = Since["about"];

/** What can turn an admission into a refusal at any moment: an order, a newer verdict, an approval that is taken back. */
export function stopping({ plan = "", environment }: PromotionRequest, verdict: string): About {
  const scopes = ["*", environment, `sha256:${plan}`, `sha256:${verdict}`];
  return [
    ...scopes.map((scope) => ({ subject: subject.killSwitch(scope), kind: "kill-switch" as const })),
    { subject: plan, kind: "verdict" },
    { subject: plan, kind: "approval-revoked" },
  ];
}

/**
 * All that an admission must be recorded before: what can stop it, and what policy counts, which are other admissions of the
 * environment, also by gates whose clocks are in another hour.
 */
export function restsOn(
  request: PromotionRequest,
  verdict: string,
  { size, atEpochMs }: { readonly size: number; readonly atEpochMs: number },
): Since {
  const clocks = [atEpochMs - CLOCK_SKEW_MS_MAX, atEpochMs + CLOCK_SKEW_MS_MAX];
  const hours = new Set(clocks.map((clock) => subject.decisionsOf(request.environment, clock)));
  const admissions = [...hours].map((hour) => ({ subject: hour, kind: "decision" as const }));
  return { size, about: [...stopping(request, verdict), ...admissions] };
}
