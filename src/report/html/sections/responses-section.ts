import type { FieldState, RouteResponses } from "../../../judge/response-changes.ts";
import { fieldWords, responseSummary, routePairs } from "../../response-words.ts";
import type { RunReport } from "../../run-report.ts";
import { chip, code, section, table } from "../page-parts.ts";
import { html, joinHtml, type SafeHtml } from "../safe-html.ts";

const TONE: Readonly<Record<FieldState, Parameters<typeof chip>[0]>> = {
  changed: "fail",
  declared: "pass",
  lasting: "open",
  unclear: "open",
  noise: "plain",
};

/** Answers of both twins compared, route by route; nothing where none were. */
export function responsesSection({ responses }: RunReport): SafeHtml | undefined {
  if (responses === undefined) return undefined;
  return section("responses", "Answers compared", [
    html`<p>${responseSummary(responses)}.</p>`,
    html`<p class="muted">A sample of requests, answered by both twins. Values are masked; nothing else of an answer was kept. What differed before the plan is noise; what differs with the plan in force, and neither before it nor after its undo, is the plan's.</p>`,
    ...responses.routes.map(routePart),
  ]);
}

function routePart(route: RouteResponses): SafeHtml {
  const rows = route.fields.map((field) => {
    const words = fieldWords(field, route);
    const state = joinHtml([chip(TONE[words.state], STATE_CHIP[words.state]), html`${field.because}`]);
    return [code(words.path), words.kinds, ...words.counts, words.example, state];
  });
  const more = route.more === 0 ? undefined : html`<p class="muted">and ${route.more} more places in the recording</p>`;
  return html`<h3>${route.route}</h3>
<p>${routePairs(route)}.${rows.length === 0 ? " No answer differed." : ""}</p>
${
  rows.length === 0
    ? undefined
    : table({
        caption: `Places in which answers of ${route.route} differ`,
        headings: ["place", "kind", "before", "in force", "after undo", "control → shadow", "result"],
        numeric: [2, 3, 4],
        rows,
      })
}${more}`;
}

const STATE_CHIP: Readonly<Record<FieldState, string>> = {
  changed: "not declared",
  declared: "declared",
  lasting: "outlived the undo",
  unclear: "not shown",
  noise: "noise",
};
