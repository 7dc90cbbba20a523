import type { Clock } from "../../core/clock.ts";
import { describeDuration, stopwatch } from "../amounts.ts";
import { withPlainText } from "../plain-text.ts";
import type { ViewStream } from "../terminal/live-view.ts";
import type { Paint } from "../terminal/paint.ts";
import { withoutWorkflowCommands } from "../workflow-commands.ts";
import { drillBlock } from "./drill-block.ts";
import type { DrillEvent, DrillObserver } from "./drill-report.ts";
import { RESULT_WORDS } from "./drill-words.ts";

/** One line per cell as it ends, with the time since the start; the matrix at the end. */
export function createDrillView(options: {
  readonly stream: Pick<ViewStream, "write">;
  readonly clock: Clock;
  readonly columns: number;
  readonly paint: Paint;
  readonly githubActions: boolean;
}): DrillObserver {
  const { clock, paint } = options;
  const startedMs = clock.monotonicMs();
  const print = (line: string): void =>
    void options.stream.write(`${options.githubActions ? withoutWorkflowCommands(line) : line}\n`);
  const say = (text: string): void => print(`[${stopwatch(clock.monotonicMs() - startedMs).padStart(5)}] ${text}`);
  return (event: DrillEvent) => {
    const plain = withPlainText(event);
    switch (plain.kind) {
      case "phase":
        return say(plain.message);
      case "note":
        return say(`  ${plain.message}`);
      case "cell":
        return say(cellLine(plain, paint));
      case "done":
        print("");
        for (const line of drillBlock(plain.report, { ...options, folder: plain.folder })) print(line);
    }
  };
}

function cellLine({ cell, title, number, of }: Extract<DrillEvent, { kind: "cell" }>, paint: Paint): string {
  const { word, tone } = RESULT_WORDS[cell.result];
  const reset = cell.reset.way === "none" ? "" : `, reset ${cell.reset.way} in ${describeDuration(cell.reset.tookMs)}`;
  const why = cell.result === "clean" ? "" : `: ${cell.reason}`;
  const place = `${title}, prefix ${cell.prefix}`;
  return `${String(number).padStart(3)}/${of} ${paint(tone, word.padEnd(4))} ${place} (${describeDuration(cell.tookMs)}${reset})${why}`;
}
