import type { Plan } from "../../plan/plan.ts";
import { code, facts, section } from "../../report/html/page-parts.ts";
import { html, joinHtml, type SafeHtml } from "../../report/html/safe-html.ts";
import { text } from "./page-words.ts";

/** What the plan will do, step by step, in the agent's words and in the step's own. */
export function planPart({ actions }: Plan): SafeHtml {
  return section("change", "What will change", [
    html`<ol class="steps">${actions.map(
      (action) => html`<li><h3>${text(action.what)}</h3><p class="muted">${text(action.why)}</p>
${facts([
  ["Step", code(stepWords(action.step))],
  ["Changes", action.changes.length === 0 ? "nothing" : joinHtml(action.changes.map((path) => code(text(path))))],
  ["Way back", action.rollback === undefined ? "read from the state before it acts" : code(stepWords(action.rollback))],
])}</li>`,
    )}</ol>`,
  ]);
}

/** Who proposed it and why, with the digests that an approval names. */
export function recordPart(plan: Plan, verdictDigest: string | undefined): SafeHtml {
  const { agent, evidence } = plan;
  return section("record", "For the record", [
    facts([
      ["Agent", text(`${agent.id} ${agent.version}, ${agent.model.name} ${agent.model.version}`)],
      ["Confidence", String(plan.confidence)],
      ["Evidence", text(evidence.map(({ kind, summary }) => `${kind}: ${summary}`).join("; ") || "none")],
      ["Plan", code(`sha256:${plan.sha256}`)],
      ["Verdict", verdictDigest === undefined ? "none" : code(`sha256:${verdictDigest}`)],
    ]),
  ]);
}

/** `scale service: worker, replicas: 3`: nothing is left out, whatever its kind. */
function stepWords({ uses, with: parameters }: Plan["actions"][number]["step"]): string {
  const words = Object.entries(parameters).map(
    ([name, value]) => `${name}: ${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return text(`${uses} ${words.join(", ")}`);
}
