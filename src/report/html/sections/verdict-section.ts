import { describeDuration, utc } from "../../amounts.ts";
import { inForceWords } from "../../in-force-words.ts";
import type { RunReport } from "../../run-report.ts";
import { adviceFor, reasonSentence, VERDICT_WORDS } from "../../verdict-words.ts";
import { code, facts, list } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** What was rehearsed, the answer in plain words, why, and what to do next. */
export function verdictSection(report: RunReport): SafeHtml {
  const { verdict, plan, environment, startedEpochMs, finishedEpochMs } = report;
  const words = VERDICT_WORDS[verdict.kind];
  const reasons = verdict.reasons.map(
    (reason) => html`${reasonSentence(reason)} <span class="muted">${code(reason.code)}</span>`,
  );
  const { agent } = plan;
  const inForce = inForceWords(report);
  return html`<header>
<p class="kicker">Rehearsal of an operations plan · ${utc(startedEpochMs)}</p>
<h1>${plan.name}</h1>
<p class="lead">${plan.intent}</p>
<div class="answer ${verdict.kind}" role="region" aria-label="Verdict">
<span class="badge">${words.mark} ${words.title}</span>
<p class="meaning">${words.meaning}</p>
${list(reasons)}
<h2>What to do next</h2>
${list(adviceFor(verdict))}
</div>
${facts([
  ["Agent", `${agent.id} ${agent.version}, ${agent.model.provider} ${agent.model.name} ${agent.model.version}`],
  ["Meant for", environment.id === environment.class ? environment.id : `${environment.id} (${environment.class})`],
  ["Tier", tierWords(plan.tier)],
  ["Agent's own confidence", String(plan.confidence)],
  ["Rehearsed", `${utc(startedEpochMs)}, for ${describeDuration(finishedEpochMs - startedEpochMs)}`],
  ...(inForce === undefined ? [] : [["Plan in force", inForce] as const]),
  ["Run", code(report.runId)],
])}
</header>`;
}

function tierWords({ declared, classified, effective }: RunReport["plan"]["tier"]): string {
  return declared === classified && classified === effective
    ? String(effective)
    : `${effective} (declared ${declared}, classified ${classified})`;
}
