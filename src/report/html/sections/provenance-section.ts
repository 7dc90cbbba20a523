import { stopwatch, utc } from "../../amounts.ts";
import type { RunReport, TimelineEntry } from "../../run-report.ts";
import { verifyCommand } from "../../verdict-words.ts";
import type { ChartPainter } from "../charts/chart-painter.ts";
import { timelineChart } from "../charts/timeline-chart.ts";
import { code, facts, list, section, table } from "../page-parts.ts";
import { html, type SafeHtml } from "../safe-html.ts";

/** Phases and steps on the run's axis, as a picture and as a table. */
export function timelineSection({ timeline, startedEpochMs }: RunReport, paint: ChartPainter): SafeHtml | undefined {
  if (timeline.length === 0) return undefined;
  return section("timeline", "Timeline", [
    paint(timelineChart(timeline, "timeline-1")),
    html`<details><summary>Every entry</summary>${table({
      caption: `Minutes are counted from the first request; the run began at ${utc(startedEpochMs)}`,
      headings: ["at", "until", "kind", "what"],
      rows: timeline.map((entry) => [axisTime(entry.atMs), untilTime(entry), entry.kind, entry.label]),
    })}</details>`,
  ]);
}

/** What a rehearsal cannot know. */
export function fidelitySection({ mirror }: RunReport): SafeHtml {
  const said = mirror.fidelity.length > 0;
  return section("fidelity", "What the mirror does not show", [
    said
      ? list(mirror.fidelity)
      : html`<p>Its owner names no difference between the mirror and the real environment. That does not mean there is none.</p>`,
  ]);
}

/** Everything that identifies this run, and how to check it. */
export function provenanceSection(report: RunReport): SafeHtml {
  const { plan, scenario, mirror, traffic } = report;
  const { agent } = plan;
  return section("provenance", "Where this comes from", [
    facts([
      ["Plan", html`${plan.file} ${code(`sha256:${plan.sha256}`)}`],
      ["Scenario", html`${scenario.file} ${code(`sha256:${scenario.sha256}`)}`],
      ["Mirror", html`${mirror.name} ${code(`sha256:${mirror.sha256}`)}`],
      ["Calibration", calibration(report)],
      ["Agent", `${agent.id} ${agent.version}`],
      ["Model", `${agent.model.provider} ${agent.model.name} ${agent.model.version}`],
      ["Prompt", agent.promptSha256 === undefined ? "not given" : code(`sha256:${agent.promptSha256}`)],
      ["Seed", String(traffic.seed)],
      ["Engine", mirror.facts.engine],
      ["Settings added to both twins", addedSettings(mirror.facts)],
      ["Harness", `canary ${report.harnessVersion}`],
      ["Finished", utc(report.finishedEpochMs)],
    ]),
    ...evidence(plan),
    table({
      caption: "Images",
      headings: ["service", "image"],
      rows: Object.entries(mirror.facts.images).map(([service, image]) => [service, code(image)]),
    }),
    html`<h3>How to check the signature</h3>
<p>The signed verdict lies beside this page. This page is for people; only the signed file counts.</p>
<pre><code>${verifyCommand(".")}</code></pre>`,
    ...(report.bundleSha256 === undefined
      ? []
      : [html`<p class="muted">Signed file: ${code(`sha256:${report.bundleSha256}`)}</p>`]),
  ]);
}

function addedSettings({ addedSettings: added = {} }: RunReport["mirror"]["facts"]): string {
  const all = Object.entries(added).map(([service, settings]) => `${service}: ${settings.join(", ")}`);
  return all.length === 0 ? "none" : all.join("; ");
}

function calibration({ profile }: RunReport): string | SafeHtml {
  if (profile === undefined) return "none was used";
  const { name, sha256, createdAt, rounds } = profile;
  return html`${name}, ${rounds} rounds, ${createdAt} ${code(`sha256:${sha256}`)}`;
}

function evidence({ evidence: given, agent }: RunReport["plan"]): readonly SafeHtml[] {
  const items = [
    ...given.map(
      ({ kind, summary, ref }) => html`${kind}: ${summary}${ref === undefined ? undefined : html` ${code(ref)}`}`,
    ),
    ...agent.inputs.map(({ name, sha256 }) => html`input ${name} ${code(`sha256:${sha256}`)}`),
  ];
  return items.length === 0 ? [] : [html`<h3>What the agent went by</h3>`, list(items)];
}

function untilTime({ toMs }: TimelineEntry): string {
  return toMs === undefined ? "" : axisTime(toMs);
}

function axisTime(atMs: number): string {
  return atMs < 0 ? `-${stopwatch(-atMs)}` : stopwatch(atMs);
}
