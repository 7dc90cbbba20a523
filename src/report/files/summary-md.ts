import { describeDuration, describeLevel, percent, utc } from "../amounts.ts";
import { duringWords } from "../during-words.ts";
import { describeChange } from "../effect-words.ts";
import { guardRows } from "../guard-words.ts";
import { inForceWords } from "../in-force-words.ts";
import { withPlainText } from "../plain-text.ts";
import { POWER_FROM, POWER_HEADINGS, powerCells } from "../power-words.ts";
import type { RunReport } from "../run-report.ts";
import { sloWords } from "../slo-words.ts";
import { adviceFor, BUNDLE_FILE, reasonSentence, VERDICT_WORDS } from "../verdict-words.ts";
import { writeWords } from "../write-words.ts";
import { codeSpan, escapeMarkdown, escapeMarkdownItem, markdownTable } from "./markdown.ts";
import { policyMarkdown } from "./summary-policy.ts";
import { responsesMarkdown } from "./summary-responses.ts";
import { undoMarkdown } from "./summary-undo.ts";

/** GitHub drops a step summary of more than 1 MiB whole, so a longer one is cut before that. */
export const SUMMARY_BYTES_MAX = 1024 * 1024 - 1024;
const ROWS_MAX = 200;
const ICON = { promote: "✅", hold: "⏸️", reject: "❌" } as const;

/** The run on one page of Markdown, for pull requests and `GITHUB_STEP_SUMMARY`; always below 1 MiB. */
export function summaryMarkdown(written: RunReport): string {
  const report = withPlainText(written);
  const sections = [
    head(report),
    slos(report),
    during(report),
    guards(report),
    effects(report),
    responsesMarkdown(report),
    writes(report),
    policyMarkdown(report),
    undoMarkdown(report),
    sensitivity(report),
    power(report),
    routes(report),
    mirror(report),
    next(report),
  ];
  return cutToBytes(`${sections.filter((section) => section !== "").join("\n\n")}\n`, SUMMARY_BYTES_MAX);
}

function head(report: RunReport): string {
  const { verdict, plan, environment, startedEpochMs, finishedEpochMs } = report;
  const inForce = inForceWords(report);
  const words = VERDICT_WORDS[verdict.kind];
  const { agent } = plan;
  return [
    `# ${ICON[verdict.kind]} ${words.title}: ${escapeMarkdown(plan.name)}`,
    "",
    `**${words.meaning}**`,
    "",
    ...limited(verdict.reasons).map(
      (reason) => `- ${escapeMarkdownItem(reasonSentence(reason))} (${codeSpan(reason.code)})`,
    ),
    "",
    `${escapeMarkdown(`Intent: ${plan.intent}`)}  `,
    `${escapeMarkdown(`Agent: ${agent.id} ${agent.version}, model ${agent.model.name} ${agent.model.version}`)}  `,
    `${escapeMarkdown(`For: ${environment.id}`)}  `,
    `Rehearsed: ${utc(startedEpochMs)}, ${describeDuration(finishedEpochMs - startedEpochMs)}`,
    ...(inForce === undefined ? [] : ["", `Plan in force: ${inForce}`]),
  ].join("\n");
}

function slos({ slos: judged }: RunReport): string {
  if (judged.length === 0) return "";
  const rows = judged.map((slo) => {
    const words = sloWords(slo);
    const mark = { pass: "✅ ", fail: "❌ ", open: "⏸️ ", "no-data": "⏸️ " }[slo.state];
    return [
      codeSpan(words.name),
      words.promised,
      words.accepted,
      `**${words.measured}**`,
      words.interval,
      words.controlLevels,
      words.shadowLevels,
      `${mark}${words.stateWord}`,
    ].map((cell, i) => (i === 0 || i === 3 ? cell : escapeMarkdown(cell)));
  });
  const headings = [
    "SLO",
    "promised",
    "accepted",
    "measured",
    "interval",
    "control before → after",
    "shadow before → after",
    "result",
  ];
  return `## Promised and measured\n\n${markdownTable(headings, rows)}`;
}

function during(report: RunReport): string {
  const words = duringWords(report);
  if (words === undefined) return "";
  const alarm = words.alarm === undefined ? [] : [`❌ ${escapeMarkdown(words.alarm)}`, ""];
  const rows = words.budgets.map(({ about, counted, spent, allowed, by, kept }) => [
    codeSpan(about),
    escapeMarkdown(counted),
    spent,
    allowed,
    escapeMarkdown(by),
    kept ? "✅ kept" : "❌ passed",
  ]);
  const table = rows.length === 0 ? [] : [listed(rows, ["for", "counted", "spent", "allowed", "set by", "result"])];
  return ["## While the plan acted and settled", "", ...alarm, ...table].join("\n");
}

function guards(report: RunReport): string {
  const rows = guardRows(report).map(({ name, kind, rule, seen, at, state }) => [
    codeSpan(name),
    ...[kind, rule, at === "" ? seen : `${seen} (at ${at})`].map(escapeMarkdown),
    { kept: "✅ kept", broken: "❌ broken", "not reached": "⏸️ not reached" }[state],
  ]);
  if (rows.length === 0) return "";
  return `## What watched the plan\n\n${listed(rows, ["name", "kind", "rule", "last seen", "result"])}`;
}

