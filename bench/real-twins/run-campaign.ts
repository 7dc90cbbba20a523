// Runs the judge on real twins with harm of known size, and writes the table of how every run ended.
// Usage: npm run bench:real-twins -- [--runs 30] [--rates 60,120] [--seconds 32] [--minutes 40] [--turns 6] [--judge-only]

import { readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { cpus } from "node:os";
import path from "node:path";
import { argv, stdout } from "node:process";
import { parseArgs } from "node:util";
import { abortOnSignals, systemClock } from "../../src/cli/system.ts";
import { messageOf } from "../../src/core/errors.ts";
import { loadMirror } from "../../src/mirror/compose/load-mirror.ts";
import { parseScenario } from "../../src/run/scenario.ts";
import { judgeSession } from "./judge-session.ts";
import { playSession } from "./play-session.ts";
import { readTable } from "./rebase.ts";
import { resultsPage } from "./results-page.ts";
import { type Lengths, lengthsAt, TRUTHS, turnSeconds } from "./schedule.ts";
import { readSessions, saveRuns } from "./session-file.ts";

const SCENARIO = "scenarios/scale-batch-workers.yaml";
/** Raising, warming up and what is learned from a first harm, s; the first baseline comes on top. */
const OPENING_SECONDS = 20 + 15 + 30;

const { values: asked } = parseArgs({
  args: argv.slice(2),
  options: {
    runs: { type: "string", default: "30" },
    rates: { type: "string", default: "60,120" },
    /** Of a harmed stretch; as many as its rate asks for if absent. */
    seconds: { type: "string" },
    minutes: { type: "string", default: "40" },
    /** Turns of all harms in one raise of the twins; as many as give every rate one raise if absent. */
    turns: { type: "string" },
    seed: { type: "string", default: "20261123" },
    /** Where sessions are kept and taken up again. */
    out: { type: "string", default: "reports/real-twins" },
    page: { type: "string", default: "bench/real-twins/RESULTS.md" },
    "judge-only": { type: "boolean", default: false },
  },
});
const wantedRuns = Number(asked.runs);
const rates = asked.rates.split(",").map(Number);
/** Of a raise, so that one that fails costs no more than 40 minutes, and the bias of the twins is drawn again. */
const TURNS_MAX = 13;
const say = (line: string): void => void stdout.write(`${line}\n`);

const scenario = parseScenario(readFileSync(SCENARIO, "utf8"), SCENARIO);
const baseDir = path.resolve(path.dirname(SCENARIO));

/** Seconds of a raise of the twins with so many turns. */
function raiseSeconds(rate: number, turns: number): number {
  const lengths = lengthsOf(rate);
  return OPENING_SECONDS + lengths.baseline + turns * turnSeconds(lengths);
}

function lengthsOf(rate: number): Lengths {
  return lengthsAt(rate, asked.seconds === undefined ? undefined : Number(asked.seconds));
}

/** The most turns with which every one of these rates has its raise in time. */
function turnsThatFit(seconds: number, rates: readonly number[]): number {
  for (let turns = TURNS_MAX; turns > 0; turns--) {
    if (rates.reduce((sum, rate) => sum + raiseSeconds(rate, turns), 0) <= seconds) return turns;
  }
  return 0;
}

function trafficAt(ratePerSecond: number): typeof scenario.traffic {
  return { ...scenario.traffic, ratePerSecond };
}

/** Judges the sessions that were not judged yet, and writes the page of all. */
async function judgeAndWrite(): Promise<ReadonlyMap<number, number>> {
  for (const { folder, session, runs } of await readSessions(asked.out)) {
    if (runs !== undefined) continue;
    const table = await readTable(folder).catch((error: unknown) => {
      say(`${folder} can not be read and is left out: ${messageOf(error)}`);
      return undefined;
    });
    await saveRuns(folder, table === undefined ? [] : judgeSession(session, table, trafficAt(session.ratePerSecond)));
  }
  const sessions = await readSessions(asked.out);
  const runs = sessions.flatMap((session) => session.runs ?? []);
  await writeFile(
    asked.page,
    resultsPage(
      sessions.map(({ session }) => session),
      runs,
    ),
  );
  const fewest = (rate: number): number =>
    Math.min(...TRUTHS.map((truth) => runs.filter((run) => run.truth === truth && run.ratePerSecond === rate).length));
  return new Map(rates.map((rate) => [rate, fewest(rate)]));
}

/** The rate that has the fewest runs so far; undefined when all have enough. */
function nextRate(done: ReadonlyMap<number, number>): number | undefined {
  return [...done].filter(([, runs]) => runs < wantedRuns).toSorted(([, a], [, b]) => a - b)[0]?.[0];
}

const startedMs = systemClock.monotonicMs();
const leftSeconds = (): number => Number(asked.minutes) * 60 - (systemClock.monotonicMs() - startedMs) / 1000;
using stop = abortOnSignals(say);
await mkdir(asked.out, { recursive: true });
let done = await judgeAndWrite();
const turnsEach = Number(asked.turns ?? Math.max(1, turnsThatFit(leftSeconds(), rates)));
for (const rate of rates) {
  const { harmed, baseline } = lengthsOf(rate);
  say(
    `${rate}/s: ${harmed} s a run against ${baseline} s, a raise with ${turnsEach} runs of each harm takes ${raiseSeconds(rate, turnsEach)} s`,
  );
}
const roundSeconds = rates.reduce((sum, rate) => sum + raiseSeconds(rate, turnsEach), 0);
say(
  `about ${Math.floor((turnsEach * leftSeconds()) / roundSeconds)} runs of each harm at each rate in ${asked.minutes} min`,
);
for (let number = 0; !asked["judge-only"] && !stop.signal.aborted; number++) {
  const rate = nextRate(done);
  if (rate === undefined) break;
  const turns = Math.min(turnsEach, turnsThatFit(leftSeconds(), [rate]), wantedRuns - (done.get(rate) ?? 0));
  if (turns < 1) break;
  const seed = Number(asked.seed) + (await readSessions(asked.out)).length;
  say(`session ${number + 1}: ${rate} requests a second, ${turns} turns, seed ${seed}`);
  const name = `${new Date(systemClock.epochMs()).toISOString().replaceAll(/[-:.]/g, "").slice(0, 15).toLowerCase()}-${rate}`;
  const spec = await loadMirror({ path: path.resolve(baseDir, scenario.mirror), environment: {} });
  const [cpu] = cpus();
  const machine = `${cpus().length} x ${cpu?.model.trim() ?? "unknown"}`;
  const order = {
    folder: path.join(asked.out, name),
    spec,
    traffic: trafficAt(rate),
    baseDir,
    seed,
    turns,
    lengths: lengthsOf(rate),
    machine,
    say,
    signal: stop.signal,
  };
  await playSession(order).catch((error: unknown) => say(`the session ended early: ${messageOf(error)}`));
  done = await judgeAndWrite();
  say([...done].map(([each, runs]) => `${each}/s: ${runs} of ${wantedRuns}`).join(", "));
}
say(`written: ${asked.page}`);
