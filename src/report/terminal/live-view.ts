import { createLogUpdate } from "log-update";
import type { Clock } from "../../core/clock.ts";
import { abortLines } from "../abort-words.ts";
import { withPlainText } from "../plain-text.ts";
import type { RunEvent, RunObserver } from "../run-event.ts";
import { finalBlock } from "./final-block.ts";
import { liveFrame } from "./live-frame.ts";
import { createPaint } from "./paint.ts";
import { shownLast, startWatching, type WatchedPlan, watch } from "./watch-state.ts";

/** A terminal as the view needs it; `process.stdout` is one. */
export type ViewStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export interface LiveViewOptions {
  readonly stream: ViewStream;
  readonly clock: Clock;
  readonly plan: WatchedPlan;
  /** `wantsColor(stream, environment)`. */
  readonly color: boolean;
  /** Whether keys are read beside it (`abortOnKeys`). */
  readonly takesKeys?: boolean;
}

const REDRAW_EVERY_MS = 200;
const COLUMNS_DEFAULT = 80;
const ROWS_DEFAULT = 24;

/**
 * A picture of the run that redraws itself in place, at most five times a second. Disposing stops it, gives the cursor back
 * and leaves the final block, or the last picture where the run ended without an answer.
 */
export function createLiveView(options: LiveViewOptions): RunObserver & Disposable {
  const { stream, clock } = options;
  const plan = withPlainText(options.plan);
  const paint = createPaint({ color: options.color });
  const screen = createLogUpdate(stream, { defaultWidth: COLUMNS_DEFAULT, defaultHeight: ROWS_DEFAULT });
  const takesKeys = options.takesKeys === true;
  const columns = (): number => stream.columns ?? COLUMNS_DEFAULT;
  const closing = new AbortController();
  let state = startWatching(clock.monotonicMs());

  const draw = (): void => {
    const rows = stream.rows ?? ROWS_DEFAULT;
    screen(
      liveFrame({ plan, state, nowMs: clock.monotonicMs(), columns: columns(), rows, paint, takesKeys }).join("\n"),
    );
  };
  const observe = (event: RunEvent): void => {
    state = watch(state, withPlainText(event), clock.monotonicMs());
  };
  const close = (): void => {
    if (closing.signal.aborted) return;
    closing.abort();
    if (state.aborted !== undefined) {
      const { record, file } = state.aborted;
      screen.clear();
      const lines = abortLines(record, file);
      stream.write(`${lines.map((line) => paint(line.startsWith("!") ? "bad" : "strong", line)).join("\n")}\n`);
    } else if (state.ending === undefined) {
      draw();
    } else {
      const block = finalBlock(
        { planName: plan.name, ...shownLast(state), ...state.ending },
        { columns: columns(), paint },
      );
      // Written past log-update, which would wrap the paths that people copy.
      screen.clear();
      stream.write(`${block.join("\n")}\n`);
    }
    screen.done();
  };

  void redrawUntilClosed(clock, closing.signal, draw);
  return Object.assign(observe, { [Symbol.dispose]: close });
}

/** Draws on a beat of its own, so that the countdown moves while nothing happens and a burst of events costs one drawing. */
async function redrawUntilClosed(clock: Clock, signal: AbortSignal, draw: () => void): Promise<void> {
  while (!signal.aborted) {
    draw();
    // Rejects only when the view closes, which the loop's condition sees.
    await clock.sleep(REDRAW_EVERY_MS, signal).catch(() => undefined);
  }
}
