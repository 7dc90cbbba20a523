import type { SloJudgement } from "../../../judge/verdict.ts";
import { describeDuration, percent } from "../../amounts.ts";
import type { RunReport } from "../../run-report.ts";
import { describeForecast, describeSloDelta, NOT_MEASURED, sloWords } from "../../slo-words.ts";
import type { ChartPainter } from "../charts/chart-painter.ts";
import { sloRangeChart } from "../charts/slo-range-chart.ts";
import { chip, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

const STATE_CHIP = { pass: "pass", fail: "fail", open: "open", "no-data": "open" } as const;

/** The heart of the page: what was promised against what was measured, one row per SLO. */
export function sloSection({ slos }: RunReport, paint: ChartPainter): SafeHtml {
  const title = "Promised and measured";
  if (slos.length === 0) return section("slos", title, [html`<p>No SLO was judged in this run.</p>`]);
  return section("slos", title, [
    html`<ul class="legend"><li class="band"><span></span>accepted range</li><li>bar: where the true change lies</li><li>dot: best guess</li></ul>`,
    ...slos.map((slo, i) => sloRow(slo, `slo-${i + 1}`, paint)),
    html`<details><summary>All numbers behind these rows</summary>${levels(slos)}${evidence(slos)}</details>`,
  ]);
}

function sloRow(slo: SloJudgement, id: string, paint: ChartPainter): SafeHtml {
  const words = sloWords(slo);
  const forecast = describeForecast(slo);
  return html`<div class="slo"><div>
<h3>${words.name} ${chip(STATE_CHIP[slo.state], words.stateWord)}</h3>
<p class="measured">${words.measured}</p>
<p>accepted: ${words.accepted}</p>
<p class="muted">promised by the plan: ${words.promised}</p>
<p class="muted">interval: ${words.interval}${forecast === undefined ? undefined : html`; ${forecast} more would decide`}</p>
${slo.note === "" ? undefined : html`<p class="muted">${slo.note}</p>`}
</div>${paint(sloRangeChart(slo, id))}</div>`;
}

function levels(slos: readonly SloJudgement[]): SafeHtml {
  return table({
    caption: "Level of each twin before and after the plan",
    headings: ["SLO", "operator's limit", "promised", "control", "shadow", "bias removed"],
    rows: slos.map((slo) => {
      const words = sloWords(slo);
      return [
        words.name,
        words.limit,
        words.promised,
        words.controlLevels,
        words.shadowLevels,
        slo.estimate === undefined ? NOT_MEASURED : describeSloDelta(slo, slo.biasRemoved),
      ];
    }),
  });
}

function evidence(slos: readonly SloJudgement[]): SafeHtml {
  return table({
    caption: "Evidence behind each interval",
    headings: [
      "SLO",
      "level",
      "blocks before + after",
      "left out",
      "block",
      "effective",
      "variance inflation",
      "smallest difference seen",
    ],
    rows: slos.map(({ name, interval, blocks, varianceInflation, minimalDetectable, ...slo }) => [
      name,
      interval.level === 0 ? "none" : percent(interval.level),
      `${blocks.before} + ${blocks.after}`,
      String(blocks.invalid),
      describeDuration(blocks.blockMs),
      slo.estimate === undefined ? NOT_MEASURED : blocks.effective.toFixed(1),
      // A baseline alone shows how its blocks lean on each other.
      slo.estimate === undefined && blocks.before === 0 ? NOT_MEASURED : varianceInflation.toFixed(2),
      Number.isFinite(minimalDetectable) ? describeSloDelta(slo, minimalDetectable).replace(/^\+/, "±") : "unknown",
    ]),
    numeric: [3, 5, 6],
  });
}
