import { approvalPage } from "../approvals-page/approval-page.ts";
import { PAGE_CSS } from "../approvals-page/page-css.ts";
import { pageReply } from "../approvals-page/page-reply.ts";
import { PAGE_SCRIPT } from "../approvals-page/page-script.ts";
import { pageRequest } from "../approvals-page/record-approval.ts";
import { EVERYBODY, standingOf } from "../approvals-page/standing.ts";
import { type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { approvedThing } from "../plan-approvals.ts";
import { type EvidenceSources, readEvidence } from "../read-evidence.ts";
import { newestVerdict } from "../verdict-checks.ts";
import { COMMON_REPLIES, digestOf, ProblemSchema } from "./words.ts";

/** By what people can approve here. */
export interface WaysToApprove {
  readonly passkey: boolean;
  readonly signOn: boolean;
}

/** The page on which people read and approve. Whoever knows a plan's digest may read it. */
export function approvalRoutes(service: GateService, ways: WaysToApprove): readonly Route[] {
  const file = (path: string, contentType: string, body: string): Route => ({
    method: "GET",
    path,
    summary: `Part of the approvals page (${contentType}).`,
    access: "signed",
    bodyBytesMax: 0,
    replies: { 200: { description: "The file." } },
    handle: () => ({ status: 200, body, contentType }),
  });
  return [
    file("/approvals/page.js", "text/javascript; charset=utf-8", PAGE_SCRIPT),
    file("/approvals/page.css", "text/css; charset=utf-8", PAGE_CSS),
    {
      method: "GET",
      path: "/approvals/plans/{plan}",
      summary: "The page of one plan: what it changes, what was measured, who has approved, what is missing.",
      access: "signed",
      bodyBytesMax: 0,
      replies: {
        ...COMMON_REPLIES,
        200: { description: "Plan, verdict and what stands against it." },
        404: { description: "No such plan.", schema: ProblemSchema },
      },
      handle: (exchange) => showPlan(exchange, service, ways),
    },
  ];
}

async function showPlan({ params }: Exchange, { sources }: GateService, ways: WaysToApprove): Promise<Reply> {
  const digest = digestOf(params["plan"]);
  const missing = problem(404, "NOT_FOUND", "No such plan", "none was published by this digest");
  if (digest === undefined) return missing;
  try {
    const atEpochMs = sources.clock.epochMs();
    const known = await sources.ledger.entriesAbout(digest, ["plan"]);
    if (known.length === 0) return missing;
    const plan = await sources.documents.plan(digest);
    const request = pageRequest(digest, plan.target.environment);
    const [now, supposed] = await Promise.all([
      readEvidence(request, sources, atEpochMs),
      readEvidence(request, supposingApprovals(sources), atEpochMs),
    ]);
    const verdict = newestVerdict(request, now);
    const { environment } = plan.target;
    const thing =
      now.plan.kind === "plan" ? approvedThing({ plan: now.plan, verdict, environment }, sources.keyring()) : undefined;
    const body = approvalPage({
      plan,
      verdict,
      standing: standingOf(request, verdict, { now, supposed }, atEpochMs),
      approvals: now.approvals,
      authors: thing?.authors ?? [plan.agent.id],
      ways,
      atEpochMs,
    });
    return pageReply(200, body);
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}

/** The same stores, with a policy that is asked as if everybody had approved. */
function supposingApprovals(sources: EvidenceSources): EvidenceSources {
  return { ...sources, askPolicy: (asked) => sources.askPolicy({ ...asked, approvals: EVERYBODY }) };
}
