import { describeDuration, utc } from "../amounts.ts";
import { chip, code, facts, list, section, table } from "../html/page-parts.ts";
import { PAGE_STYLE } from "../html/page-style.ts";
import { CONTENT_POLICY } from "../html/report-page.ts";
import { html, joinHtml, markupOf, type SafeHtml, trustedMarkup } from "../html/safe-html.ts";
import { withPlainText } from "../plain-text.ts";
import { DRILL_STYLE } from "./drill-page-style.ts";
import type { DrillReport, DrillReportCell } from "./drill-report.ts";
import {
  drillMatrix,
  OUTCOME_WORDS,
  placeWords,
  RESULT_WORDS,
  resetWords,
  troubles,
  wayBackWords,
} from "./drill-words.ts";

/** A drill as one self-contained HTML file: outcome, matrix, what is wrong, every cell; equal reports give equal bytes. */
export function drillPage(written: DrillReport): string {
  const report = withPlainText(written);
  const { title } = OUTCOME_WORDS[report.outcome];
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${`${title}: drill of ${report.plan.name}`}</title>
<link rel="icon" href="data:,">
<style>${trustedMarkup(PAGE_STYLE + DRILL_STYLE)}</style>
</head>
<body>
${answer(report)}
<main>
${joinHtml([matrixSection(report), ...troubleSection(report), cellsSection(report), linksSection(report), provenance(report)])}
</main>
<footer><p>Written by canary ${report.harnessVersion}. Times are UTC.</p></footer>
</body>
</html>
`;
  return markupOf(page);
}

function answer(report: DrillReport): SafeHtml {
  const { title, meaning, badge } = OUTCOME_WORDS[report.outcome];
  const clean = report.cells.filter(({ result }) => result === "clean").length;
  return html`<header>
<p class="kicker">canary drill · ${report.environment} · ${utc(report.startedEpochMs)}</p>
<h1>${report.plan.name}</h1>
<p class="lead">${report.plan.intent}</p>
<div class="answer ${badge}"><span class="badge">${title}</span>
<p class="meaning">${meaning}</p>
<p>${clean} of ${report.cells.length} cells are clean. The drill took ${describeDuration(report.tookMs)}.</p></div>
</header>`;
}

function matrixSection(report: DrillReport): SafeHtml {
  const matrix = drillMatrix(report);
  const head = matrix.heads.map(({ count, last }) => html`<th scope="col">${count}<small>${last}</small></th>`);
  const rows = matrix.rows.map(
    ({ way, cells }) =>
      html`<tr><th scope="row"><a href="#${anchor(way.id)}">${way.title}</a><small>${way.what}</small></th>${cells.map(tile)}</tr>`,
  );
  return section("matrix", "Stopped here, disturbed so: is everything as before?", [
    html`<p class="muted">Columns are the actions that were begun; each cell was played on a quiet twin, undone, and held against the state before, row by row. A fault is in force while the last action acts and its undo is tried; then it is lifted, and everything is undone.</p>
<div class="scroll" tabindex="0" role="group" aria-label="Matrix"><table class="matrix"><thead><tr><th scope="col">actions begun</th>${head}</tr></thead><tbody>${rows}</tbody></table></div>`,
    html`<ul class="keys"><li>${mark("clean")} restored exactly, all well</li><li>${mark("not-restored")} something stayed changed</li><li>${mark("finding")} restored, with a finding</li><li>${mark("error")} nothing is known</li></ul>`,
  ]);
}

function mark(result: DrillReportCell["result"]): SafeHtml {
  return html`<span class="tile ${result}">${RESULT_WORDS[result].word}</span>`;
}

function resultChip({ result }: DrillReportCell): SafeHtml {
  const { chip: kind, word } = RESULT_WORDS[result];
  return chip(kind, word);
}

function tile(cell: DrillReportCell | undefined): SafeHtml {
  if (cell === undefined) return html`<td class="void">–</td>`;
  return html`<td><a class="tile ${cell.result}" href="#${anchor(cell.column)}" title="${cell.reason}">${RESULT_WORDS[cell.result].word}<small>${describeDuration(cell.tookMs)}</small></a></td>`;
}

function troubleSection(report: DrillReport): readonly SafeHtml[] {
  const all = troubles(report);
  if (all.length === 0) return [];
  const items = all
    .slice(0, 100)
    .map((cell) => html`${resultChip(cell)} <strong>${placeWords(report, cell)}</strong>: ${cell.reason}`);
  return [section("wrong", "What is wrong", [html`<div class="troubles">${list(items)}</div>`])];
}

/** Every cell of a column, folded unless something is wrong with it. */
function cellsSection(report: DrillReport): SafeHtml {
  return section(
    "cells",
    "Every cell",
    report.columns.map(({ id, title, what }) => {
      const cells = report.cells.filter((cell) => cell.column === id);
      const bad = cells.some(({ result }) => result !== "clean");
      return html`<details id="${anchor(id)}"${trustedMarkup(bad ? " open" : "")}><summary><strong>${title}</strong> ${what} ${cells.map(resultChip)}</summary>
${cells.map((cell) => cellDetail(report, cell))}</details>`;
    }),
  );
}

function cellDetail(report: DrillReport, cell: DrillReportCell): SafeHtml {
  const { fault, reset } = cell;
  const way = wayBackWords(cell);
  const said = [
    ...(fault === undefined ? [] : [`${fault.landed.holds ? "Landed" : "Did not land"}: ${fault.landed.said}.`]),
    ...cell.notes.map((note) => `${note}.`),
    ...(fault === undefined ? [] : [`${fault.lifted.holds ? "Lifted" : "Not lifted"}: ${fault.lifted.said}.`]),
    ...(way === undefined ? [] : [`${way}.`]),
    ...(reset.restarted.length === 0 ? [] : [`Restarted for the next cell: ${reset.restarted.join(", ")}.`]),
  ];
  const times = [
    `acting ${describeDuration(cell.actMs)}`,
    `undoing ${describeDuration(cell.undoMs)}`,
    `well again after ${describeDuration(cell.recoverMs)}`,
    `reset (${reset.way}) ${describeDuration(reset.tookMs)}`,
  ].join(" · ");
  return html`<article class="cell"><h3>${placeWords(report, cell)} ${resultChip(cell)}</h3>
<p>${cell.reason}</p>${said.length === 0 ? undefined : list(said)}<p class="muted">${times}</p>
${cell.differences.length === 0 ? undefined : differences(cell)}</article>`;
}

function differences(cell: DrillReportCell): SafeHtml {
  return table({
    caption: "Left behind",
    headings: ["resource", "", "before", "after"],
    rows: cell.differences.map(({ path, kind, before, after }) => [code(path), kind, before ?? "", after ?? ""]),
    rowsMax: 50,
  });
}

function linksSection(report: DrillReport): SafeHtml {
  return section("links", "What the fault proxy carried", [
    html`<p class="muted">The proxies stood in these ways from the start; a fault on a way that no connection took is an error, never a pass.</p>`,
    table({
      caption: "Traffic since the twins were last raised",
      headings: ["way", "connections", "bytes to the dependency", "bytes back"],
      numeric: [1, 2, 3],
      rows: report.links.map(({ name, connections, bytesUp, bytesDown }) =>
        [name, connections, bytesUp, bytesDown].map((value) => value.toLocaleString("en-US")),
      ),
    }),
  ]);
}

function provenance(report: DrillReport): SafeHtml {
  return section("provenance", "What was drilled", [
    facts([
      ["Plan", html`${report.plan.name} ${code(report.plan.sha256.slice(0, 16))}`],
      ["Agent", report.plan.agent],
      ["Scenario", html`${report.scenario.name} ${code(report.scenario.sha256.slice(0, 16))}`],
      ["Mirror", html`${report.mirror.name} ${code(report.mirror.sha256.slice(0, 16))}`],
      ["Run", code(report.runId)],
      [
        "Twins",
        `${report.twins.engine}, ${report.twins.isolation}, raised in ${describeDuration(report.twins.raiseMs)}`,
      ],
      ["Resets between cells", resetWords(report)],
    ]),
    ...(report.fidelity.length === 0 ? [] : [html`<h3>What the mirror does not show</h3>`, list(report.fidelity)]),
  ]);
}

function anchor(id: string): string {
  return `way-${id.replaceAll(/[^a-zA-Z0-9]+/g, "-")}`;
}
