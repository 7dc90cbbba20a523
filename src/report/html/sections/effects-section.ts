import type { Difference } from "../../../mirror/fingerprint.ts";
import type { Action } from "../../../plan/plan.ts";
import { describeDuration } from "../../amounts.ts";
import { describeChange } from "../../effect-words.ts";
import type { RunReport } from "../../run-report.ts";
import { type Cell, chip, code, list, section, table } from "../page-parts.ts";
import { html, joinHtml, type SafeHtml } from "../safe-html.ts";

const FAILED_TO = { "dry-run": "pass its dry run", act: "act", undo: "undo" } as const;

/** Each action: what and why, what it declared, what the quiet twin saw, what it printed. */
export function effectsSection(report: RunReport): SafeHtml {
  const { plan, quiet } = report;
  const rows = plan.actions.flatMap((action) => effectRows(action, quiet));
  const failed =
    quiet.failed === undefined
      ? []
      : [
          html`<p>${chip("fail", "failed")} ${quiet.failed.actionId} failed to ${FAILED_TO[quiet.failed.during]} on the quiet twin: ${quiet.failed.message}</p>`,
        ];
  return section("effects", "What the plan changed", [
    html`<p class="muted">Seen on a quiet twin without traffic, so that every difference is the plan's own.</p>`,
    ...failed,
    table({
      caption: "Declared and observed effects per action",
      headings: ["action", "resource", "change", "declared?"],
      rows,
    }),
    ...leftOut(report.quiet),
    ...plan.actions.map((action) => actionDetails(action, report)),
    ...stubCalls(report),
  ]);
}

/** What the quiet proof says nothing about, and why. */
function leftOut({ noise = [], unseen = [], unseenSince = [] }: RunReport["quiet"]): readonly SafeHtml[] {
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["Left out, because it changes without the plan too:", noise],
    ["Could not be looked at, so effects there are unknown:", [...unseen, ...unseenSince]],
  ];
  return parts
    .filter(([, items]) => items.length > 0)
    .flatMap(([words, items]) => [html`<p class="muted">${words}</p>`, list(items.map(code))]);
}

function effectRows(action: Action, quiet: RunReport["quiet"]): readonly (readonly Cell[])[] {
  const proof = quiet.actions.find(({ id }) => id === action.id);
  if (proof === undefined) return [[action.id, "", "not reached", chip("open", "not seen")]];
  const undeclared = new Set(proof.undeclared.map(({ path }) => path));
  const observed = proof.effects.map((effect): readonly Cell[] => [
    action.id,
    code(effect.path),
    describeChange(effect),
    undeclared.has(effect.path) ? chip("fail", "not declared") : chip("pass", "declared"),
  ]);
  const absent = proof.absent.map((path): readonly Cell[] => [
    action.id,
    code(path),
    "did not change",
    chip("fail", "declared, absent"),
  ]);
  if (observed.length + absent.length > 0) return [...observed, ...absent];
  const isOpen = proof.noOp || proof.withoutEffect === "at-all";
  return [
    [
      action.id,
      "",
      proof.noOp ? "already at its target" : "no effect",
      chip(isOpen ? "open" : "plain", isOpen ? "no-op" : "nothing"),
    ],
  ];
}

function actionDetails(action: Action, { actions: records, quiet }: Pick<RunReport, "actions" | "quiet">): SafeHtml {
  const ran = records.filter(({ id }) => id === action.id);
  const rows = ran.map((record): readonly Cell[] => [
    record.proof === "quiet" ? "quiet twin" : "under load",
    record.phase === "act" ? "act" : "undo",
    describeDuration(record.durationMs),
    record.landed ? chip("pass", "landed") : chip("fail", "did not land"),
    record.output === "" ? "" : html`<pre tabindex="0"><code>${record.output}</code></pre>`,
  ]);
  return html`<h3>${action.id}: ${action.what}</h3>
<p>${action.why}</p>
${list([
  html`Does: ${code(stepWords(action.step))}`,
  undoOf(action, quiet),
  html`Declares: ${action.changes.length === 0 ? "nothing" : joinHtml(action.changes.map(code))}`,
  html`Needs: ${action.requires.length === 0 ? "no scope" : joinHtml(action.requires.map(code))}`,
])}
${rows.length === 0 ? undefined : html`<details><summary>Runs and their output</summary>${table({ caption: `Runs of ${action.id}`, headings: ["where", "what", "took", "landed", "output"], rows })}</details>`}`;
}

function undoOf(action: Action, quiet: RunReport["quiet"]): SafeHtml | string {
  if (action.rollback !== undefined) return html`Undo: ${code(stepWords(action.rollback))}`;
  const derived = quiet.actions.find(({ id }) => id === action.id)?.derivedUndo;
  return derived === undefined ? "Undo: none given" : html`Undo, read from the state before it acted: ${code(derived)}`;
}

function stepWords(step: Action["step"]): string {
  return `${step.uses} ${JSON.stringify(step.with)}`;
}

function stubCalls({ stubCalls: calls }: RunReport): readonly SafeHtml[] {
  if (calls.length === 0) return [];
  const rows = calls.map((call): readonly Cell[] => [
    call.host,
    html`${code(`${call.method} ${call.path}`)}`,
    call.control.toLocaleString("en-US"),
    call.shadow.toLocaleString("en-US"),
  ]);
  return [
    table({
      caption: "Calls to stubs of third parties",
      headings: ["host", "call", "control", "shadow"],
      rows,
      numeric: [2, 3],
    }),
  ];
}

/** Differences as a table, or nothing where there are none. */
export function differenceTable(caption: string, differences: readonly Difference[]): readonly SafeHtml[] {
  if (differences.length === 0) return [];
  return [
    table({
      caption,
      headings: ["resource", "difference"],
      rows: differences.map((difference) => [code(difference.path), describeChange(difference)]),
    }),
  ];
}
