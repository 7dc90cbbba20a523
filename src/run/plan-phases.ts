import type { Action } from "../plan/plan.ts";
import { type ReplayOutcome, replayPlan } from "../replay/proof/load-replay.ts";
import type { Performance } from "../replay/proof/perform-action.ts";
import { type RollbackOrder, rollBack } from "../replay/proof/roll-back.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import type { ActionBreaker } from "./guards/action-breaker.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadSession } from "./load-session.ts";
import type { Look, Looks } from "./looks.ts";
import { windowsBeforeThePlan } from "./phase-windows.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";

/** The plan on the shadow, action by action, under traffic. An abort is an answer: the caller must know what to undo. */
export async function replayUnderLoad(
  context: LoadContext,
  session: LoadSession,
  options: { readonly fromMs: number; readonly breaker: ActionBreaker },
): Promise<ReplayOutcome> {
  const { fromMs, breaker } = options;
  context.log.phase("replay");
  const outcome = await replayPlan({
    plan: context.job.plan,
    to: performanceOf(context),
    signal: context.signal,
    beforeAction: breaker.beforeAction,
    afterAction: breaker.afterAction,
  });
  session.mark("acting", { fromMs, toMs: session.axisMs() });
  return outcome;
}

/** Warm-up transients bias towards slower; the same seconds are left out on both twins. */
export async function settle(context: LoadContext, session: LoadSession, seconds: number): Promise<void> {
  context.log.phase("settle", seconds * 1000);
  const fromMs = session.axisMs();
  try {
    await context.effects.clock.sleep(seconds * 1000, context.signal);
  } finally {
    // Seconds of settling count towards the budgets, also those before it was stopped.
    session.mark("settling", { fromMs, toMs: session.axisMs() });
  }
}

/** Everything undone again while traffic flows, on the way that the plan has for why it is (`planned` where nobody says). */
export async function undoUnderLoad(
  context: LoadContext,
  session: LoadSession,
  options: { readonly acted: readonly Action[]; readonly signal: AbortSignal; readonly why?: RollbackOrder["why"] },
): Promise<UndoOutcome> {
  context.log.phase("rollback", context.job.plan.rollback.withinSeconds * 1000);
  const fromMs = session.axisMs();
  const { acted, signal, why = "planned" } = options;
  const outcome = await rollBack({ plan: context.job.plan, acted, why }, performanceOf(context), signal);
  session.mark("undoing", { fromMs, toMs: session.axisMs() });
  context.log.rolledBack(outcome);
  return outcome;
}

/** Seconds after the undo that are not judged: processes that were replaced are cold. */
const RECOVERY_SETTLE_MS = 5000;

/**
 * Looks until no SLO is shown to be outside the operator's limit any more; answers the names of those that still are, or of
 * which nothing is known, when the time is up. What is not answered is not proven to be as before: no lasting harm was
 * seen, by the evidence that rejects a plan. Services that were replaced are not compared with their calibrated bias.
 */
export async function measureRecovery(
  context: Pick<LoadContext, "job" | "log" | "signal"> & { readonly effects: Pick<RunEffects, "clock"> },
  session: Pick<LoadSession, "phases" | "axisMs" | "mark">,
  looks: Looks,
): Promise<readonly string[]> {
  const { judge: limits } = context.job.scenario;
  // As long as the slowest SLO needs to be judged at all: the gauge of which no block has passed has not recovered.
  const longestBlockMs = Math.max(
    limits.blockSeconds * 1000,
    ...looks.judge(windowsBeforeThePlan(session)).map((slo) => slo.blocks.blockMs),
  );
  const enoughMs = limits.minBlocksAfter * longestBlockMs;
  context.log.phase("recover", RECOVERY_SETTLE_MS + enoughMs);
  await context.effects.clock.sleep(RECOVERY_SETTLE_MS, context.signal);
  const fromMs = Math.ceil(session.axisMs() / 1000) * 1000;
  // Twice the minimum: one unlucky block must not fail a rollback, and one that needs longer has not recovered.
  const untilMs = fromMs + 2 * enoughMs;
  let last: Look | undefined;
  for (;;) {
    const look = await looks.next({ fromMs, untilMs, signal: context.signal });
    if (look === undefined) break;
    last = look;
    session.mark("recovery", look.after);
    if (look.after.toMs - fromMs >= enoughMs && notRecovered(look.slos).length === 0) return [];
  }
  return last === undefined ? context.job.scenario.slos.map((slo) => slo.name) : notRecovered(last.slos);
}

function notRecovered(slos: Look["slos"]): readonly string[] {
  return slos
    .filter(({ state, blocks }) => state === "fail" || state === "no-data" || blocks.after === 0)
    .map((slo) => slo.name);
}

function performanceOf(context: LoadContext): Performance {
  return performance({ ...context, proof: "load" });
}

/** Where and how a run performs actions: on the shadow, with the intent on disk first, told to whoever watches. */
export function performance(options: {
  readonly proof: "quiet" | "load";
  readonly job: RunJob;
  readonly pair: { readonly shadow: Performance["shadow"] };
  readonly effects: RunEffects;
  readonly log: RunLog;
}): Performance {
  const { effects, log } = options;
  const { tries } = options.job.plan.rollback;
  return {
    proof: options.proof,
    runId: options.job.runId,
    shadow: options.pair.shadow,
    intent: effects.store.intent,
    clock: effects.clock,
    axisMs: log.axisMs,
    baseDir: options.job.scenarioDir,
    metrics: options.job.spec.metrics,
    ...(tries === undefined ? {} : { undoTries: tries }),
    ...(effects.mint === undefined ? {} : { mint: effects.mint }),
    onStep: log.step,
    onRecord: log.action,
  };
}
