import { Command } from "commander";
import { CanaryError } from "../core/errors.ts";
import { PROFILE_FOLDER } from "./key-location.ts";
import { printJson, withJson } from "./options.ts";

interface CalibrateOptions {
  readonly rounds?: string;
  readonly seconds?: string;
  readonly quick?: true;
  readonly out: string;
  readonly key?: string;
  readonly seed?: string;
  readonly plain?: true;
  readonly json?: true;
}

const SIZES = { normal: { rounds: 8, seconds: 120 }, quick: { rounds: 4, seconds: 20 } } as const;

/** `canary calibrate`: what the twins of a scenario differ by when nobody does anything to them. */
export function calibrateCommand(): Command {
  return withJson(new Command("calibrate"))
    .description("Learn noise and bias of a scenario's twins on this machine, without a plan; later runs use it.")
    .argument("<scenario>", "scenario file: its mirror is raised, its traffic sent, its SLOs measured")
    .option("--rounds <n>", `raises of both twins (2 to 200); ${SIZES.normal.rounds} if absent`)
    .option("--seconds <n>", `measured after each raise (4 to 3600); ${SIZES.normal.seconds} if absent`)
    .option(
      "--quick",
      `${SIZES.quick.rounds} rounds of ${SIZES.quick.seconds} s: sooner, with wider limits; never vouches for blocks below 5 s`,
    )
    .option("--out <folder>", "where profiles are kept and runs look for them", PROFILE_FOLDER)
    .option(
      "--key <file>",
      "private key (*.key) that signs the profile: the one that signs the verdicts of the runs that use it; else as for canary run",
    )
    .option("--seed <n>", "seed of the traffic; a new one if absent")
    .option("--plain", "plain lines instead of one that changes")
    .addHelpText(
      "after",
      `
Example:
  canary calibrate scenarios/scale-batch-workers.yaml

A round raises both twins, warms up, measures, restarts the shadow's services, and measures again: eight take
about half an hour. A profile holds for one mirror, machine, traffic and isolation, for 30 days. With it a
run needs a shorter baseline, plans that restart a service can be judged, and \`canary power\` tells in advance
what a run can show. Only rounds of 100 s or more vouch for blocks below 5 s, which an even shorter baseline
needs: with --quick or --seconds below 100 runs keep to blocks of 5 s and longer. Ctrl-C removes the twins; nothing is
learned then.
Exit codes: 0 done, 3 invalid document, 20 mirror unavailable, 21 aborted, 24 driver was the bottleneck.`,
    )
    .action(async (scenario: string, options: CalibrateOptions) => {
      const { calibrateScenario } = await import("./calibrate-scenario.ts");
      const size = options.quick === true ? SIZES.quick : SIZES.normal;
      const { profile, file } = await calibrateScenario({
        scenarioFile: scenario,
        size: {
          rounds: whole("--rounds", options.rounds, { least: 2, most: 200 }) ?? size.rounds,
          seconds: whole("--seconds", options.seconds, { least: 4, most: 3600 }) ?? size.seconds,
        },
        profileDir: options.out,
        view: options.json === true ? "json" : options.plain === true ? "plain" : "auto",
        ...(options.key === undefined ? {} : { keyFile: options.key }),
        ...seedOf(options.seed),
      });
      if (options.json === true) printJson({ kind: "profile", file, profile });
    });
}

function seedOf(text: string | undefined): { readonly seed?: number } {
  const seed = whole("--seed", text, { least: 0, most: 2 ** 31 });
  return seed === undefined ? {} : { seed };
}

function whole(
  option: string,
  text: string | undefined,
  range: { readonly least: number; readonly most: number },
): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value >= range.least && value <= range.most) return value;
  throw new CanaryError({
    code: "USAGE",
    message: `${option} ${text} is out of range`,
    hint: `Give a whole number from ${range.least} to ${range.most}.`,
  });
}
