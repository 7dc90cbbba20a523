import type { SloJudgement } from "../../judge/verdict.ts";
import { describeForecast, describeLimitShort, describeSloDelta, STATE_WORDS } from "../slo-words.ts";
import { deltaBar, STATE_TONE } from "./delta-bar.ts";
import type { Paint } from "./paint.ts";
import { cutTo, fitTo, padTo, textWidth } from "./text-width.ts";
import type { WatchedPlan, WatchState } from "./watch-state.ts";

/** What the evidence is drawn from; `max` is how many lines it may take. */
export interface EvidenceOptions {
  readonly plan: WatchedPlan;
  readonly state: WatchState;
  readonly columns: number;
  readonly paint: Paint;
  readonly max: number;
}

/** Below this a table does not fit beside its bar, and each SLO takes two lines. */
const NARROW_COLUMNS = 72;
/** `decided in ~2 min` */
const STATE_COLUMNS = 17;
/** `quiet ◂ undoing` and a space. */
const CELL_COLUMNS = 16;
const STEP_MARK = { acting: "▸", landed: "✓", failed: "✗", undoing: "◂", undone: "↺" } as const;

/** One line per action: what became of it on the quiet twin and under load. Long plans show the stretch that is being worked on. */
export function stepLines(options: EvidenceOptions): readonly string[] {
  const { state, columns, paint } = options;
  const { shown, before, after } = aroundCurrent(options);
  const lines = shown.map((action) => {
    const cell = (proof: "quiet" | "load"): string => stepCell(proof, state.steps[proof][action.id]?.state, options);
    const cells = `${cell("quiet")} ${cell("load")}`;
    return `${cells} ${cutTo(action.what, Math.max(0, columns - textWidth(cells) - 1))}`.trimEnd();
  });
  return [
    ...(before > 0 ? [paint("quiet", cutTo(`… ${before} before`, columns))] : []),
    ...lines,
    ...(after > 0 ? [paint("quiet", cutTo(`… ${after} after`, columns))] : []),
  ];
}

/** One proof of one action: `quiet ✓ landed`, or only the mark where there is no room for the word. */
function stepCell(proof: "quiet" | "load", seen: keyof typeof STEP_MARK | undefined, options: EvidenceOptions): string {
  const { columns, paint } = options;
  const width = columns < NARROW_COLUMNS ? proof.length + 2 : CELL_COLUMNS;
  if (seen === undefined) return paint("quiet", fitTo(`${proof} ○`, width));
  const mark = `${proof} ${STEP_MARK[seen]}`;
  const text = fitTo(columns < NARROW_COLUMNS ? mark : `${mark} ${seen}`, width);
  if (seen === "failed") return paint("bad", text);
  return seen === "acting" || seen === "undoing" ? paint("strong", text) : text;
}

/** At most `max` actions around the one that was touched last. */
function aroundCurrent({ plan, state, max }: EvidenceOptions): {
  readonly shown: WatchedPlan["actions"];
  readonly before: number;
  readonly after: number;
} {
  const proof = Object.keys(state.steps.load).length > 0 ? state.steps.load : state.steps.quiet;
  const busy = plan.actions.findLastIndex((action) => ["acting", "undoing"].includes(proof[action.id]?.state ?? ""));
  const current = busy >= 0 ? busy : plan.actions.findLastIndex((action) => proof[action.id]?.state === "landed");
  const from = Math.max(0, Math.min(current - 1, plan.actions.length - max));
  const shown = plan.actions.slice(from, from + max);
  return { shown, before: from, after: plan.actions.length - from - shown.length };
}

/** One line per SLO (two on a narrow screen): name, best guess, the interval on its scale, the limit, where it stands. */
export function sloLines(options: EvidenceOptions): readonly string[] {
  const { state, columns, paint } = options;
  const narrow = columns < NARROW_COLUMNS;
  const slos = mostUrgent(state.slos, Math.max(1, narrow ? Math.floor(options.max / 2) : options.max));
  const hidden = state.slos.length - slos.length;
  const more = hidden > 0 ? [paint("quiet", cutTo(`… and ${hidden} more, none of them more urgent`, columns))] : [];
  if (narrow) return [...slos.flatMap((slo) => narrowSlo(slo, columns, paint)), ...more];
  return [...sloTable(slos, columns, paint), ...more];
}

const URGENCY: Readonly<Record<SloJudgement["state"], number>> = { fail: 0, "no-data": 1, open: 2, pass: 3 };

/** All in their order if there is room; else the ones a person must see. */
function mostUrgent(slos: readonly SloJudgement[], max: number): readonly SloJudgement[] {
  if (slos.length <= max) return slos;
  return [...slos].sort((a, b) => URGENCY[a.state] - URGENCY[b.state]).slice(0, max);
}

function sloTable(slos: readonly SloJudgement[], columns: number, paint: Paint): readonly string[] {
  if (slos.length === 0) return [];
  const nameColumns = Math.min(26, Math.max(8, ...slos.map((slo) => textWidth(slo.name))));
  const limits = slos.map((slo) => describeLimitShort(slo.accepted, slo.unit));
  const limitColumns = Math.min(20, Math.max(8, ...limits.map(textWidth)));
  const barColumns = columns - nameColumns - limitColumns - 8 - STATE_COLUMNS - 4;
  const legend = "[━●━] measured  ├──┤ accepted";
  const heading = [fitTo("", nameColumns + 9), textWidth(legend) <= barColumns ? legend : legend.slice(0, 14)].join(
    " ",
  );
  const rows = slos.map((slo, i) =>
    [
      fitTo(slo.name, nameColumns),
      fitTo(slo.estimate === undefined ? "-" : describeSloDelta(slo, slo.estimate), 8, "right"),
      deltaBar(slo, barColumns, paint),
      fitTo(limits[i] ?? "", limitColumns),
      paint(STATE_TONE[slo.state], cutTo(stateText(slo), STATE_COLUMNS)),
    ].join(" "),
  );
  return [paint("quiet", heading.trimEnd()), ...rows];
}

function narrowSlo(slo: SloJudgement, columns: number, paint: Paint): readonly string[] {
  const state = cutTo(stateText(slo), STATE_COLUMNS);
  const name = fitTo(slo.name, columns - textWidth(state) - 1);
  const value = slo.estimate === undefined ? "-" : describeSloDelta(slo, slo.estimate);
  const bar = deltaBar(slo, Math.max(6, columns - 9), paint);
  return [
    `${name} ${paint(STATE_TONE[slo.state], state)}`,
    padTo(`${fitTo(value, 8, "right")} ${bar}`, columns).trimEnd(),
  ];
}

function stateText(slo: SloJudgement): string {
  const forecast = describeForecast(slo);
  if (forecast !== undefined) return `decided in ${forecast}`;
  return {
    pass: `✓ ${STATE_WORDS.pass}`,
    fail: `✗ ${STATE_WORDS.fail}`,
    open: "… measuring",
    "no-data": "… no data yet",
  }[slo.state];
}
