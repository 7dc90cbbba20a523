import { Command } from "commander";
import { CanaryError, EXIT_CODE } from "../core/errors.ts";
import type { HaltedRun } from "../run/live/halt-host.ts";
import { printJson, say, withJson } from "./options.ts";
import { abortOnSignals, systemClock } from "./system.ts";

interface HaltOptions {
  readonly reason?: string;
  readonly lift?: true;
  readonly wait: string;
  readonly json?: true;
}

/** `canary halt`: stops every run of this host, waits until each is undone, and lets none start until it is lifted. */
export function haltCommand(): Command {
  return withJson(new Command("halt"))
    .description("Stop all runs of this host and user, undo what they did, and let none start until --lift.")
    .option("--reason <text>", "why, for the record and for whoever starts a run next")
    .option("--lift", "let runs start again")
    .option("--wait <seconds>", "how long to wait for each run to undo", "120")
    .addHelpText(
      "after",
      `
Example:
  canary halt --reason "the cluster is on fire"
  canary halt --lift

Every run is told over its own endpoint (else by SIGTERM), rolls back, compares state, and ends with 21.
Exit codes: 0 all runs are stopped and shown to be as before, 40 one of them is not. While the host is halted
canary run ends with 12. How it works: docs/triggers.md`,
    )
    .action(async (options: HaltOptions) => {
      const [{ haltHost }, { hostRegistry, thisUser }] = await Promise.all([
        import("../run/live/halt-host.ts"),
        import("./live-run.ts"),
      ]);
      const json = options.json === true;
      const registry = await hostRegistry();
      if (options.lift === true) {
        const was = await registry.lift();
        if (json) return printJson({ kind: "lifted", was });
        return say(was ? "lifted: runs may start again" : "this host was not halted");
      }
      using stop = abortOnSignals((message) => say(message, true));
      const halt = {
        schema: "canary.halt/v1" as const,
        by: thisUser(),
        atEpochMs: systemClock.epochMs(),
        ...(options.reason === undefined ? {} : { reason: options.reason }),
      };
      say("halted: no run starts until canary halt --lift", json);
      const report = await haltHost(
        { halt, waitMs: secondsOf(options.wait) * 1000, signal: stop.signal, onRun: (run) => say(lineOf(run), json) },
        { registry, clock: systemClock, fetch, terminate: (pid) => process.kill(pid, "SIGTERM") },
      );
      if (report.runs.length === 0) say("nothing was running", json);
      process.exitCode = report.isAllUndone ? EXIT_CODE.done : EXIT_CODE.findings;
      if (json) printJson({ kind: "halted", ...report, exitCode: process.exitCode });
    });
}

function lineOf({ runId, plan, outcome, message }: HaltedRun): string {
  const mark = outcome === "undone" ? "✓" : "✗";
  return `${mark} ${runId} ${plan === "" ? "" : `(${plan}) `}${outcome}: ${message}`;
}

function secondsOf(text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text);
  throw new CanaryError({
    code: "USAGE",
    message: `--wait ${text} is no number of seconds`,
    hint: "Give a whole number, for example --wait 120.",
  });
}
