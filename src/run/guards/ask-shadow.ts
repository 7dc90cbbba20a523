import type { Clock } from "../../core/clock.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { HealthProbe } from "../../plan/health-probe.ts";
import { askProbe, type ProbeAnswer } from "../../replay/probes/ask-probe.ts";
import type { LoadSession } from "../load-session.ts";

/** What guards ask: the shadow, and whether anything flows. */
export interface Asked {
  readonly shadow: Pick<Twin, "sql" | "address" | "processes" | "configuration">;
  readonly session: Pick<LoadSession, "flowingFromMs">;
  readonly clock: Clock;
}

/**
 * Asks the shadow; undefined when a barrier stood in between, because frozen services do not answer and that is our doing.
 * @throws signal.reason when aborted
 */
export async function askShadow(
  asked: Asked,
  question: { readonly probe: HealthProbe; readonly timeoutSeconds: number },
  signal: AbortSignal,
): Promise<ProbeAnswer | undefined> {
  const flowed = asked.session.flowingFromMs();
  if (flowed === undefined) return undefined;
  const timeoutMs = question.timeoutSeconds * 1000;
  const answer = await askProbe(question.probe, asked.shadow, { clock: asked.clock, timeoutMs, signal });
  return asked.session.flowingFromMs() === flowed ? answer : undefined;
}

/**
 * Before silence is held against the plan: an engine that does not answer says nothing of it.
 * @throws CanaryError MIRROR_UNAVAILABLE when the engine is gone
 */
export async function engineAnswers({ shadow }: Asked, signal: AbortSignal): Promise<void> {
  await shadow.configuration(signal);
}

/** Does something again and again until the signal aborts; it then rejects with its reason. */
export async function again(
  clock: Clock,
  everyMs: number,
  signal: AbortSignal,
  ask: () => Promise<void>,
): Promise<never> {
  for (;;) {
    await ask();
    await clock.sleep(everyMs, signal);
  }
}
