import type { ExplanationLine } from "../../../judge/explain.ts";
import type { RunReport } from "../../run-report.ts";
import { STATE_WORDS } from "../../slo-words.ts";
import { facts, section } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** The chain of reasoning, folded: nobody needs it to act, and whoever doubts the answer can follow it. */
export function explanationSection({ explanation }: RunReport): SafeHtml {
  const { run, slos } = explanation;
  return section("explanation", "How this was decided", [
    html`<details><summary>From what was asked to the answer, step by step</summary>
${slos.map((slo) => html`<h3>${slo.name}: ${STATE_WORDS[slo.state]}</h3>${chain(slo.lines)}`)}
<h3>The run as a whole</h3>${chain(run)}</details>`,
  ]);
}

function chain(lines: readonly ExplanationLine[]): SafeHtml {
  return facts(lines.map(({ topic, text }) => [topic, text]));
}
