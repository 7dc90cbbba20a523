import { lookAtBurn, lookAtMetric, type TriggerLook } from "../../judge/watch/trigger-rules.ts";
import {
  type BurnTrigger,
  METRIC_EVERY_MS,
  type MetricTrigger,
  type ProbeMode,
  type ProbeTrigger,
  type Trigger,
} from "../../judge/watch/trigger-spec.ts";
import type { LoadSession } from "../load-session.ts";
import { type Asked, again, askShadow, engineAnswers } from "./ask-shadow.ts";
import type { GuardBook } from "./guard-book.ts";

/** Triggers that look at traffic and probes; the bounds on actions are elsewhere. */
export interface TriggerWatch {
  /** Loops that look while the plan is in force; each ends by rejection when the signal aborts. */
  readonly inForce: (signal: AbortSignal) => readonly Promise<unknown>[];
  /** Loops of `continuous` probes, from before the first action until after the recovery. */
  readonly throughout: (signal: AbortSignal) => readonly Promise<unknown>[];
  /** The probes of one instant: before the first action, or before the undo. */
  readonly at: (edge: "start" | "end", signal: AbortSignal) => Promise<void>;
}

const EDGES: Readonly<Record<"start" | "end", readonly ProbeMode[]>> = {
  start: ["start", "edge", "continuous"],
  end: ["end", "edge"],
};

export function watchTriggers(options: {
  readonly triggers: readonly Trigger[];
  readonly book: GuardBook;
  readonly asked: Asked;
  readonly session: Pick<LoadSession, "store" | "axisMs" | "overdue" | "flowingFromMs">;
}): TriggerWatch {
  const { book, asked, session } = options;
  const traffic = options.triggers.filter((trigger) => "metric" in trigger || "burn" in trigger);
  const probes = options.triggers.filter((trigger) => "probe" in trigger);
  const probing = (trigger: ProbeTrigger, signal: AbortSignal): Promise<never> => {
    const ask = probeAsker(trigger, book, asked);
    return again(asked.clock, trigger.everySeconds * 1000, signal, async () => void (await ask(signal)));
  };
  return {
    inForce: (signal) => [
      ...traffic.map((trigger) => {
        const look = trafficLooker(trigger, book, session);
        return again(asked.clock, METRIC_EVERY_MS, signal, async () => {
          const silence = look();
          if (silence === undefined) return;
          await engineAnswers(asked, signal);
          book.breach(trigger.name, silence);
        });
      }),
      ...probes.filter(({ mode }) => mode === "during").map((trigger) => probing(trigger, signal)),
    ],
    throughout: (signal) =>
      probes.filter(({ mode }) => mode === "continuous").map((trigger) => probing(trigger, signal)),
    at: async (edge, signal) => {
      const due = probes.filter(({ mode }) => EDGES[edge].includes(mode));
      await Promise.all(due.map((trigger) => askAtEdge(trigger, book, asked, signal)));
    },
  };
}

/** Looks once; answers in what words silence would be a breach, when it has lasted too long. */
function trafficLooker(
  trigger: MetricTrigger | BurnTrigger,
  book: GuardBook,
  session: Pick<LoadSession, "store" | "axisMs" | "overdue" | "flowingFromMs">,
): () => string | undefined {
  let misses = 0;
  let breachedSinceMs: number | undefined;
  return () => {
    const flowingFromMs = session.flowingFromMs();
    if (flowingFromMs === undefined) return undefined;
    const nowMs = session.axisMs();
    const traffic = { store: session.store, overdue: session.overdue().pairs, nowMs, flowingFromMs };
    const look: TriggerLook = "metric" in trigger ? lookAtMetric(trigger, traffic) : lookAtBurn(trigger, traffic);
    if (look.kind === "early") return undefined;
    book.looked(trigger.name, { seen: look.message, answered: look.kind !== "unknown" });
    misses = look.kind === "unknown" ? misses + 1 : 0;
    breachedSinceMs = look.kind === "breached" ? (breachedSinceMs ?? nowMs) : undefined;
    const forMs = "metric" in trigger ? trigger.forSeconds * 1000 : 0;
    if (breachedSinceMs !== undefined && nowMs - breachedSinceMs >= forMs) book.breach(trigger.name, look.message);
    return misses < trigger.misses ? undefined : missed(misses, look.message);
  };
}

type Asking = (signal: AbortSignal) => Promise<"yes" | "not-yet" | "breached">;

/** One probe, asked again and again: so many wrong answers, or so many that never came, one after the other. */
function probeAsker(trigger: ProbeTrigger, book: GuardBook, asked: Asked): Asking {
  let failures = 0;
  let misses = 0;
  return async (signal) => {
    const answer = await askShadow(asked, trigger, signal);
    if (answer === undefined) return "not-yet";
    book.looked(trigger.name, { seen: answer.message, answered: answer.kind !== "unanswered" });
    failures = answer.kind === "no" ? failures + 1 : answer.kind === "yes" ? 0 : failures;
    misses = answer.kind === "unanswered" ? misses + 1 : 0;
    if (failures < trigger.failures && misses < trigger.misses) return answer.kind === "yes" ? "yes" : "not-yet";
    if (misses >= trigger.misses) await engineAnswers(asked, signal);
    book.breach(trigger.name, misses >= trigger.misses ? missed(misses, answer.message) : answer.message);
    return "breached";
  };
}

/** At an edge there is no later look: it is asked until it has answered yes, or has failed as often as it may. */
async function askAtEdge(trigger: ProbeTrigger, book: GuardBook, asked: Asked, signal: AbortSignal): Promise<void> {
  const ask = probeAsker(trigger, book, asked);
  while ((await ask(signal)) === "not-yet") await asked.clock.sleep(trigger.everySeconds * 1000, signal);
}

function missed(times: number, message: string): string {
  return `it could not be evaluated ${times} times one after the other (${message})`;
}
