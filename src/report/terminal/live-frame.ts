import { stopwatch } from "../amounts.ts";
import { PHASE_WORDS } from "../phase-words.ts";
import { powerLines } from "../power-words.ts";
import { PHASES, type Phase } from "../run-event.ts";
import { sloLines, stepLines } from "./live-evidence.ts";
import { twinLines } from "./live-twins.ts";
import type { Paint } from "./paint.ts";
import { cutTo, flow, textWidth, wrapWords } from "./text-width.ts";
import type { WatchedPlan, WatchState } from "./watch-state.ts";

/** What a frame is drawn from and where. */
export interface FrameOptions {
  readonly plan: WatchedPlan;
  readonly state: WatchState;
  /** Monotonic. */
  readonly nowMs: number;
  readonly columns: number;
  readonly rows: number;
  readonly paint: Paint;
  /** Whether keys are read: elsewhere only signals abort. */
  readonly takesKeys?: boolean;
}

const COLUMNS_MAX = 120;
/** Lines of everything but SLOs and steps on a usual terminal. */
const OTHER_LINES = 18;
const STEPS_MAX = 5;
/** Long enough to read twice; then the phase says what goes on. */
const NOTE_STAYS_MS = 20_000;

/** The live picture as lines, none wider than `columns`, not more than `rows`; the most urgent parts stay when room is short. */
export function liveFrame(options: FrameOptions): readonly string[] {
  const columns = Math.max(20, Math.min(options.columns, COLUMNS_MAX));
  const sized = { ...options, columns };
  const sloMax = Math.max(3, options.rows - OTHER_LINES - Math.min(STEPS_MAX, options.plan.actions.length));
  // In order of what an on-call person needs when the window is small; drawn in order of `place`.
  const blocks = [
    { place: 0, lines: header(sized) },
    { place: 0.5, lines: alarmLines(sized) },
    { place: 4, lines: sized.state.slos.length > 0 ? sloLines({ ...sized, max: sloMax }) : forecastLines(sized) },
    { place: 6, lines: keyLines(sized) },
    { place: 2, lines: twinLines(sized) },
    { place: 1, lines: phaseLines(sized) },
    { place: 3, lines: stepLines({ ...sized, max: STEPS_MAX }) },
    { place: 5, lines: noteLines(sized) },
  ].filter((block) => block.lines.length > 0);
  const kept: { place: number; lines: readonly string[] }[] = [];
  let left = options.rows - 1;
  for (const block of blocks) {
    const needed = block.lines.length + (kept.length === 0 ? 0 : 1);
    if (needed > left) continue;
    left -= needed;
    kept.push(block);
  }
  kept.sort((a, b) => a.place - b.place);
  return kept.flatMap((block, i) => (i === 0 ? block.lines : ["", ...block.lines]));
}

function header({ plan, state, nowMs, columns, paint }: FrameOptions): readonly string[] {
  const elapsed = stopwatch(nowMs - state.startedMs);
  const title = cutTo(`canary  ${plan.name}`, columns - elapsed.length - 2);
  const gap = " ".repeat(Math.max(2, columns - textWidth(title) - elapsed.length));
  const doing = state.phase === undefined ? "" : currentPhase(state.phase, nowMs);
  return [
    paint("strong", title) + gap + paint("quiet", elapsed),
    cutTo(plan.intent, columns),
    ...(doing === "" ? [] : [paint("strong", cutTo(doing, columns))]),
  ];
}

function currentPhase(phase: NonNullable<WatchState["phase"]>, nowMs: number): string {
  const spentMs = nowMs - phase.startedMs;
  const name = `▸ ${PHASE_WORDS[phase.name]}`;
  if (phase.expectedMs === undefined) return `${name}  ${stopwatch(spentMs)}`;
  const leftMs = phase.expectedMs - spentMs;
  return leftMs > 0
    ? `${name}  ${stopwatch(leftMs + 999)} left of ${stopwatch(phase.expectedMs)}`
    : `${name}  ${stopwatch(-leftMs)} longer than expected`;
}

function phaseLines({ state, columns, paint }: FrameOptions): readonly string[] {
  const current = state.phase?.name;
  const mark = (phase: Phase): string => {
    if (phase === current) return paint("strong", `▸ ${PHASE_WORDS[phase]}`);
    return state.phasesSeen.includes(phase)
      ? `${paint("good", "✓")} ${PHASE_WORDS[phase]}`
      : paint("quiet", `○ ${PHASE_WORDS[phase]}`);
  };
  // Only in runs that do it; a phase that will not come must not look as if it were still to come.
  const shown: readonly Phase[] = PHASES.flatMap((phase): readonly Phase[] =>
    phase === "judge" && state.phasesSeen.includes("sensitivity") ? ["sensitivity", phase] : [phase],
  );
  return flow(shown.map(mark), columns);
}

/** Why the plan is being undone; nothing else matters as much to whoever watches. */
function alarmLines({ state, columns, paint }: FrameOptions): readonly string[] {
  const said = [...(state.alarm === undefined ? [] : [state.alarm]), ...state.breaches];
  return said.flatMap((text) => wrapWords(`✗ ${text}`, columns)).map((line) => paint("bad", line));
}

/** What a person can do: abort, by a key that asks again, or at once. */
function keyLines({ state, takesKeys, columns, paint }: FrameOptions): readonly string[] {
  if (state.asksAbort) return [paint("bad", cutTo("Abort this run and roll back? y: yes, n: no", columns))];
  const keys = takesKeys === true ? "a or Ctrl-C aborts and rolls back" : "Ctrl-C aborts and rolls back";
  return [paint("quiet", cutTo(keys, columns))];
}

/** What to expect, while there is nothing to look at. */
function forecastLines({ state, columns, paint }: FrameOptions): readonly string[] {
  const lines = state.power === undefined || state.power.length === 0 ? [] : powerLines(state.power);
  return lines.map((line, i) => (i === 0 ? paint("quiet", cutTo(line, columns)) : cutTo(line, columns)));
}

function noteLines({ state, nowMs, columns, paint }: FrameOptions): readonly string[] {
  const { note } = state;
  return note === undefined || nowMs - note.saidMs > NOTE_STAYS_MS ? [] : [paint("quiet", cutTo(note.text, columns))];
}
