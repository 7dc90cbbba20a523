import type { Clock } from "../../core/clock.ts";
import type { SloJudgement } from "../../judge/verdict.ts";
import { abortLines } from "../abort-words.ts";
import { describeDuration, stopwatch } from "../amounts.ts";
import { PHASE_WORDS } from "../phase-words.ts";
import { withPlainText } from "../plain-text.ts";
import { POWER_FROM, powerLines } from "../power-words.ts";
import type { RunEvent, RunObserver } from "../run-event.ts";
import { describeForecast, sloWords } from "../slo-words.ts";
import { verdictAnnotation, withoutWorkflowCommands } from "../workflow-commands.ts";
import { finalBlock } from "./final-block.ts";
import type { ViewStream } from "./live-view.ts";
import { createPaint } from "./paint.ts";
import { shownLast, startWatching, type WatchedPlan, type WatchState, watch } from "./watch-state.ts";

export interface PlainViewOptions {
  readonly stream: Pick<ViewStream, "write">;
  readonly clock: Clock;
  readonly plan: WatchedPlan;
  /** Output is read by GitHub's runner: commands hidden in text are broken apart and the verdict becomes an annotation. */
  readonly githubActions: boolean;
}

/** Long stretches in which nothing is decided still say that they live, this often. */
const SIGN_OF_LIFE_EVERY_MS = 60_000;
/** Logs have no width; this is what most viewers show without scrolling. */
const COLUMNS = 100;

/** One line per phase, step and decision, with the time since the start; the final block when disposed. For logs and CI. */
export function createPlainView(options: PlainViewOptions): RunObserver & Disposable {
  const { clock } = options;
  const plan = withPlainText(options.plan);
  let state = startWatching(clock.monotonicMs());
  let lastLineMs = clock.monotonicMs();
  let closed = false;

  const print = (text: string): void => {
    const safe = options.githubActions ? withoutWorkflowCommands(text) : text;
    options.stream.write(`${safe}\n`);
  };
  const say = (text: string): void => {
    lastLineMs = clock.monotonicMs();
    print(`[${stopwatch(lastLineMs - state.startedMs).padStart(5)}] ${text}`);
  };
  const observe = (event: RunEvent): void => {
    const plain = withPlainText(event);
    const before = state;
    state = watch(state, plain, clock.monotonicMs());
    for (const line of eventLines(plain, before)) say(line);
    if (clock.monotonicMs() - lastLineMs >= SIGN_OF_LIFE_EVERY_MS) say(signOfLife(state));
  };
  const close = (): void => {
    if (closed) return;
    closed = true;
    if (state.ending === undefined) return;
    const block = finalBlock(
      { planName: plan.name, ...shownLast(state), ...state.ending },
      { columns: COLUMNS, paint: createPaint({ color: false }) },
    );
    print(`\n${block.join("\n")}`);
    if (options.githubActions) options.stream.write(`${verdictAnnotation(state.ending.verdict, plan.name)}\n`);
  };

  say(`canary: ${plan.name} - ${plan.intent}`);
  return Object.assign(observe, { [Symbol.dispose]: close });
}

function eventLines(event: RunEvent, before: WatchState): readonly string[] {
  switch (event.kind) {
    case "phase": {
      const expected = event.expectedMs === undefined ? "" : ` (about ${describeDuration(event.expectedMs)})`;
      return [`${PHASE_WORDS[event.phase]}${expected}`];
    }
    case "step": {
      const where = event.proof === "quiet" ? "quiet twin" : "under load";
      const detail = event.message === "" ? "" : `: ${event.message}`;
      return [`  ${event.actionId} ${event.state} (${where})${detail}`];
    }
    case "slos":
      return event.slos.flatMap((slo) =>
        decisionLine(
          slo,
          before.slos.find((other) => other.name === slo.name),
        ),
      );
    case "power": {
      const [first] = event.forecasts;
      const from = first === undefined ? "" : `, ${POWER_FROM[first.from]}`;
      return [`what this run can show${from}:`, ...powerLines(event.forecasts).map((line) => `  ${line}`)];
    }
    case "note":
      return [`  ${event.message}`];
    case "alarm":
      return [`  ! ${event.message}`];
    case "breach":
      return [`  ! ${event.name}: ${event.message}`];
    case "rolled-back":
      return [
        event.failed === undefined
          ? `  undone in ${describeDuration(event.undoMs)}`
          : `  ! not undone: ${event.failed.actionId}`,
      ];
    case "aborted":
      return abortLines(event.record, event.file);
    case "stopping":
    case "confirm-abort":
      return [];
    case "verdict":
      return [`verdict: ${event.verdict.kind}`];
    case "pulse":
      return [];
  }
}

/** An SLO is worth a line when its state is another one than before; the first "open" is not. */
function decisionLine(slo: SloJudgement, before: SloJudgement | undefined): readonly string[] {
  const unchanged = (before?.state ?? "open") === slo.state || (before === undefined && slo.state === "no-data");
  if (unchanged) return [];
  const words = sloWords(slo);
  return [`  ${slo.name} ${words.stateWord}: ${words.measured} (${words.interval}), accepted ${words.accepted}`];
}

function signOfLife(state: WatchState): string {
  const phase = state.phase === undefined ? "waiting" : PHASE_WORDS[state.phase.name];
  const decided = state.slos.filter((slo) => slo.state === "pass").length;
  const open = state.slos.flatMap((slo) => {
    const forecast = describeForecast(slo);
    return forecast === undefined ? [] : [`${slo.name} in ${forecast}`];
  });
  const progress = state.slos.length === 0 ? "" : `, ${decided} of ${state.slos.length} SLOs hold`;
  return `  still in ${phase}${progress}${open.length === 0 ? "" : `; to be decided: ${open.join(", ")}`}`;
}
