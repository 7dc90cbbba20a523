import { ROLES } from "../mirror/twin.ts";
import type { Action } from "../plan/plan.ts";
import { learnNoise, type Noise } from "../replay/proof/noise.ts";
import type { UndoOutcome } from "../replay/proof/undo-plan.ts";
import { conclude, type UndoEvidence } from "./last-barrier.ts";
import type { LoadContext } from "./load-context.ts";
import type { LoadEvidence } from "./load-evidence.ts";
import { type LoadSession, startLoad } from "./load-session.ts";
import { createLooks } from "./looks.ts";
import { measureBaseline, warmUp } from "./measure-phases.ts";
import { type InForce, rehearseInForce } from "./plan-in-force.ts";
import { measureRecovery, undoUnderLoad } from "./plan-phases.ts";
import { rehearseRounds } from "./rehearse-rounds.ts";
import { resolvedSlos } from "./resolved-slos.ts";

/** Seconds of traffic after a barrier before anything is done to the twins. */
const REWARM_MS = 3000;
/** After an abort the undo gets this long beyond what the plan promised. */
const ABORT_GRACE_MS = 30_000;

/**
 * Measures what the plan costs: baseline, replay, observation, rollback, recovery, last barrier (DESIGN.md 3.4 to 3.8).
 * An abort on the way still undoes what was done, under a signal of its own, and is then thrown on.
 * @throws CanaryError DRIVER_BOTTLENECK when the load generator measured itself: there is no verdict then
 */
export async function rehearseUnderLoad(context: LoadContext): Promise<LoadEvidence> {
  const { log, effects, pair } = context;
  await Promise.all(ROLES.map((role) => pair[role].thaw(pair.spec.background, context.signal)));
  await using session = await startLoad(context);
  log.trafficStarted(effects.clock.monotonicMs() - session.axisMs());
  const looks = createLooks(context, session, {
    slos: resolvedSlos(context.job),
    onLook: (slos) => effects.observe({ kind: "slos", slos }),
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
  const noise = await learnAtBarrier(driven, session);
  let acted: readonly Action[] = [];
  try {
    const onActed = (actions: readonly Action[]): void => {
      acted = actions;
    };
    const inForce = await rehearsePlan({ context: driven, session, looks, onActed });
    const undone = [...inForce.undone];
    if (undone.length === 0 || acted.length > 0)
      undone.push(await undoUnderLoad(driven, session, { acted, signal: driven.signal }));
    acted = [];
    const undo = await recover(driven, session, undone);
    return await conclude({ context, session, looks, underpowered, noise, undo, ...inForce });
  } catch (error) {
    await undoAfterAbort(context, session, acted);
    throw error;
  }
}

/** Both twins served the same so far: what differs now is noise, and is forgiven later, but for the schema. */
async function learnAtBarrier(context: LoadContext, session: LoadSession): Promise<Noise> {
  context.log.barrier("before the plan");
  const before = await session.barrier(context.signal);
  await context.effects.clock.sleep(REWARM_MS, context.signal);
  return learnNoise(before.control, before.shadow);
}

/** Once, or again and again, as the scenario asks. */
async function rehearsePlan(
  options: Parameters<typeof rehearseInForce>[0],
): Promise<InForce & { readonly undone: readonly UndoOutcome[] }> {
  const { design } = options.context.job.scenario.judge;
  if (design.kind === "switchback") return await rehearseRounds({ ...options, design });
  return { ...(await rehearseInForce(options)), undone: [] };
}

/** @param undone - every undo under load, the last one last; a switchback has one a round, and the slowest counts */
async function recover(
  context: LoadContext,
  session: LoadSession,
  undone: readonly UndoOutcome[],
): Promise<UndoEvidence> {
  const failed = undone.find((undo) => undo.failed !== undefined)?.failed;
  const operatorsLimits = context.job.scenario.slos.map((slo) => ({ slo }));
  const looks = createLooks(context, session, { slos: operatorsLimits });
  const notRecovered = failed === undefined ? await measureRecovery(context, session, looks) : [];
  return {
    undoMs: Math.max(...undone.map((undo) => undo.undoMs)),
    withinMs: context.job.plan.rollback.withinSeconds * 1000,
    notRecovered,
    ...(failed === undefined ? {} : { failed }),
    ...(undone.length > 1 ? { roundsUndoMs: undone.map((undo) => undo.undoMs) } : {}),
  };
}

/** A run that is stopped owes the same rollback; it gets a time-box of its own, and trouble in it hides nothing. */
async function undoAfterAbort(context: LoadContext, session: LoadSession, acted: readonly Action[]): Promise<void> {
  if (acted.length === 0) return;
  const { clock } = context.effects;
  const box = new AbortController();
  const finished = new AbortController();
  const timeoutMs = context.job.plan.rollback.withinSeconds * 1000 + ABORT_GRACE_MS;
  const timer = clock.sleep(timeoutMs, finished.signal).then(
    () => box.abort(new Error("the rollback after an abort took too long")),
    () => undefined,
  );
  context.log.note("stopped: undoing what was done before the twins are removed");
  try {
    await undoUnderLoad(context, session, { acted, signal: box.signal });
  } catch {
    // The reason for stopping is what the caller must see; the intent log says which undo is missing.
  } finally {
    finished.abort();
    await timer;
  }
}
