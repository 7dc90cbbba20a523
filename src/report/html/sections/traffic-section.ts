import type { DriverReport } from "../../../replay/recording.ts";
import { describeDuration, describeLevel, percent } from "../../amounts.ts";
import type { RouteSummary, RunReport } from "../../run-report.ts";
import type { ChartPainter } from "../charts/chart-painter.ts";
import { deltaTrailChart } from "../charts/delta-trail-chart.ts";
import { latencyChart } from "../charts/latency-chart.ts";
import { section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** A page with hundreds of pictures helps nobody; the busiest routes are drawn, all are in the table. */
const ROUTE_CHARTS_MAX = 12;
const TRAIL_CHARTS_MAX = 12;

const TWINS = html`<ul class="legend"><li class="control"><span></span>control, untouched</li><li class="shadow"><span></span>shadow, where the plan ran</li>`;

/** Latency of both twins per route. */
export function latencySection({ distributions, traffic }: RunReport, paint: ChartPainter): SafeHtml | undefined {
  if (distributions.length + traffic.routes.length === 0) return undefined;
  const drawn = [...distributions]
    .sort((a, b) => total(b.counts.control) - total(a.counts.control))
    .slice(0, ROUTE_CHARTS_MAX)
    .map((distribution, i) => {
      const route = traffic.routes.find((summary) => summary.route === distribution.route);
      return html`<div><h3>${distribution.route}</h3>${paint(latencyChart(distribution, route, `latency-${i + 1}`))}</div>`;
    });
  return section("latency", "Latency of both twins", [
    html`${TWINS}<li>dashed: p99</li></ul>`,
    html`<div class="pair">${drawn}</div>`,
    routeTable(traffic),
  ]);
}

/** Level and delta of each SLO while the run went on. */
export function trailSection({ slos, trails, timeline }: RunReport, paint: ChartPainter): SafeHtml | undefined {
  const drawn = slos.slice(0, TRAIL_CHARTS_MAX).flatMap((slo, i) => {
    const trail = trails.find((candidate) => candidate.name === slo.name);
    if (trail === undefined || trail.blocks.length + trail.looks.length === 0) return [];
    return [html`<h3>${slo.name}</h3>${paint(deltaTrailChart(slo, trail, timeline, `trail-${i + 1}`))}`];
  });
  if (drawn.length === 0) return undefined;
  return section("trails", "How it went over time", [
    html`${TWINS}<li class="band"><span></span>accepted range</li><li>grey: interval at each look</li><li>dashed: an action</li></ul>`,
    ...drawn,
  ]);
}

function routeTable({ routes, phases }: RunReport["traffic"]): SafeHtml {
  return table({
    caption: `Requests per route and twin, ${phases.observing === undefined ? "before the plan" : "after the plan"}`,
    headings: ["route", "twin", "requests", "served", "errors", "blocked", "p50", "p95", "p99"],
    rows: routes.flatMap(({ route, control, shadow }) => [
      [route, "control", ...routeCells(control)],
      [route, "shadow", ...routeCells(shadow)],
    ]),
    numeric: [2, 3, 4, 5, 6, 7, 8],
    rowsMax: 100,
  });
}

function routeCells({ requests, ok, errors, blocked, latencyMs }: RouteSummary): readonly string[] {
  const share = requests === 0 ? 0 : errors / requests;
  const quantiles = [latencyMs.p50, latencyMs.p95, latencyMs.p99].map((value) => describeLevel(value, "ms"));
  const [asked, served] = [requests, ok].map((count) => count.toLocaleString("en-US"));
  return [asked ?? "", served ?? "", `${errors} (${percent(share)})`, String(blocked), ...quantiles];
}

/** Whether the measurement itself was sound: the load generator and the twins. */
export function soundnessSection({ traffic, mirror, measuringShare }: RunReport): SafeHtml {
  const { driver } = traffic;
  const { facts: twins } = mirror;
  const health =
    driver === undefined
      ? "No traffic was sent: the quiet proof settled the answer."
      : driver.bottleneck.kind === "no"
        ? "The load generator kept its schedule; it was not what was measured."
        : `The load generator was itself the bottleneck: ${driver.bottleneck.why}`;
  const cores =
    twins.cores.kind === "pinned"
      ? `each twin has its own: control ${twins.cores.control}, shadow ${twins.cores.shadow}`
      : "shared by both twins";
  return section("soundness", "Was the measurement sound?", [
    html`<p>${health}</p>`,
    table({
      caption: "Load generator and twins",
      headings: ["measure", "value"],
      rows: [
        ...(driver === undefined ? [] : driverRows(driver)),
        ["Arrivals", `${traffic.arrivals}, ${describeLevel(traffic.ratePerSecond, "per second")} to each twin`],
        ["Processor cores", cores],
        ["Network isolation", twins.isolation],
        ["Twins raised in", `${describeDuration(twins.raiseMs)} (${twins.prepared ? "prepared image" : "unprepared"})`],
        ["Time spent measuring", percent(measuringShare)],
      ],
    }),
  ]);
}

function driverRows(driver: DriverReport): readonly (readonly [string, string])[] {
  const lags = [driver.sendLagMsP50, driver.sendLagMsP99, driver.sendLagMsMax];
  return [
    [
      "Requests sent to each twin",
      `${driver.sent.toLocaleString("en-US")} (${driver.completed.toLocaleString("en-US")} completed, ${driver.dropped} dropped)`,
    ],
    ["Send lag p50 / p99 / max", lags.map((lag) => describeLevel(lag, "ms")).join(" / ")],
    ["Late seconds", percent(driver.lateSlots)],
    ["Scheduling priority", driver.priority],
  ];
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
