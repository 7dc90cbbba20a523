import { CanaryError } from "../core/errors.ts";
import type { Reason, SloJudgement } from "../judge/verdict.ts";
import { workByRoute } from "../measure/work.ts";
import type { Difference, Fingerprint } from "../mirror/fingerprint.ts";
import { ROLES, type Role } from "../mirror/twin.ts";
import type { Action } from "../plan/plan.ts";
import { type BarrierComparison, compareAtBarrier } from "../replay/proof/barrier.ts";
import type { ReplayOutcome } from "../replay/proof/load-replay.ts";
import { describeNoise, learnNoise, type Noise } from "../replay/proof/noise.ts";
import type { RollbackProof } from "../replay/proof/proofs.ts";
import type { DriverReport } from "../replay/recording.ts";
import type { SloTrail } from "../report/run-report.ts";
import { brokenInvariants } from "./invariants.ts";
import type { LoadContext } from "./load-context.ts";
import { type LoadSession, startLoad } from "./load-session.ts";
import { createLooks, type Look, type Looks } from "./looks.ts";
import { measureBaseline, observeAfter, warmUp } from "./measure-phases.ts";
import { measureRecovery, replayUnderLoad, settle, undoUnderLoad } from "./plan-phases.ts";
import { resolvedSlos } from "./resolved-slos.ts";

/** Everything the load showed; what was not reached is absent, and its absence never helps the plan. */
export interface LoadEvidence {
  readonly session: Pick<LoadSession, "store" | "phases">;
  readonly driver: DriverReport;
  readonly slos: readonly SloJudgement[];
  readonly underpowered: readonly Reason[];
  readonly replay?: ReplayOutcome;
  readonly rollback: RollbackProof;
  readonly consequences: readonly Difference[];
  readonly noise: readonly string[];
  readonly brokenInvariants: readonly Reason[];
  readonly trails: readonly Pick<SloTrail, "name" | "looks">[];
}

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
    restarted: context.restarts,
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
    const replay = await replayUnderLoad(driven, session);
    acted = replay.acted;
    driven.signal.throwIfAborted();
    const observed = await observe({ context: driven, session, looks, replay });
    const undo = await undoAndRecover(driven, session, acted);
    return await conclude({ context, session, looks, underpowered, noise, replay, observed, undo });
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

/** What was seen while the plan was in force. */
interface Observed {
  readonly slos: Look["slos"];
  readonly brokenInvariants: readonly Reason[];
}

async function observe(options: {
  readonly context: LoadContext;
  readonly session: LoadSession;
  readonly looks: Looks;
  readonly replay: ReplayOutcome;
}): Promise<Observed | undefined> {
  const { context, session, looks, replay } = options;
  if (replay.end.kind !== "done") return undefined;
  const { judge } = context.job.scenario;
  await settle(context, session, context.restarts ? judge.restartSettleSeconds : judge.settleSeconds);
  const slos = await observeAfter(context, session, looks);
  if (context.job.scenario.invariants.length === 0) return { slos, brokenInvariants: [] };
  // Before the undo: what the plan breaks, its undo may mend, and then nobody would know.
  context.log.barrier("with the plan in force");
  const ask = () => askInvariants(context, "with the plan in force");
  return { slos, brokenInvariants: await session.still(ask, context.signal) };
}

async function askInvariants({ job, pair, signal }: LoadContext, when: string): Promise<readonly Reason[]> {
  const { invariants } = job.scenario;
  const asked = ROLES.map((role) => brokenInvariants(pair[role], invariants, { when, signal }));
  return (await Promise.all(asked)).flat();
}

type UndoEvidence = Omit<Extract<RollbackProof, { kind: "run" }>, "kind" | "residue">;

