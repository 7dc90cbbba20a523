// How long `canary --help` takes from the compiled package, beside an empty Node process, in turns in one run.
import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { execPath, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";

const ROUNDS = 15;
const folder = mkdtempSync(path.join(tmpdir(), "canary-help-"));
try {
  execFileSync(path.join("node_modules", ".bin", "tsc"), [
    "-p",
    "tsconfig.build.json",
    "--outDir",
    path.join(folder, "dist"),
  ]);
  for (const part of ["bin", "package.json"]) cpSync(part, path.join(folder, part), { recursive: true });
  symlinkSync(path.resolve("node_modules"), path.join(folder, "node_modules"));
  const timed = (args: readonly string[]): number => {
    const startMs = systemClock.monotonicMs();
    execFileSync(execPath, args, { cwd: folder });
    return systemClock.monotonicMs() - startMs;
  };
  const rounds = Array.from({ length: ROUNDS }, () => ({
    help: timed(["bin/canary.js", "--help"]),
    empty: timed(["-e", "0"]),
  }));
  const median = (values: readonly number[]): number =>
    values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const help = median(rounds.map((round) => round.help));
  const empty = median(rounds.map((round) => round.empty));
  stdout.write(
    `canary --help, compiled: ${help.toFixed(0)} ms; an empty Node: ${empty.toFixed(0)} ms (medians of ${ROUNDS})\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
