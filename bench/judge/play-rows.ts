import { Worker } from "node:worker_threads";
import type { BenchAnswer, BenchTask } from "./bench-worker.ts";
import type { Row } from "./row.ts";
import { groupRows } from "./row-groups.ts";
import { added, NO_RUNS, type Tally } from "./tally.ts";

/** Runs handed to a worker at once: small enough for progress and even ends. */
const RUNS_A_TASK = 10;

/** Called when something has been counted: how much of all is done, 0..1, and the rows that are complete by now. */
export interface PlayProgress {
  readonly share: number;
  readonly completed: readonly { readonly row: Row; readonly tally: Tally }[];
}

/** Plays the rows on so many threads. @throws whatever a worker throws */
export async function playRows(
  rows: readonly Row[],
  options: {
    readonly runsOf: (row: Row) => number;
    readonly workers: number;
    readonly onProgress: (progress: PlayProgress) => void;
  },
): Promise<ReadonlyMap<string, Tally>> {
  const { runsOf } = options;
  const tasks = groupRows(rows, runsOf).flatMap(({ rows: members, runs }) => tasksOf(members, runs, runsOf));
  const tallies = new Map<string, Tally>(rows.map((row) => [row.id, NO_RUNS]));
  const byId = new Map(rows.map((row) => [row.id, row]));
  let [next, done] = [0, 0];
  const count = ({ tallies: counted }: BenchAnswer): void => {
    done++;
    const completed = Object.entries(counted).flatMap(([id, tally]) => {
      const row = byId.get(id);
      const sum = added(tallies.get(id) ?? NO_RUNS, tally);
      tallies.set(id, sum);
      return row !== undefined && sum.runs >= runsOf(row) ? [{ row, tally: sum }] : [];
    });
    options.onProgress({ share: done / tasks.length, completed });
  };
  await Promise.all(
    Array.from({ length: Math.min(options.workers, tasks.length) }, () => work(() => tasks[next++], count)),
  );
  return tallies;
}

function tasksOf(rows: readonly Row[], runs: number, runsOf: (row: Row) => number): readonly BenchTask[] {
  const tasks: BenchTask[] = [];
  // Every change of who still takes part ends a task, so that each one has the same rows from its first run to its last.
  const ends = [...new Set(rows.map(runsOf))];
  for (let fromRun = 0; fromRun < runs; ) {
    const toRun = Math.min(fromRun + RUNS_A_TASK, ...ends.filter((end) => end > fromRun));
    tasks.push({ rowIds: rows.filter((row) => runsOf(row) > fromRun).map((row) => row.id), fromRun, toRun });
    fromRun = toRun;
  }
  return tasks;
}

function work(next: () => BenchTask | undefined, count: (answer: BenchAnswer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./bench-worker.ts", import.meta.url));
    const feed = (): void => {
      const task = next();
      if (task === undefined) worker.terminate().then(() => resolve(), reject);
      else worker.postMessage(task);
    };
    worker.on("error", reject);
    worker.on("message", (answer: BenchAnswer) => {
      count(answer);
      feed();
    });
    feed();
  });
}
