// How long `canary --help` takes from the compiled package, beside an empty Node process, in turns in one run.
import { execFileSync } from "node:child_process";
import { execPath, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { compiledPackage } from "../compiled-package.ts";

const ROUNDS = 15;
using compiled = compiledPackage();
const timed = (args: readonly string[]): number => {
  const startMs = systemClock.monotonicMs();
  execFileSync(execPath, args, { cwd: compiled.folder });
  return systemClock.monotonicMs() - startMs;
};
const rounds = Array.from({ length: ROUNDS }, () => ({
  help: timed([compiled.canary, "--help"]),
  empty: timed(["-e", "0"]),
}));
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const help = median(rounds.map((round) => round.help));
const empty = median(rounds.map((round) => round.empty));
stdout.write(
  `canary --help, compiled: ${help.toFixed(0)} ms; an empty Node: ${empty.toFixed(0)} ms (medians of ${ROUNDS})\n`,
);
