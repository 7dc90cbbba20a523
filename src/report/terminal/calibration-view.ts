import { createLogUpdate } from "log-update";
import type { Clock } from "../../core/clock.ts";
import type { Profile } from "../../judge/profile.ts";
import { describeDuration, stopwatch } from "../amounts.ts";
import type { CalibrationEvent, CalibrationObserver, CalibrationStage } from "../calibration-event.ts";
import { withPlainText } from "../plain-text.ts";
import { learnedWords } from "../profile-words.ts";
import { withoutWorkflowCommands } from "../workflow-commands.ts";
import type { ViewStream } from "./live-view.ts";
import { cutTo, fitTo, textWidth } from "./text-width.ts";

/** Names of stages for people. */
const STAGE_WORDS: Readonly<Record<CalibrationStage, string>> = {
  raise: "raise twins",
  "warm-up": "warm up",
  measure: "measure, twins alike",
  restart: "restart the shadow's services",
  settle: "settle",
  "measure-again": "measure after the restart",
  "tear-down": "tear down",
};

const COLUMNS_DEFAULT = 80;
const REDRAW_EVERY_MS = 500;

/** How far a calibration is. */
interface Progress {
  readonly rounds: number;
  readonly roundMs: number;
  readonly round: number;
  readonly stage: CalibrationStage;
}

/**
 * One line per stage, or on a terminal one line that changes; what was learned as a table in the end. Never throws.
 * @param live - whether the stream is a terminal that a line may be redrawn on
 */
export function createCalibrationView(options: {
  readonly stream: ViewStream;
  readonly clock: Clock;
  readonly live: boolean;
}): CalibrationObserver & Disposable {
  const { stream, clock, live } = options;
  const startedMs = clock.monotonicMs();
  const screen = live ? createLogUpdate(stream, { defaultWidth: COLUMNS_DEFAULT, defaultHeight: 24 }) : undefined;
  const closing = new AbortController();
  let progress: Progress = { rounds: 0, roundMs: 0, round: 0, stage: "raise" };
  const elapsed = (): string => stopwatch(clock.monotonicMs() - startedMs);
  const print = (text: string): void => {
    screen?.clear();
    stream.write(`${withoutWorkflowCommands(text)}\n`);
  };
  const draw = (): void => {
    const spentMs = clock.monotonicMs() - startedMs;
    screen?.(cutTo(`${elapsed()} ${progressLine(progress, spentMs)}`, (stream.columns ?? COLUMNS_DEFAULT) - 1));
  };
  const observe = (written: CalibrationEvent): void => {
    const event = withPlainText(written);
    switch (event.kind) {
      case "begin":
        progress = { ...progress, rounds: event.rounds, roundMs: event.roundMs };
        print(`${event.rounds} rounds, about ${describeDuration(event.rounds * event.roundMs)} in all`);
        break;
      case "stage":
        progress = { ...progress, round: event.round, stage: event.stage };
        if (!live) print(`[${elapsed().padStart(5)}] ${stageLine(progress, event.expectedMs)}`);
        break;
      case "note":
        if (!live) print(`[${elapsed().padStart(5)}]   ${event.message}`);
        break;
      case "learned":
        print(learnedLines(event.profile).join("\n"));
        break;
    }
  };
  if (live) void redrawUntilClosed(clock, closing.signal, draw);
  return Object.assign(observe, {
    [Symbol.dispose]: () => {
      closing.abort();
      screen?.clear();
      screen?.done();
    },
  });
}

/** What a profile says, as a table for people. */
export function learnedLines(profile: Profile): readonly string[] {
  const { rows, missing } = learnedWords(profile);
  const table = [
    ["SLO", "bias of a raise", "after a restart", "drift", "noise of a block", "block"],
    ...rows.map((row) => [row.name, row.bias, row.restart, row.drift, row.noise, row.suggested]),
  ];
  const widths = (table[0] ?? []).map((_, column) => Math.max(...table.map((row) => textWidth(row[column] ?? ""))));
  return [
    ...table.map((row) =>
      row
        .map((cell, column) => fitTo(cell, widths[column] ?? 0))
        .join("  ")
        .trimEnd(),
    ),
    ...missing.map((why) => `not learned: ${why}`),
    `Standard deviations, as large as they may well be (upper 90% limits from ${profile.rounds} rounds).`,
  ];
}

function stageLine({ round, rounds, stage }: Progress, expectedMs: number | undefined): string {
  const expected = expectedMs === undefined ? "" : ` (${describeDuration(expectedMs)})`;
  return `round ${round} of ${rounds}: ${STAGE_WORDS[stage]}${expected}`;
}

function progressLine(progress: Progress, spentMs: number): string {
  const allMs = progress.rounds * progress.roundMs;
  const left = allMs > spentMs ? `, about ${describeDuration(allMs - spentMs)} left` : "";
  return `${stageLine(progress, undefined)}${left}   Ctrl-C removes the twins`;
}

async function redrawUntilClosed(clock: Clock, signal: AbortSignal, draw: () => void): Promise<void> {
  while (!signal.aborted) {
    draw();
    await clock.sleep(REDRAW_EVERY_MS, signal).catch(() => undefined);
  }
}