function effects({ quiet }: RunReport): string {
  const rows = quiet.actions.flatMap((proof): string[][] => {
    const undeclared = new Set(proof.undeclared.map(({ path }) => path));
    const seen = proof.effects.map((effect) => [
      codeSpan(proof.id),
      codeSpan(effect.path),
      escapeMarkdown(describeChange(effect)),
      undeclared.has(effect.path) ? "❌ not declared" : "✅ declared",
    ]);
    const absent = proof.absent.map((path) => [
      codeSpan(proof.id),
      codeSpan(path),
      "nothing happened",
      "❌ declared, absent",
    ]);
    const nothing = proof.noOp ? "already at its target" : "no effect";
    const none = seen.length + absent.length === 0 ? [[codeSpan(proof.id), "", nothing, ""]] : [];
    return [...seen, ...absent, ...none];
  });
  if (rows.length === 0) return "";
  return `## What the plan changed\n\n${listed(rows, ["action", "resource", "change", "declared?"])}`;
}

function writes(report: RunReport): string {
  const words = writeWords(report);
  if (words === undefined) return "";
  if ("unavailable" in words) return `## Who wrote what under load\n\n⏸️ ${escapeMarkdown(words.unavailable)}`;
  const mark = { pass: "✅ ", fail: "❌ ", plain: "" };
  const rows = words.lines.map(({ who, as, rows: count, tables, result }) => [
    codeSpan(who),
    escapeMarkdown(as),
    count,
    escapeMarkdown(tables.join("; ")),
    `${mark[result.tone]}${escapeMarkdown(result.text)}`,
  ]);
  const doubts = limited(words.doubts).map((doubt) => `- ⏸️ ${escapeMarkdownItem(doubt)}`);
  const table = listed(rows, ["who", "as", "rows", "where", "declared?"]);
  return [`## Who wrote what under load\n\n${table}`, ...(doubts.length === 0 ? [] : ["", ...doubts])].join("\n");
}

function sensitivity({ sensitivity: proof }: RunReport): string {
  if (proof === undefined) return "";
  const harms = limited(proof.harms).map(({ what, planted, margin, caught, seconds }) => {
    const answer = caught ? `✅ caught in ${describeDuration(seconds * 1000)}` : "❌ not seen";
    return `- ${codeSpan(what)}: ${escapeMarkdownItem(`${planted} (${margin})`)}: ${answer}`;
  });
  const left = limited(proof.left).map(({ what, why }) => `- ${codeSpan(what)}: not tried, ${escapeMarkdownItem(why)}`);
  return ["## Would harm have been noticed?", "", ...harms, ...left].join("\n");
}

function routes({ traffic }: RunReport): string {
  if (traffic.routes.length === 0) return "";
  const rows = traffic.routes.map(({ route, control, shadow }) => [
    codeSpan(route),
    String(control.requests),
    `${control.ok} / ${shadow.ok}`,
    `${percent(errorShare(control))} / ${percent(errorShare(shadow))}`,
    `${describeLevel(control.latencyMs.p50, "ms")} / ${describeLevel(shadow.latencyMs.p50, "ms")}`,
    `${describeLevel(control.latencyMs.p99, "ms")} / ${describeLevel(shadow.latencyMs.p99, "ms")}`,
  ]);
  const headings = ["route", "requests each", "served (control / shadow)", "errors (control / shadow)", "p50", "p99"];
  return `<details><summary>Traffic</summary>\n\n${listed(rows, headings)}\n\n</details>`;
}

function errorShare({ errors, requests }: RunReport["traffic"]["routes"][number]["control"]): number {
  return requests === 0 ? 0 : errors / requests;
}

function mirror({ mirror: { fidelity } }: RunReport): string {
  if (fidelity.length === 0) return "";
  return [
    "## What the mirror does not show",
    "",
    ...limited(fidelity).map((gap) => `- ${escapeMarkdownItem(gap)}`),
  ].join("\n");
}

function power({ power: forecasts = [], profile }: RunReport): string {
  const [first] = forecasts;
  if (first === undefined) return "";
  const by = profile === undefined ? "" : ` Calibrated by ${codeSpan(profile.name)}.`;
  const rows = forecasts.map((forecast) =>
    powerCells(forecast).map((cell, i) => (i === 0 ? codeSpan(cell) : escapeMarkdown(cell))),
  );
  const said = `Said before the plan acted, ${POWER_FROM[first.from]}.${by}`;
  return `<details><summary>What this run could show</summary>\n\n${said}\n\n${listed(rows, [...POWER_HEADINGS])}\n\n</details>`;
}

function next({ verdict, runId }: RunReport): string {
  const advice = adviceFor(verdict).map((line) => `- ${line}`);
  const verify = `Full picture in \`report.html\`; check the signature with \`canary verdict verify ${BUNDLE_FILE}\` (run ${codeSpan(runId)}).`;
  return ["## What to do next", "", ...advice, "", verify].join("\n");
}

function listed(rows: readonly (readonly string[])[], headings: readonly string[]): string {
  const table = markdownTable(headings, rows.slice(0, ROWS_MAX));
  return rows.length > ROWS_MAX ? `${table}\n\n... and ${rows.length - ROWS_MAX} more in report.json` : table;
}

function limited<T>(list: readonly T[]): readonly T[] {
  return list.slice(0, ROWS_MAX);
}

/** Whole lines up to the limit, and a word about what is missing. */
function cutToBytes(text: string, bytesMax: number): string {
  if (Buffer.byteLength(text) <= bytesMax) return text;
  const bytes = Buffer.from(text).subarray(0, bytesMax - 200);
  const whole = bytes.subarray(0, bytes.lastIndexOf(0x0a));
  return `${whole.toString()}\n\n... cut here: the rest is in report.html and report.json.\n`;
}
