import path from "node:path";
import type { Notifier } from "../core/notifier.ts";
import { playbookOf, queueOf } from "../report/playbook.ts";
import type { RunReport } from "../report/run-report.ts";
import { fileEscalationQueue } from "../run/file-escalation-queue.ts";
import type { Scenario } from "../run/scenario.ts";
import { systemClock } from "./system.ts";

/** Where a project's queues are; git-ignored. */
export const QUEUE_FOLDER = path.join(".canary", "queue");

/**
 * Hands a run that holds to people: its playbook goes into the queue of those who decide, and who is to be told is told. A run that
 * promotes or rejects is decided.
 * @returns what a person should read; `undefined` where nothing was escalated
 */
export async function escalate(
  report: RunReport,
  by: { readonly scenario: Scenario; readonly runDir: string; readonly notifier: Notifier },
): Promise<string | undefined> {
  if (report.verdict.kind !== "hold") return undefined;
  const queue = queueOf(report, by.scenario.escalation?.queue);
  const at = new Date(systemClock.epochMs()).toISOString();
  const playbook = playbookOf(report, { id: report.runId, queue, at, folder: path.resolve(by.runDir) });
  const folder = path.join(QUEUE_FOLDER, queue);
  await fileEscalationQueue(folder).put(playbook);
  by.notifier.notify({
    type: "canary.escalation.queued",
    id: `msg_${crypto.randomUUID()}`,
    atEpochMs: Date.parse(at),
    data: {
      id: playbook.id,
      queue,
      plan: playbook.plan.name,
      environment: playbook.plan.environment,
      because: playbook.because.slice(0, 10).map(({ code, message }) => ({ code, message: message.slice(0, 500) })),
    },
  });
  return `this run waits for a person in queue ${queue}: canary queue show ${playbook.id} --queue ${queue}`;
}
