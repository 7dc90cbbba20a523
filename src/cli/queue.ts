import path from "node:path";
import { Command, Option } from "commander";
import { CanaryError } from "../core/errors.ts";
import type { Escalation, EscalationQueue, Resolution } from "../core/escalation-queue.ts";
import { plainText, withPlainText } from "../report/plain-text.ts";
import { printJson, sayWho, withJson } from "./options.ts";
import { systemClock } from "./system.ts";

interface QueueOptions {
  readonly queue: string;
  readonly json?: true;
}

interface ResolveOptions extends QueueOptions {
  readonly outcome: Resolution["outcome"];
  readonly by: string;
  readonly note?: string;
}

/** `canary queue`: plans that wait for a person, each with its playbook. */
export function queueCommand(): Command {
  return new Command("queue")
    .description("Show and resolve what waits for a person: runs that hold, plans of low confidence.")
    .addCommand(
      ofQueue("list", "List what waits, oldest first.")
        .action(async (options: QueueOptions & { readonly all?: true }) => {
          const entries = (await (await open(options.queue)).list()).filter(
            ({ resolution }) => options.all === true || resolution === undefined,
          );
          if (options.json === true) return printJson({ kind: "queue", queue: options.queue, entries });
          sayLines(entries.length === 0 ? ["nothing waits"] : entries.map(lineOf));
        })
        .option("--all", "also what was resolved")
        .addHelpText("after", "\nExample:\n  canary queue list --queue sre-oncall"),
    )
    .addCommand(
      ofQueue("show", "Show a playbook: what, why, way back, evidence, diagnostics.")
        .argument("<id>", "its id, as `canary queue list` shows it")
        .addHelpText("after", "\nExample:\n  canary queue show <id> --queue sre-oncall")
        .action(async (id: string, options: QueueOptions) => {
          const found = (await (await open(options.queue)).list()).find(({ playbook }) => playbook.id === id);
          if (found === undefined) throw unknown(id, options.queue);
          if (options.json === true) return printJson({ kind: "escalation", ...found });
          sayLines(linesOf(found));
        }),
    )
    .addCommand(
      ofQueue("resolve", "Write down what a person decided. It approves nothing by itself: `canary approve` does.")
        .argument("<id>", "its id, as `canary queue list` shows it")
        .addHelpText(
          "after",
          '\nExample:\n  canary queue resolve <id> --outcome rehearse-again --by ada@example.com --note "longer baseline tonight"',
        )
        .addOption(
          new Option("--outcome <outcome>", "what was decided")
            .choices(["approve", "decline", "rehearse-again"])
            .makeOptionMandatory(),
        )
        .requiredOption("--by <person>", "who decided")
        .option("--note <text>", "why, for people who read it later")
        .action(async (id: string, options: ResolveOptions) => {
          const { outcome, by, note } = options;
          const at = new Date(systemClock.epochMs()).toISOString();
          const resolution = { outcome, by, at, ...(note === undefined ? {} : { note }) };
          const resolved = await (await open(options.queue)).resolve(id, resolution);
          if (options.json === true) printJson({ kind: "escalation", ...resolved });
          else sayLines([lineOf(resolved)]);
        }),
    );
}

function ofQueue(name: string, description: string): Command {
  return withJson(new Command(name))
    .description(description)
    .option("--queue <name>", "the queue, as the scenario names it", "operators");
}

async function open(queue: string): Promise<EscalationQueue> {
  if (!/^[a-z][a-z0-9-]{0,62}$/.test(queue))
    throw new CanaryError({ code: "USAGE", message: `--queue ${queue} is no name`, hint: "As in the scenario." });
  const [{ fileEscalationQueue }, { QUEUE_FOLDER }] = await Promise.all([
    import("../run/file-escalation-queue.ts"),
    import("./escalate.ts"),
  ]);
  return fileEscalationQueue(path.join(QUEUE_FOLDER, queue));
}

function lineOf({ playbook, resolution }: Escalation): string {
  const { id, at, plan, because } = playbook;
  const state = resolution === undefined ? "waits" : `${resolution.outcome} by ${resolution.by}`;
  return `${id}  ${at}  ${plan.name} for ${plan.environment}  ${because.map(({ code }) => code).join(", ")}  ${state}`;
}

function linesOf({ playbook, resolution }: Escalation): readonly string[] {
  const { plan, because, actions, evidence, diagnostics, remedies, run } = playbook;
  const decided =
    resolution === undefined
      ? "nobody has decided"
      : `${resolution.by}: ${resolution.outcome} at ${resolution.at}. ${resolution.note ?? ""}`;
  const listed = (title: string, lines: readonly string[]): readonly string[] => [
    "",
    title,
    ...lines.map((line) => `  - ${line}`),
  ];
  return [
    `${plan.name} (sha256:${plan.sha256}) of ${plan.agent}, for ${plan.environment}`,
    `tier ${plan.tier}, confidence ${plan.confidence}: ${plan.intent}`,
    decided,
    ...listed(
      "Why a person is asked",
      because.map(({ code, message }) => `${code}: ${message}`),
    ),
    ...listed(
      "What it would do",
      actions.map(({ id, what, why, does }) => `${id}: ${what}, because ${why}; it ${does}`),
    ),
    ...listed(
      "The way back",
      actions.map(({ id, rollback }) => `${id}: ${rollback}`),
    ),
    ...listed(
      "Evidence of the agent",
      evidence.map(({ kind, summary, ref }) => `${kind}: ${summary}${ref === undefined ? "" : ` (${ref})`}`),
    ),
    ...listed("What was seen", diagnostics),
    ...listed("What would let the harness decide", remedies),
    "",
    `run ${run.runId}, ${run.folder}`,
  ];
}

/** Everything but the outline was written by agents and services. */
function sayLines(lines: readonly string[]): void {
  sayWho(lines.map((line) => plainText(line, "keep").replaceAll("\n", " ")).join("\n"));
}

function unknown(id: string, queue: string): CanaryError {
  return new CanaryError({
    code: "USAGE",
    message: withPlainText(`no playbook ${id} in queue ${queue}`),
    hint: "See `canary queue list`.",
  });
}
