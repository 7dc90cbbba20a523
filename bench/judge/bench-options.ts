import { parseArgs } from "node:util";
import { CanaryError } from "../../src/core/errors.ts";
import type { Row } from "./row.ts";

/** What the bench was asked for. */
export interface BenchOptions {
  readonly quick: boolean;
  readonly json: boolean;
  readonly help: boolean;
  /** Keeps rows that were already measured by this very code. */
  readonly resume: boolean;
  /** Writes what was measured into the results although only some rows or runs were asked for. */
  readonly write: boolean;
  readonly rows: readonly string[];
  readonly workers: number | undefined;
  readonly runs: number | undefined;
}

/** Text of `--help`. */
export const BENCH_HELP = `npm run bench:judge -- [options]

Plays simulated runs of two twins against the judge and against the rules of others, and counts how they end.

  (none)         every row with all its runs; writes bench/judge/results.json and RESULTS.md
  --quick        cheap rows, at most five minutes on two cores; exits 1 when a bound is clearly broken, writes nothing
  --row <part>   only rows whose id contains this; may be given several times
  --runs <n>     so many runs of each row instead of its own number
  --write        with --row or --runs: writes what was measured into the results all the same
  --resume       keeps what is in the results and was measured by this very judge, measures and simulator
  --workers <n>  threads; as many as there are cores unless told otherwise
  --page         writes RESULTS.md anew from the results, without a run
  --json         the counts as JSON on standard output
  --list         the ids of all rows
`;

/** Reads the command line. @throws CanaryError USAGE for anything else than the help says */
export function parseBenchOptions(
  args: readonly string[],
): BenchOptions & { readonly list: boolean; readonly page: boolean } {
  const { values } = parseBench(args);
  const count = (name: "workers" | "runs"): number | undefined => {
    const text = values[name];
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isInteger(value) && value >= 1 && value <= 1e6) return value;
    throw usage(`--${name} takes a whole number of at least 1, not "${text}"`, undefined);
  };
  return {
    quick: values.quick ?? false,
    json: values.json ?? false,
    help: values.help ?? false,
    list: values.list ?? false,
    page: values.page ?? false,
    resume: values.resume ?? false,
    write: values.write ?? false,
    rows: values.row ?? [],
    workers: count("workers"),
    runs: count("runs"),
  };
}

function parseBench(args: readonly string[]) {
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: flag,
        json: flag,
        help: flag,
        list: flag,
        page: flag,
        resume: flag,
        write: flag,
        row: { type: "string", multiple: true },
        workers: { type: "string" },
        runs: { type: "string" },
      },
    });
  } catch (cause) {
    throw usage(cause instanceof Error ? cause.message : "unreadable options", cause);
  }
}

function usage(message: string, cause: unknown): CanaryError {
  return new CanaryError({ code: "USAGE", message, hint: "npm run bench:judge -- --help", cause });
}

/** The rows that were asked for. @throws CanaryError USAGE when there is none */
export function chosenRows(all: readonly Row[], options: BenchOptions): readonly Row[] {
  const chosen = all.filter(
    (row) =>
      (options.rows.length === 0 || options.rows.some((part) => row.id.includes(part))) &&
      (!options.quick || row.quickRuns !== undefined),
  );
  if (chosen.length === 0) throw usage(`no row is called like ${options.rows.join(", ")}`, undefined);
  return chosen;
}
