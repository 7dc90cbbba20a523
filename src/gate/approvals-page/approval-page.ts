import type { VerdictStatement } from "../../attest/statement.ts";
import type { Plan } from "../../plan/plan.ts";
import { facts, list, section, table } from "../../report/html/page-parts.ts";
import { PAGE_STYLE } from "../../report/html/page-style.ts";
import { html, markupOf, type SafeHtml, trustedMarkup } from "../../report/html/safe-html.ts";
import { plainText } from "../../report/plain-text.ts";
import type { GateReason } from "../gate-reason.ts";

/** What a person is shown before they approve. */
export interface ShownApproval {
  readonly plan: Plan;
  readonly verdict: { readonly digest: string; readonly statement: VerdictStatement } | undefined;
  /** What stands against a promotion now; approvals are among it as long as they are missing. */
  readonly reasons: readonly GateReason[];
  readonly approved: readonly string[];
}

/** Every word of plan and verdict was written by somebody else: shown as text, without what repaints it. */
const text = (words: string): string => plainText(words, "join");

/** The page on which a person reads plan, verdict and evidence, and approves. */
export function approvalPage({ plan, verdict, reasons, approved }: ShownApproval): string {
  const environment = plan.target.environment;
  return page(`Approve ${text(plan.name)}`, [
    html`<header><p class="kicker">canary gate</p><h1>${text(plan.name)} in ${text(environment)}</h1>
<p class="lead">${text(plan.intent)}</p></header><main>`,
    verdictPart(verdict),
    section("plan", "What it does", [
      facts([
        ["plan", `sha256:${plan.sha256}`],
        ["agent", text(`${plan.agent.id} ${plan.agent.version}, ${plan.agent.model.name} ${plan.agent.model.version}`)],
        ["tier, confidence", `${plan.tier}, ${plan.confidence}`],
        ["evidence", text(plan.evidence.map(({ kind, summary }) => `${kind}: ${summary}`).join("; ") || "none")],
      ]),
      table({
        caption: "Actions",
        headings: ["action", "what", "why", "does", "changes", "way back"],
        rows: plan.actions.map((action) => [
          text(action.id),
          text(action.what),
          text(action.why),
          text(JSON.stringify(action.step)),
          text(action.changes.join(", ")),
          action.rollback === undefined ? "read from the state before it acts" : text(JSON.stringify(action.rollback)),
        ]),
      }),
    ]),
    section("now", "What stands against it now", [
      reasons.length === 0
        ? html`<p>Nothing.</p>`
        : list(reasons.map(({ code, message }) => text(`${code}: ${message}`))),
      html`<p>Approved by: ${approved.length === 0 ? "nobody yet" : text(approved.join(", "))}</p>`,
    ]),
    verdict === undefined
      ? html`<section><p>There is no verdict about this plan, so there is nothing to approve.</p></section>`
      : html`<section><h2>Approve</h2><p>Your passkey signs this plan, this verdict and this environment. It counts for a day, and for no other.</p>
<p><button id="approve" type="button" data-plan="${plan.sha256}" data-verdict="${verdict.digest}" data-environment="${environment}">Approve with a passkey</button></p>
<p id="said" role="status"></p></section>`,
    html`</main>`,
  ]);
}

function verdictPart(verdict: ShownApproval["verdict"]): SafeHtml {
  if (verdict === undefined) return html`<section><h2>Verdict</h2><p>None was published.</p></section>`;
  const { predicate } = verdict.statement;
  const bound = (value: number | null): string => (value === null ? "∞" : value.toPrecision(3));
  return section("verdict", "Verdict", [
    html`<div class="answer ${predicate.verdict}"><span class="badge">${predicate.verdict.toUpperCase()}</span>
${list(predicate.reasons.map(({ code, message }) => text(`${code}: ${message}`)))}</div>`,
    facts([
      ["verdict", `sha256:${verdict.digest}`],
      ["valid", `${predicate.notBefore} to ${predicate.expiresAt}`],
      ["does not show", text(predicate.mirror.fidelity.join("; ") || "(the mirror names nothing)")],
      [
        "undo under load",
        predicate.rollback.underLoad.kind === "run" && predicate.rollback.underLoad.restored
          ? "restored the state"
          : "not shown",
      ],
      [
        "effects",
        text([...predicate.effects.declared.paths, ...predicate.effects.undeclared.paths].join(", ") || "none"),
      ],
    ]),
    table({
      caption: "Service level objectives",
      headings: ["SLO", "state", "estimate", "interval", "accepted"],
      rows: predicate.slos.map(({ name, state, estimate, interval, accepted }) => [
        text(name),
        state,
        bound(estimate),
        `${bound(interval.lo)} to ${bound(interval.hi)}`,
        `${accepted.lo === null ? "-∞" : bound(accepted.lo)} to ${bound(accepted.hi)}`,
      ]),
    }),
  ]);
}

/** The page on which a person makes a passkey; the operator decides whose it is. */
export function enrolmentPage(): string {
  return page("Enrol a passkey", [
    html`<header><p class="kicker">canary gate</p><h1>Enrol a passkey</h1></header><main>
<section><p>Your browser makes a passkey for this gate. It counts once the operator has put it into the gate's file of passkeys under your name.</p>
<p><label>Who you are <input id="identity" type="text" maxlength="200" autocomplete="email"></label> <button id="enrol" type="button">Make a passkey</button></p>
<p id="said" role="status"></p><pre id="lines"></pre></section></main>`,
  ]);
}

function page(title: string, parts: readonly SafeHtml[]): string {
  const whole = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>
<link rel="stylesheet" href="/approvals/page.css"><script src="/approvals/page.js" defer></script></head><body>
${parts}
</body></html>`;
  return markupOf(whole);
}

/** The page's style sheet, a file of its own like its script. */
export const PAGE_CSS = markupOf(trustedMarkup(PAGE_STYLE));
