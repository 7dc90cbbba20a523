import { chip, list, section } from "../../report/html/page-parts.ts";
import { html, type SafeHtml } from "../../report/html/safe-html.ts";
import type { ApprovalEvidence } from "../evidence.ts";
import { text, when } from "./page-words.ts";
import type { Standing } from "./standing.ts";

/** How people showed who they are. */
const SHOWN_BY = { key: "with a key", passkey: "with a passkey", "single-sign-on": "by single sign-on" } as const;

/** What a person approves here, and by what they can. */
export interface Approvable {
  readonly plan: string;
  readonly verdict: string;
  readonly environment: string;
  readonly ways: { readonly passkey: boolean; readonly signOn: boolean };
}

/** Who has approved, who is missing, who cannot; and the buttons. */
export function approvalsPart(shown: {
  readonly approvals: ApprovalEvidence;
  readonly standing: Standing;
  readonly authors: readonly string[];
  /** Absent where there is nothing to approve. */
  readonly approvable?: Approvable;
  readonly atEpochMs: number;
}): SafeHtml {
  const { approvals, standing, authors, approvable, atEpochMs } = shown;
  const { people, refused } = approvals;
  return section("approvals", "Who has approved", [
    people.length === 0
      ? html`<p>Nobody yet.</p>`
      : html`<ul class="people">${people.map((person) => personRow(person, atEpochMs))}</ul>`,
    html`<p class="missing">${missingWords(standing)}</p>`,
    html`${refused.length === 0 ? undefined : html`<h3>Does not count</h3>${list(refused.slice(0, 20).map(text))}`}`,
    html`<p class="muted">Cannot approve it, having had a hand in it: ${text(authors.join(", "))}.</p>`,
    html`${approvable === undefined ? undefined : approvePart({ approvable, canTakeBack: people.length > 0 })}`,
  ]);
}

function personRow({ name, strong, approval }: ApprovalEvidence["people"][number], atEpochMs: number): SafeHtml {
  const how = approval === undefined ? "" : SHOWN_BY[approval.shownBy];
  const at = approval === undefined ? "" : when(approval.approvedAtEpochMs, atEpochMs);
  return html`<li id="${approval === undefined ? "" : `by-${approval.nonce}`}"><strong>${text(name)}</strong> ${chip(strong ? "pass" : "open", strong ? "strongly authenticated" : "not strongly authenticated")}
<span class="muted">${how}, ${at}</span></li>`;
}

/** What is missing, as a sentence. */
export function missingWords({ kind, isFinal, needed, missing }: Standing): string {
  if (kind === "nothing-to-approve") return "There is no verdict about this plan, so there is nothing to approve.";
  if (isFinal) return "Nobody can approve it: an approval names its verdict, and this one will not be admitted.";
  if (missing.people === 0) return needed.k === 0 ? "It needs nobody's approval." : "Nobody is missing.";
  const strongly =
    missing.strong === 0
      ? ""
      : missing.strong === missing.people
        ? ", strongly authenticated"
        : `, ${missing.strong} of them strongly authenticated`;
  const who = missing.people === 1 ? "1 more person has" : `${missing.people} more people have`;
  return `${who} to approve${strongly}.`;
}

function approvePart({
  approvable,
  canTakeBack,
}: {
  readonly approvable: Approvable;
  readonly canTakeBack: boolean;
}): SafeHtml {
  const { plan, environment } = approvable;
  return html`<h3>Approve</h3>
<p id="what">You agree to exactly this plan, on this verdict, in ${text(environment)}, for a day.</p>
${buttons(approvable, { purpose: "approve", verb: "Approve", describedBy: "what" })}
<p id="said" role="status"></p>
${canTakeBack ? takeBackPart(approvable) : undefined}
<noscript><p>The buttons need JavaScript. Without it: <code>canary approve sha256:${plan} --environment ${text(environment)}</code></p></noscript>`;
}

function takeBackPart(approvable: Approvable): SafeHtml {
  return html`<details><summary>Take an approval back</summary><p id="back">What you approved here no longer counts; you can approve anew.</p>
${buttons(approvable, { purpose: "take-back", verb: "Take mine back", describedBy: "back" })}</details>`;
}

function buttons(
  { plan, verdict, environment, ways }: Approvable,
  { purpose, verb, describedBy }: { readonly purpose: string; readonly verb: string; readonly describedBy: string },
): SafeHtml {
  const button = (way: "passkey" | "sign-on", how: string): SafeHtml =>
    html`<button type="button" aria-describedby="${describedBy}" data-way="${way}" data-purpose="${purpose}" data-plan="${plan}" data-verdict="${verdict}" data-environment="${environment}">${verb} ${how}</button>`;
  return html`<p class="buttons">${ways.passkey ? button("passkey", "with a passkey") : undefined}
${ways.signOn ? button("sign-on", "by single sign-on") : undefined}</p>`;
}
