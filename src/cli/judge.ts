import { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import type { Explanation } from "../judge/explain.ts";
import type { WhatIf } from "../run/rejudge.ts";
import { expectNoSeriesOptions, isAboutSeries, judgeSeries, type SeriesOptions, withSeries } from "./judge-series.ts";
import { environmentValues, printJson, say, withJson } from "./options.ts";

interface JudgeOptions {
  readonly json?: true;
  readonly explain?: true;
  readonly set: readonly string[];
  readonly slo: readonly string[];
  readonly scenario?: string;
  readonly key?: string;
}

type AllOptions = JudgeOptions & SeriesOptions;

/** `canary judge`: the stored measurements of a run, judged again, also under other terms; or series from elsewhere. */
export function judgeCommand(): Command {
  const command = withJson(new Command("judge"))
    .description(
      "Judge a stored run again, or series that somebody else measured; nothing is raised, replayed or signed.",
    )
    .argument("[run]", "folder of a run, reports/<run>")
    .option(
      "--explain",
      "add the chain of reasoning: what was asked, measured, left out, corrected, and why this answer",
    )
    .option("--set <limit=value>", "judge with another limit of the scenario's judge block (repeatable)", collect)
    .option("--slo <name=range>", "judge with another limit of one SLO (repeatable)", collect)
    .option("--scenario <file>", "judge with the SLOs and judge limits of this scenario; the rest of it is not used")
    .option(
      "--key <file>",
      "public key (*.pub) that the run's signature is checked with; else .canary/keys/canary.pub",
    );
  return withSeries(command)
    .addHelpText("after", HELP)
    .action(async (runDir: string | undefined, given: Partial<AllOptions>) => {
      const options = { set: [], slo: [], ...given };
      if (isAboutSeries(options)) {
        if (options.key !== undefined) throw keyWithoutRun();
        await judgeSeries(runDir, options);
      } else await judgeRun(runDir, options);
    });
}

function keyWithoutRun(): CanaryError {
  const hint = "Leave it out; nobody signs a series.";
  return new CanaryError({ code: "USAGE", message: "--key means nothing for a series", hint });
}

async function judgeRun(runDir: string | undefined, options: AllOptions): Promise<void> {
  if (runDir === undefined) {
    const hint = "Give the folder of a run, reports/<run>; or --series <file> and --slo for values from elsewhere.";
    throw new CanaryError({ code: "USAGE", message: "there is nothing to judge", hint });
  }
  expectNoSeriesOptions(options);
  const { rejudge } = await import("../run/rejudge.ts");
  const { withPlainText } = await import("../report/plain-text.ts");
  const changed = options.set.length + options.slo.length > 0 || options.scenario !== undefined;
  const { keysToCheck } = await import("./signing.ts");
  const judged = withPlainText(await rejudge(runDir, await changesOf(options), await keysToCheck(options.key)));
  const { kind } = judged.verdict;
  // Whoever could write into the folder could write a promotion: it opens no gate unless the signature vouches for it.
  process.exitCode = EXIT_CODE[kind === "promote" && judged.seal.kind !== "signed" ? "hold" : kind];
  if (options.json === true) printJson(documentOf(judged, { changed, explain: options.explain === true }));
  else await print(judged, { runDir, changed, explain: options.explain === true });
  say(sealSentence(judged), options.json === true);
  const [was, again] = [judged.stored.verdict.kind, judged.ownTerms.verdict.kind];
  if (was === again) return;
  const edited = judged.seal.kind === "signed" ? "" : ", or a file of the run was changed since";
  say(
    `The run itself ended with ${was}, and its own terms now give ${again}: the judge had other rules then${edited}.`,
    true,
  );
}

function sealSentence({ seal, verdict }: Pick<WhatIf, "seal" | "verdict">): string {
  if (seal.kind === "signed") return `The files of this run are signed by ${seal.keyId}.`;
  const exit = verdict.kind === "promote" ? " A promotion that nobody vouches for ends with exit code 10." : "";
  return `unverified: ${seal.why}.${exit}`;
}

const HELP = `
Examples:
  canary judge reports/<run>                                     the same answer again
  canary judge reports/<run> --explain                           how it came to it, in words and numbers
  canary judge reports/<run> --slo checkout-latency=+10% --slo errors=+0.1pp --set alpha=0.005
                                                                 what would change; a what-if, unsigned
  canary judge --series latency.csv --slo 'latency<=+10%' --acted-at 2026-11-23T10:15:00Z
                                                                 columns time, control, experiment from elsewhere
  canary judge --prometheus http://127.0.0.1:9090 --control 'q{app="old"}' --experiment 'q{app="new"}' \\
    --from 2026-11-23T10:00:00Z --to 2026-11-23T10:40:00Z --acted-at 2026-11-23T10:15:00Z --slo 'latency<=+10%'

A range is +10% (at most), -5%..+10%, or 'name>=-5%' in quotes; pp for error rates. A plan's own promise still counts.
Exit codes as of \`canary run\`, for the verdict under the terms that were given; a promotion of files that no trusted key
signed ends with 10.
Instants are ISO 8601 (UTC where no zone is written), or seconds or milliseconds since 1970.
Series from elsewhere get no verdict but a comparison: 0 inside the limit, 10 undecided, 11 outside.`;

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}

async function changesOf(options: JudgeOptions): Promise<Parameters<typeof import("../run/rejudge.ts").rejudge>[1]> {
  const { set, slo, scenario: file } = options;
  if (file === undefined) return { set, slo };
  const { readFile } = await import("node:fs/promises");
  const { parseScenario } = await import("../run/scenario.ts");
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new CanaryError({
      code: "USAGE",
      message: `cannot read the scenario ${file}`,
      hint: "Give the path of a canary.scenario/v1.",
      cause,
    });
  });
  return { set, slo, scenario: parseScenario(text, file) };
}

function documentOf(judged: WhatIf, said: { readonly changed: boolean; readonly explain: boolean }): unknown {
  const { stored, ownTerms, changes, explanation, seal, ...answer } = judged;
  return {
    kind: said.changed ? "what-if" : "verdict",
    ...answer,
    verified: seal.kind === "signed",
    ...(seal.kind === "signed" ? { keyId: seal.keyId } : { unverified: seal.why }),
    storedVerdict: stored.verdict.kind,
    ...(said.changed ? { signed: false, changes, ownTerms, stored } : {}),
    ...(said.explain ? { explanation } : {}),
    exitCode: process.exitCode,
  };
}

async function print(
  judged: WhatIf,
  said: { readonly runDir: string; readonly changed: boolean; readonly explain: boolean },
): Promise<void> {
  const { finalBlock } = await import("../report/terminal/final-block.ts");
  const { whatIfBlock } = await import("../report/terminal/what-if-block.ts");
  const { createPaint, wantsColor } = await import("../report/terminal/paint.ts");
  const paint = createPaint({ color: wantsColor(process.stdout, environmentValues()) });
  const sized = { columns: process.stdout.columns ?? 100, paint };
  const lines = said.changed ? whatIfBlock(judged, sized) : finalBlock({ ...judged, reportDir: said.runDir }, sized);
  say(lines.join("\n"));
  if (said.explain) await printExplanation(judged.explanation, sized);
}

async function printExplanation(
  explanation: Explanation,
  sized: {
    readonly columns: number;
    readonly paint: ReturnType<typeof import("../report/terminal/paint.ts").createPaint>;
  },
): Promise<void> {
  const { explanationBlock } = await import("../report/terminal/explanation-block.ts");
  say(`\n${explanationBlock(explanation, sized).join("\n")}`);
}
