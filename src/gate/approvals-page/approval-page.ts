import type { Plan } from "../../plan/plan.ts";
import { countOf } from "../../report/amounts.ts";
import { list, section } from "../../report/html/page-parts.ts";
import { html, type SafeHtml } from "../../report/html/safe-html.ts";
import type { ApprovalEvidence, VerdictEvidence } from "../evidence.ts";
import { type Approvable, approvalsPart, missingWords } from "./approvals-part.ts";
import { measuredPart, measuredWords } from "./measured-part.ts";
import { pageFrame } from "./page-frame.ts";
import { text } from "./page-words.ts";
import { planPart, recordPart } from "./plan-part.ts";
import type { Standing } from "./standing.ts";

/** What a person is shown before they approve. */
export interface ShownApproval {
  readonly plan: Plan;
  readonly verdict: VerdictEvidence | undefined;
  readonly standing: Standing;
  readonly approvals: ApprovalEvidence;
  /** Who had a hand in it. */
  readonly authors: readonly string[];
  readonly ways: Approvable["ways"];
  readonly atEpochMs: number;
}

/**
 * The page on which a person reads plan, verdict and evidence, and approves. Its first screen answers what somebody who was woken
 * up asks: what will change, what was measured, who has agreed, what is missing.
 */
export function approvalPage(shown: ShownApproval): string {
  const { plan, verdict, standing, approvals, authors, ways, atEpochMs } = shown;
  const { environment } = plan.target;
  const approvable =
    verdict === undefined || standing.isFinal
      ? {}
      : { approvable: { plan: plan.sha256, verdict: verdict.digest, environment, ways } };
  return pageFrame(`Approve ${text(plan.name)}`, [
    html`<header><p class="kicker">canary gate · ${text(environment)} · tier ${verdict?.statement.predicate.trustTier.effective ?? plan.tier}</p>
<h1>${text(plan.name)}</h1><p class="lead">${text(plan.intent)}</p></header><main>`,
    standingPart(shown),
    html`${
      standing.blockers.length === 0
        ? undefined
        : section("blockers", "Blocked by", [
            list(
              standing.blockers.map(
                ({ code, message, remedy }) =>
                  html`${text(message)} <code>${code}</code><br><span class="muted">${text(remedy)}</span>`,
              ),
            ),
          ])
    }`,
    planPart(plan),
    verdict === undefined ? html`` : measuredPart(verdict.statement, atEpochMs),
    approvalsPart({ approvals, standing, authors, ...approvable, atEpochMs }),
    recordPart(plan, verdict?.digest),
    html`</main>`,
  ]);
}

const HEADLINES: Readonly<
  Record<Standing["kind"], { readonly tone: "promote" | "hold" | "reject"; readonly words: string }>
> = {
  "nothing-to-approve": { tone: "reject", words: "NOTHING TO APPROVE" },
  blocked: { tone: "reject", words: "BLOCKED" },
  waiting: { tone: "hold", words: "WAITS FOR APPROVAL" },
  ready: { tone: "promote", words: "APPROVED" },
};

function standingPart({ plan, verdict, standing, approvals }: ShownApproval): SafeHtml {
  const { tone, words } = HEADLINES[standing.kind];
  const { needed, blockers } = standing;
  const more = blockers.length > 1 ? `, and ${countOf(blockers.length - 1, "other reason")}` : "";
  const names = approvals.people.map(({ name }) => name).join(", ");
  const pairs: readonly (readonly [string, string])[] = [
    ["Will change", changeWords(plan)],
    ["Measured", measuredWords(verdict)],
    ...standing.blockers.slice(0, 1).map(({ message }) => ["Blocked by", `${message}${more}`] as const),
    ["Approved", `${approvals.people.length} of ${needed.k}${names === "" ? "" : `: ${names}`}`],
    ["Missing", missingWords(standing)],
  ];
  return html`<section class="answer ${tone}" aria-labelledby="standing"><h2 id="standing"><span class="badge">${words}</span></h2>
<dl class="glance">${pairs.map(([term, said]) => html`<div><dt>${term}</dt><dd>${text(said)}</dd></div>`)}</dl>
${standing.kind === "nothing-to-approve" ? undefined : html`<p><a href="#approvals">Go to the approvals</a></p>`}</section>`;
}

function changeWords({ actions }: Plan): string {
  const [first, ...others] = actions.map(({ what }) => what);
  return others.length === 0 ? (first ?? "nothing") : `${first}, and ${countOf(others.length, "further action")}`;
}
