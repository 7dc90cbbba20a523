import { styleText } from "node:util";
import { Command } from "commander";
import { EXIT_CODE, messageOf } from "../core/errors.ts";
import type { Finding } from "../mirror/doctor/finding.ts";
import { existingActionTokens } from "./action-tokens.ts";
import { finishDeadRuns } from "./finish-dead-runs.ts";
import { printJson, say, withJson } from "./options.ts";
import { openRunLedger } from "./run-ledger.ts";
import { abortOnSignals, systemClock } from "./system.ts";

/** `canary doctor`: what a rehearsal needs of this machine, and `--fix` to get it. */
export function doctorCommand(): Command {
  return withJson(new Command("doctor"))
    .description("Look at what a rehearsal needs of this machine, and sweep what dead runs left behind.")
    .option("--fix", "install and start what is missing, where this machine allows it")
    .addHelpText("after", "\nExample:\n  canary doctor --fix\n\nExit code 40 when something a run needs is missing.")
    .action(async (options: { readonly fix?: true; readonly json?: true }) => {
      using abort = abortOnSignals((message) => say(message, true));
      const json = options.json === true;
      const { host, diagnose, fix } = await examination();
      let findings = await diagnose({ host, signal: abort.signal });
      if (options.fix === true) {
        const done = await fix(findings, { host, signal: abort.signal, onLine: (line) => say(`  ${line}`, json) });
        if (done.length > 0) findings = await diagnose({ host, signal: abort.signal });
      }
      const resumed = await unfinishedRollbacks(findings, { json, signal: abort.signal });
      findings = [...findings, ...resumed, await leftovers(findings)];
      const failed = findings.some((finding) => finding.status === "fail");
      if (json) printJson({ findings, ok: !failed });
      else for (const finding of findings) say(describe(finding));
      process.exitCode = failed ? EXIT_CODE.findings : EXIT_CODE.done;
    });
}

/** The doctor with this process's view of the machine; loaded only when asked. */
async function examination() {
  const [{ diagnose }, { fix }, { nodeHost }] = await Promise.all([
    import("../mirror/doctor/diagnose.ts"),
    import("../mirror/doctor/fix.ts"),
    import("../mirror/doctor/node-host.ts"),
  ]);
  const host = nodeHost({
    platform: process.platform,
    nodeVersion: process.version,
    userId: process.getuid?.(),
    dockerHost: process.env["DOCKER_HOST"],
  });
  return { host, diagnose, fix };
}

/** Rollbacks that a killed harness left in the middle: finished here, because an agent's half-done change is nobody's else. */
async function unfinishedRollbacks(
  findings: readonly Finding[],
  options: { readonly json: boolean; readonly signal: AbortSignal },
): Promise<readonly Finding[]> {
  if (findings.some(({ check, status }) => check === "engine" && status === "fail")) return [];
  const tell = (line: string): void => say(line, options.json);
  await using ledger = await openRunLedger(undefined, tell).catch((error: unknown) => {
    tell(`undos are not recorded in the ledger: ${messageOf(error)}`);
    return undefined;
  });
  const resumed = await finishDeadRuns({ say: tell, ledger, mint: await existingActionTokens() }, options.signal);
  return resumed.map(({ proven, words }): Finding => {
    const status = proven ? "ok" : "warn";
    return { check: "leftovers", status, message: words, fixable: false };
  });
}

/** Containers, networks and volumes of runs whose owner is dead; removed, because nobody else will. */
async function leftovers(findings: readonly Finding[]): Promise<Finding> {
  if (findings.some(({ check, status }) => check === "engine" && status === "fail")) {
    return {
      check: "leftovers",
      status: "warn",
      message: "cannot look for leftovers without an engine",
      fixable: false,
    };
  }
  const { sweepEngine } = await import("../mirror/twins/sweep.ts");
  const swept = await sweepEngine(systemClock.epochMs());
  const count = swept.containers + swept.networks + swept.volumes;
  const message =
    count === 0
      ? "nothing left behind by dead runs"
      : `removed what dead runs left: ${swept.containers} containers, ${swept.networks} networks, ${swept.volumes} volumes`;
  return { check: "leftovers", status: "ok", message, fixable: false };
}

const MARK = { ok: "✓", warn: "!", fail: "✗" } as const;
const COLOUR = { ok: "green", warn: "yellow", fail: "red" } as const;

function describe(finding: Finding): string {
  const mark = styleText(COLOUR[finding.status], MARK[finding.status], { stream: process.stdout });
  const hint = finding.hint === undefined || finding.status === "ok" ? "" : `\n    ${finding.hint}`;
  return `${mark} ${finding.check.padEnd(14)} ${finding.message}${hint}`;
}
