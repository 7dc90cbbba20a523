import { ROLES } from "../mirror/twin.ts";
import type { Action } from "../plan/plan.ts";
import { learnNoise, type Noise } from "../replay/proof/noise.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import { undoAfterStop } from "./abort-proof.ts";
import { fallBack, type WayBack } from "./fall-back.ts";
import { startGuards } from "./guards/start-guards.ts";
import { type BeforeTheEnd, conclude, declaredAndDirect, type UndoEvidence } from "./last-barrier.ts";
import { undosOf } from "./left-behind.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { type LoadSession, startLoad } from "./load-session.ts";
import { createLooks, heldByLate } from "./looks.ts";
import { measureBaseline, warmUp } from "./measure-phases.ts";
import { type InForce, rehearseInForce, throwWhereBlind } from "./plan-in-force.ts";
import { measureRecovery, undoUnderLoad } from "./plan-phases.ts";
import { rehearseRounds } from "./rehearse-rounds.ts";
import { resolvedSlos } from "./resolved-slos.ts";
import { type WriteWatch, watchWrites } from "./write-watch.ts";

/** Seconds of traffic after a barrier before anything is done to the twins. */
const REWARM_MS = 3000;

/**
 * Measures what the plan costs: baseline, replay, observation, rollback, recovery, last barrier (DESIGN.md 3.4 to 3.8).
 * An abort on the way still undoes what was done, under a signal of its own, and is then thrown on.
 * @throws CanaryError DRIVER_BOTTLENECK when the load generator measured itself: there is no verdict then
 */
export async function rehearseUnderLoad(context: LoadContext): Promise<LoadEvidence> {
  const { log, effects, pair } = context;
  await Promise.all(ROLES.map((role) => pair[role].thaw(pair.spec.background, context.signal)));
  await using session = await startTraffic(context);
  log.trafficStarted(effects.clock.monotonicMs() - session.axisMs());
  const looks = createLooks(context, session, {
    slos: resolvedSlos(context.job),
    onLook: (slos) => effects.observe({ kind: "slos", slos }),
    onLate: (late) => log.note(heldByLate(late)),
  });
  // A dead driver or engine ends every phase at once: nobody waits for samples that cannot come. `conclude` ends the
  // driver on purpose.
  const driven = { ...context, signal: AbortSignal.any([context.signal, session.ended]) };
  await warmUp(driven, session);
  const underpowered = await measureBaseline(driven, session, looks);
  if (underpowered.length > 0) {
    log.note("the noise is too large for the margins asked; the plan is not replayed under load");
    return await conclude({ context, session, looks, underpowered });
  }
  const { noise, writes } = await learnAtBarrier(driven, session);
  await using _writes = writes;
  let acted: readonly Action[] = [];
  let begun: readonly Action[] = [];
  try {
    const onActed = (actions: readonly Action[]): void => {
      acted = actions;
      if (actions.length > 0) begun = actions;
    };
    const shown = await actAndUndo({ context: driven, session, looks, onActed });
    acted = [];
    return await conclude({ context, session, underpowered, noise, writes, ...shown });
  } catch (error) {
    const unfinished = { context, session, noise, begun, acted };
    log.stopped(await undoAfterStop(unfinished, context.signal.aborted));
    throw error;
  }
}

/**
 * Traffic outlives a stop, because the undo after it is proven like any other: once started, it ends with its session and
 * not with the run's signal.
 */
async function startTraffic(context: LoadContext): Promise<LoadSession> {
  const starting = new AbortController();
  const forward = (): void => starting.abort(context.signal.reason);
  context.signal.addEventListener("abort", forward, { once: true });
  try {
    context.signal.throwIfAborted();
    return await startLoad({ ...context, signal: starting.signal });
  } finally {
    context.signal.removeEventListener("abort", forward);
  }
}

type Shown = Pick<BeforeTheEnd, "replay" | "alarm" | "observed" | "looks" | "undo" | "notUndone" | "watched">;

