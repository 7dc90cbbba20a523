import { Command } from "commander";
import { printJson, say, withJson } from "./options.ts";

interface PowerOptions {
  readonly profile?: string | boolean;
  readonly key?: string;
  readonly json?: true;
}

/** `canary power`: what a run of this scenario could show, before anything is raised. */
export function powerCommand(): Command {
  return withJson(new Command("power"))
    .description("Say what a run of a scenario could show and how long it would take; nothing is raised.")
    .argument("<scenario>", "scenario file (canary.scenario/v1)")
    .option("--profile <file>", "calibration profile; else the newest of .canary/profiles that fits (canary calibrate)")
    .option("--no-profile", "forecast from the rate alone")
    .option(
      "--key <file>",
      "private key (*.key) that signed the profile, which runs sign with as well; else as for canary run",
    )
    .addHelpText(
      "after",
      `
Example:
  canary power scenarios/tune-pool-at-night.yaml

For each SLO: the margin a plan has, the smallest effect that would be told apart in the time allowed, the baseline
and observation a decision takes (80% chance), and where that is too much, the margin or rate that would do.
Exit codes: 0 every SLO can be decided, 10 at least one can not or nothing is known, 3 invalid document. Without a
profile the noise is unknown, and 0 means only that no SLO is ruled out.`,
    )
    .action(async (scenarioFile: string, options: PowerOptions) => {
      const { forecastScenario } = await import("./forecast-scenario.ts");
      const { forecasts, note } = await forecastScenario({
        scenarioFile,
        ...(typeof options.profile === "string" ? { profile: options.profile } : {}),
        ...(options.profile === false ? { profile: false as const } : {}),
        ...(options.key === undefined ? {} : { keyFile: options.key }),
      });
      const [{ EXIT_CODE }, { powerLines }, { plainText }] = await Promise.all([
        import("../core/errors.ts"),
        import("../report/power-words.ts"),
        import("../report/plain-text.ts"),
      ]);
      process.exitCode =
        forecasts.length > 0 && forecasts.every(({ possible }) => possible) ? EXIT_CODE.done : EXIT_CODE.hold;
      if (options.json === true) printJson({ kind: "power", forecasts, note, exitCode: process.exitCode });
      else say(plainText(`${note}\n${powerLines(forecasts).join("\n")}`, "keep"));
    });
}