async function undoAndRecover(
  context: LoadContext,
  session: LoadSession,
  acted: readonly Action[],
): Promise<UndoEvidence> {
  const undone = await undoUnderLoad(context, session, { acted, signal: context.signal });
  const operatorsLimits = context.job.scenario.slos.map((slo) => ({ slo }));
  const looks = createLooks(context, session, { slos: operatorsLimits, restarted: context.restarts });
  const notRecovered = undone.failed === undefined ? await measureRecovery(context, session, looks) : [];
  return {
    undoMs: undone.undoMs,
    withinMs: context.job.plan.rollback.withinSeconds * 1000,
    notRecovered,
    ...(undone.failed === undefined ? {} : { failed: undone.failed }),
  };
}

/** The last barrier and everything it shows; a run that stopped early has proven no rollback under load. */
async function conclude(options: {
  readonly context: LoadContext;
  readonly session: LoadSession;
  readonly looks: Looks;
  readonly underpowered: readonly Reason[];
  readonly noise?: Noise;
  readonly replay?: ReplayOutcome;
  readonly observed?: Observed | undefined;
  readonly undo?: UndoEvidence;
}): Promise<LoadEvidence> {
  const { context, session, looks, noise, undo } = options;
  context.log.phase("barrier");
  const { driver, fingerprints } = await session.finish(context.signal);
  refuseBottleneck(driver);
  const compared =
    noise === undefined
      ? NOTHING_COMPARED
      : compareStates(context, { now: fingerprints, noise, discordant: discordantRequests(session) });
  const invariants = await askInvariants(context, "at the last barrier");
  const baseline = session.phases.baseline ?? { fromMs: 0, toMs: 0 };
  return {
    session,
    driver,
    slos: options.observed?.slos ?? looks.judge({ baseline, after: { fromMs: baseline.toMs, toMs: baseline.toMs } }),
    underpowered: options.underpowered,
    ...(options.replay === undefined ? {} : { replay: options.replay }),
    rollback:
      undo === undefined
        ? { kind: "not-run", why: "the plan was not replayed under load" }
        : { kind: "run", ...undo, residue: compared.residue },
    consequences: compared.consequences,
    noise: noise === undefined ? [] : describeNoise(noise),
    brokenInvariants: [...(options.observed?.brokenInvariants ?? []), ...invariants],
    trails: looks.trails(),
  };
}

const NOTHING_COMPARED: BarrierComparison = { residue: [], consequences: [], noise: [] };

/** Requests that ended differently on the twins over the whole run: each may have left rows on one of them only. */
function discordantRequests({ store, axisMs }: LoadSession): number {
  const work = workByRoute(store, { fromMs: 0, toMs: axisMs() });
  return work.reduce((sum, route) => sum + route.shadowOnly + route.controlOnly, 0);
}

/** State after the undo, against the state before anything and against the control now. */
function compareStates(
  context: LoadContext,
  seen: { readonly now: Readonly<Record<Role, Fingerprint>>; readonly noise: Noise; readonly discordant: number },
): BarrierComparison {
  const { job, quiet, reference } = context;
  const { now, noise, discordant } = seen;
  return compareAtBarrier({
    reference: reference.shadow,
    control: now.control,
    shadow: now.shadow,
    noise,
    consequences: job.plan.actions.flatMap((action) => action.changes),
    directEffects: quiet.actions.flatMap((action) => action.effects.map((effect) => effect.path)),
    discordantRequests: discordant,
  });
}

function refuseBottleneck(driver: DriverReport): void {
  if (driver.bottleneck.kind === "no") return;
  throw new CanaryError({
    code: "DRIVER_BOTTLENECK",
    message: `the load generator was the bottleneck: ${driver.bottleneck.why}`,
    hint: "There is no verdict. Lower the rate of the scenario's traffic, or free the machine and run again.",
  });
}

/** A run that is stopped owes the same rollback; it gets a time-box of its own, and trouble in it hides nothing. */
async function undoAfterAbort(context: LoadContext, session: LoadSession, acted: readonly Action[]): Promise<void> {
  if (acted.length === 0 || session.phases.undoing !== undefined) return;
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