/** The plan under its guards, its undo, and what the service does after it. A guard that objects first lets nothing begin. */
async function actAndUndo(options: Omit<Parameters<typeof rehearseInForce>[0], "guards">): Promise<Shown> {
  const { context, session, looks, onActed } = options;
  const { signal } = context;
  const guards = startGuards(context, session);
  await using _throughout = guards.throughout(signal);
  await guards.beforePlan(signal);
  throwWhereBlind(guards);
  if (guards.stoppedBy() !== undefined) return { looks, watched: guards.records() };
  let acted: readonly Action[] = [];
  const remember = (actions: readonly Action[]): void => {
    acted = actions;
    onActed(actions);
  };
  const inForce = await rehearsePlan({ ...options, guards, onActed: remember });
  const undone = [...inForce.undone];
  const asPlanned =
    inForce.replay.end.kind === "done" && guards.stoppedBy() === undefined && inForce.alarm === undefined;
  if (undone.length === 0 || acted.length > 0)
    undone.push(await undoUnderLoad(context, session, { acted, signal, why: asPlanned ? "planned" : "failure" }));
  onActed([]);
  const stopped = undone.some(({ how }) => how === "stop");
  const way = stopped
    ? { notUndone: "the plan says to stop where it fails, so nothing was undone" }
    : { undo: await recover(context, session, await fallBack(context, session, undone)) };
  await guards.afterUndo(signal);
  throwWhereBlind(guards);
  return { looks, ...inForce, ...way, watched: guards.records() };
}

/** Both twins served the same so far: what differs now is noise, and is forgiven later, but for the schema. */
async function learnAtBarrier(
  context: LoadContext,
  session: LoadSession,
): Promise<{ readonly noise: Noise; readonly writes: WriteWatch }> {
  context.log.barrier("before the plan");
  const before = await session.barrier(context.signal);
  const watching = watchWrites({ ...context, twin: context.pair.shadow });
  watching.catch(() => undefined);
  await context.effects.clock.sleep(REWARM_MS, context.signal).catch(async (stopped: unknown) => {
    await (await watching.catch(() => undefined))?.[Symbol.asyncDispose]();
    throw stopped;
  });
  const noise = learnNoise(before.control, before.shadow, context.reference);
  const { consequences, directEffects } = declaredAndDirect(context);
  const { drawn = {} } = context.quiet;
  const kept = {
    ...undosOf(context.job),
    reference: context.reference.shadow,
    noise,
    consequences,
    directEffects,
    drawn,
  };
  await context.effects.store.keepForResume(kept);
  return { noise, writes: await watching };
}

/** Once, or again and again, as the scenario asks. */
async function rehearsePlan(
  options: Parameters<typeof rehearseInForce>[0],
): Promise<InForce & { readonly undone: readonly UndoOutcome[] }> {
  const { design } = options.context.job.scenario.judge;
  if (design.kind === "switchback") return await rehearseRounds({ ...options, design });
  return { ...(await rehearseInForce(options)), undone: [] };
}

/** Of every undo under load (a switchback has one a round) the slowest counts; a restore takes its time on top. */
async function recover(
  context: LoadContext,
  session: LoadSession,
  { undone, restored }: WayBack,
): Promise<UndoEvidence> {
  const failed = undone.find((undo) => undo.failed !== undefined)?.failed;
  const operatorsLimits = context.job.scenario.slos.map((slo) => ({ slo }));
  const looks = createLooks(context, session, { slos: operatorsLimits });
  const isBack = restored === undefined ? failed === undefined : restored.failed === undefined;
  const notRecovered = isBack ? await measureRecovery(context, session, looks) : [];
  const { undoing, recovery } = session.phases;
  const how = undone.find((undo) => undo.how !== undefined)?.how;
  return {
    undoMs: Math.max(...undone.map((undo) => undo.undoMs)) + (restored?.tookMs ?? 0),
    ...(how === undefined ? {} : { how }),
    ...(restored === undefined ? {} : { restored }),
    ...(!isBack || notRecovered.length > 0 || undoing === undefined || recovery === undefined
      ? {}
      : { recoveryMs: recovery.toMs - undoing.fromMs }),
    withinMs: context.job.plan.rollback.withinSeconds * 1000,
    notRecovered,
    ...(failed === undefined ? {} : { failed }),
    ...(undone.length > 1 ? { roundsUndoMs: undone.map((undo) => undo.undoMs) } : {}),
  };
}
