import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { CanaryError } from "../../src/core/errors.ts";
import { BENCH_HELP, type BenchOptions, chosenRows, parseBenchOptions } from "./bench-options.ts";
import { type Broken, brokenInFull, brokenInQuick, QUICK_FALSE_ALARM } from "./check-bounds.ts";
import { codeDigest } from "./code-digest.ts";
import { machineFacts } from "./machine-facts.ts";
import { playRows } from "./play-rows.ts";
import { resultsPage } from "./results-page.ts";
import { FIRST_SEED, type Row } from "./row.ts";
import { rowLine } from "./row-line.ts";
import { definitionOf, readResults, type StoredRow, storedRow, writeResults } from "./stored-results.ts";
import { ALL_ROWS } from "./tables/all-rows.ts";
import { NO_RUNS, type Tally } from "./tally.ts";

// npm run bench:judge: see --help. The page is for people, results.json for whoever wants to count again.

const PAGE_FILE = fileURLToPath(new URL("./RESULTS.md", import.meta.url));

const PROGRESS_MS = 15_000;

const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function main(): Promise<number> {
  const options = parseBenchOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(BENCH_HELP);
  else if (options.list) process.stdout.write(`${ALL_ROWS.map((row) => row.id).join("\n")}\n`);
  else if (options.page) {
    const results = readResults();
    if (results !== undefined) writeFileSync(PAGE_FILE, resultsPage(ALL_ROWS, results));
  } else return await bench(options);
  return 0;
}

async function bench(options: BenchOptions): Promise<number> {
  const rows = chosenRows(ALL_ROWS, options);
  const runsOf = (row: Row): number => options.runs ?? (options.quick ? (row.quickRuns ?? 0) : row.runs);
  const record = openRecord(rows, options);
  const todo = rows.filter((row) => !options.resume || !record.has(row));
  const startMs = performance.now();
  let saidMs = startMs;
  const tallies = await playRows(todo, {
    runsOf,
    workers: options.workers ?? availableParallelism(),
    onProgress: ({ share, completed }) => {
      for (const { row, tally } of completed) if (!options.json) say(rowLine(row, tally));
      record.add(completed);
      if (performance.now() - saidMs < PROGRESS_MS) return;
      saidMs = performance.now();
      const seconds = (saidMs - startMs) / 1000;
      const left = seconds / share - seconds;
      say(`  ${(100 * share).toFixed(0)}% after ${seconds.toFixed(0)} s, about ${left.toFixed(0)} s to go`);
    },
  });
  if (options.json) process.stdout.write(`${JSON.stringify(Object.fromEntries(tallies), undefined, 2)}\n`);
  return conclude(todo, tallies, options, (performance.now() - startMs) / 1000);
}

/** What is in the results so far; written after every row, so that a run that is stopped can be taken up again. */
function openRecord(chosen: readonly Row[], options: BenchOptions) {
  const isPart = options.rows.length > 0 || options.runs !== undefined;
  const isWritten = !options.quick && (!isPart || options.write);
  const date = new Date().toISOString().slice(0, 10);
  const stored = isWritten && (options.resume || isPart) ? readResults() : undefined;
  const kept = new Map(Object.entries(stored?.rows ?? {}));
  const ofNow = new Map(ALL_ROWS.map((row) => [row.id, row]));
  const isChosen = new Set(chosen.map((row) => row.id));
  for (const [id, { definition, code, tally }] of kept) {
    const row = ofNow.get(id);
    const isStale = row === undefined || definitionOf(row) !== definition;
    const isOutdated = row === undefined || code !== codeDigest(row.judge) || tally.runs < row.runs;
    if (isStale || (isChosen.has(id) && isOutdated)) kept.delete(id);
  }
  const write = (): void => {
    const known = ALL_ROWS.flatMap((row): [string, StoredRow][] => {
      const one = kept.get(row.id);
      return one === undefined ? [] : [[row.id, one]];
    });
    const results = {
      schema: "canary.bench-judge/v1",
      firstSeed: FIRST_SEED,
      machine: machineFacts(),
      rows: Object.fromEntries(known),
    } as const;
    writeResults(results);
    writeFileSync(PAGE_FILE, resultsPage(ALL_ROWS, results));
  };
  return {
    has: (row: Row): boolean => kept.has(row.id),
    add: (completed: readonly { readonly row: Row; readonly tally: Tally }[]): void => {
      for (const { row, tally } of completed) kept.set(row.id, storedRow(row, tally, date));
      if (isWritten && completed.length > 0) write();
    },
  };
}

function conclude(
  rows: readonly Row[],
  tallies: ReadonlyMap<string, Tally>,
  options: BenchOptions,
  seconds: number,
): number {
  const bounds = rows.filter((row) => row.keeps !== undefined && row.noEvidence === undefined);
  const chance = QUICK_FALSE_ALARM / Math.max(1, bounds.length);
  const isQuick = options.quick || options.runs !== undefined;
  const broken = bounds.flatMap((row): readonly Broken[] => {
    const tally = tallies.get(row.id) ?? NO_RUNS;
    return isQuick ? brokenInQuick(row, tally, chance) : brokenInFull(row, tally);
  });
  const runs = [...tallies.values()].reduce((total, tally) => total + tally.runs, 0);
  say(`${runs} runs of ${rows.length} rows in ${seconds.toFixed(0)} s, seeds from ${FIRST_SEED}`);
  for (const { row, message } of broken) say(`BROKEN ${row.id}: ${message}`);
  say(broken.length === 0 ? `all ${bounds.length} bounds hold` : `${broken.length} of ${bounds.length} bounds broken`);
  return broken.length === 0 ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CanaryError)) throw error;
  say(`${error.message}\n${error.hint}`);
  process.exitCode = error.exitCode;
}
