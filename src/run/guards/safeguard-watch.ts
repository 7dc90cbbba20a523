import type { Safeguard } from "../../judge/watch/safeguard-spec.ts";
import { type Asked, again, askShadow, engineAnswers } from "./ask-shadow.ts";
import type { GuardBook } from "./guard-book.ts";

/** Where `assert` is asked. */
export type CheckPoint = "before the plan" | "with the plan in force" | "after the rollback";

export interface SafeguardWatch {
  /** Loops of `hold`, while the plan is in force; those of objectives begin when `landed` is called. */
  readonly inForce: (signal: AbortSignal) => readonly Promise<unknown>[];
  /** The plan's last action has landed: objectives hold and `converge` runs from here on. */
  readonly landed: (signal: AbortSignal) => readonly Promise<unknown>[];
  /** `assert`, at this point. */
  readonly at: (point: CheckPoint, signal: AbortSignal) => Promise<void>;
  /** Waits until every `converge` has become true or has run out of time. */
  readonly converged: (signal: AbortSignal) => Promise<void>;
}

/** How often it is asked whether what had to become true has been settled. */
const SETTLED_POLL_MS = 100;

export function watchSafeguards(options: {
  readonly safeguards: readonly Safeguard[];
  readonly book: GuardBook;
  readonly asked: Asked;
}): SafeguardWatch {
  const { book, asked } = options;
  const of = (mode: Safeguard["mode"], role?: Safeguard["role"]): readonly Safeguard[] =>
    options.safeguards.filter((one) => one.mode === mode && (role === undefined || one.role === role));
  const holding = (safeguard: Safeguard, signal: AbortSignal): Promise<never> =>
    again(asked.clock, safeguard.everySeconds * 1000, signal, async () => {
      await check(safeguard, "while the plan was in force", { book, asked, signal });
    });
  return {
    inForce: (signal) => of("hold", "safeguard").map((safeguard) => holding(safeguard, signal)),
    landed: (signal) => [
      ...of("hold", "objective").map((safeguard) => holding(safeguard, signal)),
      ...of("converge").map((safeguard) => converging(safeguard, { book, asked, signal })),
    ],
    at: async (point, signal) => {
      const due = of("assert").filter(({ role }) => role === "safeguard" || point === "with the plan in force");
      await Promise.all(due.map((safeguard) => check(safeguard, point, { book, asked, signal })));
    },
    converged: async (signal) => {
      const waited = of("converge");
      while (waited.some(({ name }) => !book.isSettled(name))) await asked.clock.sleep(SETTLED_POLL_MS, signal);
    },
  };
}

interface Checking {
  readonly book: GuardBook;
  readonly asked: Asked;
  readonly signal: AbortSignal;
}

/** One look at what must be true now: no answer is as bad as no, unless it is the engine that is gone. */
async function check(safeguard: Safeguard, when: string, { book, asked, signal }: Checking): Promise<void> {
  const answer = await askShadow(asked, safeguard, signal);
  if (answer === undefined) return;
  if (answer.kind === "unanswered") await engineAnswers(asked, signal);
  book.looked(safeguard.name, { seen: answer.message, answered: true });
  if (answer.kind === "yes") book.converged(safeguard.name, answer.message);
  else book.broken(safeguard, `${answer.message} ${when}`);
}

/** Asks until it is true; silence is not yet true, and at the end of its time broken. */
async function converging(safeguard: Safeguard, { book, asked, signal }: Checking): Promise<void> {
  const { name, withinSeconds } = safeguard;
  // In the rounds of a switchback what has become true once need not do so again.
  if (book.isSettled(name)) return;
  const untilMs = asked.clock.monotonicMs() + withinSeconds * 1000;
  for (;;) {
    const answer = await askShadow(asked, safeguard, signal);
    if (answer !== undefined) book.looked(name, { seen: answer.message, answered: true });
    if (answer?.kind === "yes") return book.converged(name, `true in time: ${answer.message}`);
    if (asked.clock.monotonicMs() >= untilMs) {
      if (answer?.kind === "unanswered") await engineAnswers(asked, signal);
      return book.broken(safeguard, `${answer?.message ?? "no answer"} ${withinSeconds} s after the last action`);
    }
    await asked.clock.sleep(safeguard.everySeconds * 1000, signal);
  }
}
