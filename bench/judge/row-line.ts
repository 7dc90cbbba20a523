import { exactLimits } from "./chances.ts";
import { percent } from "./check-bounds.ts";
import type { Row } from "./row.ts";
import { secondsOf, type Tally } from "./tally.ts";

/** One row on a terminal. */
export function rowLine(row: Row, tally: Tally): string {
  const { mean, median } = secondsOf(tally);
  const seconds = `${mean.toFixed(0)} s (median ${median} s)`;
  return `${row.id.padEnd(52)} ${endings(tally).padEnd(24)} ${seconds}, ${tally.runs} runs`;
}

/** Promoted / rejected / held in percent. */
export function endings({ promote, reject, hold, runs }: Tally): string {
  return [promote, reject, hold].map((count) => percent(count / runs)).join(" / ");
}

/** `0.25% (5 of 2000, at most 0.62%)`: count, share and the exact one-sided 99% upper limit. */
export function shareText(count: number, runs: number): string {
  const upper = exactLimits(count, runs, 0.98).hi;
  return `${percent(count / runs)} (${count} of ${runs}, at most ${percent(upper)})`;
}
