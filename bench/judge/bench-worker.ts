import { parentPort } from "node:worker_threads";
import { playRun } from "./row-groups.ts";
import { ALL_ROWS } from "./tables/all-rows.ts";
import { type Tally, tallyOf } from "./tally.ts";

/** A stretch of runs of rows that share their streams. */
export interface BenchTask {
  readonly rowIds: readonly string[];
  readonly fromRun: number;
  readonly toRun: number;
}

/** What became of it, row by row. */
export interface BenchAnswer {
  readonly tallies: Readonly<Record<string, Tally>>;
}

const rowsById = new Map(ALL_ROWS.map((row) => [row.id, row]));

parentPort?.on("message", ({ rowIds, fromRun, toRun }: BenchTask) => {
  const rows = rowIds.flatMap((id) => rowsById.get(id) ?? []);
  const runs = Array.from({ length: toRun - fromRun }, (_, i) => playRun(rows, fromRun + i));
  const tallies = Object.fromEntries(rows.map((row, i) => [row.id, tallyOf(runs.flatMap((run) => run[i] ?? []))]));
  const answer: BenchAnswer = { tallies };
  parentPort?.postMessage(answer);
});
