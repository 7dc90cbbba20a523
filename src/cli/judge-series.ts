import type { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import type { SeriesQuestion, SeriesSource } from "../run/compare-external.ts";
import { environmentValues, printJson, say } from "./options.ts";

/** Options of `canary judge` that are about series from elsewhere. */
export interface SeriesOptions {
  readonly json?: true;
  readonly explain?: true;
  readonly set: readonly string[];
  readonly slo: readonly string[];
  readonly series?: string;
  readonly prometheus?: string;
  readonly control?: string;
  readonly experiment?: string;
  readonly from?: string;
  readonly to?: string;
  readonly step?: string;
  readonly actedAt?: string;
  readonly bias?: string;
  readonly scenario?: string;
}

/** Adds the options that name series from elsewhere. */
export function withSeries(command: Command): Command {
  return command
    .option(
      "--series <file>",
      "compare series from elsewhere: CSV or JSON with time, control, experiment, perhaps phase",
    )
    .option("--prometheus <url>", "compare two range queries of this server; nothing else is contacted")
    .option("--control <query>", "query of the control; without --prometheus a file with its saved answer")
    .option("--experiment <query>", "query of the experiment; without --prometheus a file with its saved answer")
    .option("--from <instant>", "start of the range query, ISO 8601 or seconds since 1970")
    .option("--to <instant>", "end of the range query")
    .option("--step <seconds>", "step of the range query (15)")
    .option(
      "--acted-at <instant>",
      "when the change was made: rows before it show the sides' own difference, those of the next 30 s (settleSeconds) are left out",
    )
    .option("--bias <sd>", "without anything before the change: sd of the sides' own difference (5% or 0.1pp assumed)");
}

/** Whether the command line asks for series from elsewhere. */
export function isAboutSeries({ series, prometheus, control, experiment }: SeriesOptions): boolean {
  return [series, prometheus, control, experiment].some((option) => option !== undefined);
}

/** Options that only series have, and of those the ones that only a question to a server has. */
const OF_SERVER = ["from", "to", "step"] as const;
const OF_SERIES = ["actedAt", "bias", ...OF_SERVER] as const;

/**
 * An option that would change nothing is a misunderstanding, and an answer would hide it.
 * @throws CanaryError USAGE
 */
export function expectNoSeriesOptions(options: SeriesOptions): void {
  expectWithout(options, OF_SERIES, "a stored run");
}

function expectWithout(options: SeriesOptions, names: readonly (typeof OF_SERIES)[number][], what: string): void {
  const given = names.filter((name) => options[name] !== undefined);
  if (given.length === 0) return;
  const written = given.map((name) => (name === "actedAt" ? "--acted-at" : `--${name}`)).join(", ");
  throw usage(`${written} means nothing for ${what}`, "Leave it out; canary judge --help says what it belongs to.");
}

const EXIT_CODE_OF = { inside: EXIT_CODE.done, undecided: EXIT_CODE.hold, outside: EXIT_CODE.reject } as const;

/** Compares, prints, and sets the exit code: 0 inside, 10 undecided, 11 outside. */
export async function judgeSeries(runDir: string | undefined, options: SeriesOptions): Promise<void> {
  const [slo, ...more] = options.slo;
  if (runDir !== undefined) throw usage("a run and a series can not be judged at once", "Leave one of them out.");
  if (options.scenario !== undefined) {
    throw usage("--scenario means nothing for a series", "Leave it out; the limit is --slo 'latency<=+10%'.");
  }
  if (slo === undefined || more.length > 0) {
    throw usage("a series is compared with exactly one limit", "Add --slo 'latency<=+10%'.");
  }
  const question: SeriesQuestion = {
    source: sourceOf(options),
    slo,
    set: options.set,
    ...(options.actedAt === undefined ? {} : { actedAt: options.actedAt }),
    ...(options.bias === undefined ? {} : { bias: options.bias }),
  };
  const { compareExternal } = await import("../run/compare-external.ts");
  const comparison = await compareExternal(question);
  process.exitCode = EXIT_CODE_OF[comparison.answer];
  if (options.json === true) {
    const { explainComparison, lostWithoutPairs } = await import("../judge/explain-comparison.ts");
    const explained = options.explain === true ? { explanation: explainComparison(comparison) } : {};
    const lost = lostWithoutPairs(comparison);
    printJson({ kind: "comparison", signed: false, ...comparison, lost, ...explained, exitCode: process.exitCode });
    return;
  }
  const { comparisonBlock } = await import("../report/terminal/comparison-block.ts");
  const { createPaint, wantsColor } = await import("../report/terminal/paint.ts");
  const paint = createPaint({ color: wantsColor(process.stdout, environmentValues()) });
  const sized = { columns: process.stdout.columns ?? 100, paint, explain: options.explain === true };
  say(comparisonBlock(comparison, sized).join("\n"));
}

function sourceOf(options: SeriesOptions): SeriesSource {
  const { series, prometheus: url, control, experiment, from, to, step: stepSeconds = "15" } = options;
  if (url === undefined) expectWithout(options, OF_SERVER, "a series in a file");
  if (series !== undefined) {
    if ([url, control, experiment].every((other) => other === undefined)) return { kind: "file", file: series };
    throw usage("--series stands alone", "Leave out --prometheus, --control and --experiment.");
  }
  if (control === undefined || experiment === undefined) {
    throw usage("a comparison has two sides", "Give both --control and --experiment.");
  }
  if (url === undefined) return { kind: "answers", control, experiment };
  if (from === undefined || to === undefined) {
    throw usage("--prometheus needs a stretch of time", "Add --from and --to, as 2026-11-23T10:00:00Z.");
  }
  return { kind: "prometheus", url, control, experiment, from, to, stepSeconds };
}

function usage(message: string, hint: string): CanaryError {
  return new CanaryError({ code: "USAGE", message, hint });
}
