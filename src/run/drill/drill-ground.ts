import { CanaryError, messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { Fingerprint } from "../../mirror/fingerprint.ts";
import { dependenciesOf } from "../../mirror/proxy/proxy-layout.ts";
import type { FileOfService, Restored, Snapshot } from "../../mirror/snapshots/snapshot.ts";
import { coarseDifference } from "../../mirror/state/difference.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { CellOutcome, DrillStage } from "../../replay/drill/drill-stage.ts";
import { type HealthAnswer, waitUntilWell } from "../../replay/drill/health.ts";
import { healthTools } from "../../replay/drill/play-cell.ts";
import { DrillSchema, type DrillSpec } from "../../replay/faults/fault-spec.ts";
import type { DrillReset } from "../../report/drill/drill-report.ts";
import { removalOf } from "../removal.ts";
import type { RunJob } from "../run-job.ts";
import type { DrillEffects } from "./drill-effects.ts";

/** The raised pair that cells are played on, one after the other. Disposing removes it, whatever state it is in. */
export interface DrillGround extends AsyncDisposable {
  /** The stage as it stands now; its state is the reference. */
  stage(): DrillStage;
  /** Makes the shadow what it was before the cell: by nothing, a restart, a snapshot, or a new pair as the last resort. */
  reset(after: Pick<CellOutcome, "result" | "differences" | "health">, signal: AbortSignal): Promise<DrillReset>;
}

/**
 * Raises the pair with a proxy in every dependency, freezes what acts on its own, and takes the reference.
 * @throws CanaryError MIRROR_UNAVAILABLE when it can not be raised, the twins differ, or the mirror is not well to begin with
 */
export async function openDrillGround(job: RunJob, effects: DrillEffects, signal: AbortSignal): Promise<DrillGround> {
  const spec = job.scenario.drill ?? DrillSchema.parse({});
  const learnedMs = new Map<string, number>();
  let raised = await raiseQuiet({ job, effects, number: 1 }, signal);
  let raises = 1;
  const stage = (): DrillStage => stageOf({ job, effects, spec, raised, learnedMs });
  const raiseAnew = async (): Promise<void> => {
    await raised.pair[Symbol.asyncDispose]();
    raises += 1;
    raised = await raiseQuiet({ job, effects, number: raises }, signal);
  };
  const log = { note: (message: string) => effects.observe({ kind: "note", message }) };
  await using opening = new AsyncDisposableStack();
  opening.defer(async () => await removalOf(raised.pair, log)[Symbol.asyncDispose]());
  requireWell((await waitUntilWell(healthTools(stage()), signal)).answers);
  const opened = opening.move();
  return {
    stage,
    reset: (after, resetting) => {
      const restore = (signal: AbortSignal): Promise<Restored> => raised.snapshot.restore(signal);
      return resetStage({ stage, restore, raiseAnew, clock: effects.clock, log }, after, resetting);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface Raised {
  readonly pair: TwinPair;
  /** Of the shadow; restored between cells where an undo left something. */
  readonly snapshot: Snapshot;
  readonly reference: Fingerprint;
}

async function raiseQuiet(
  { job, effects, number }: { readonly job: RunJob; readonly effects: DrillEffects; readonly number: number },
  signal: AbortSignal,
): Promise<Raised> {
  const { spec, scenario } = job;
  await using raising = new AsyncDisposableStack();
  const pair = raising.use(
    await effects.runtime.raise({
      spec,
      runId: number === 1 ? job.runId : `${job.runId}-${number}`,
      isolation: scenario.isolation,
      // Nothing is compared by speed, and the control only stands there to be read.
      cores: "shared",
      proxied: dependenciesOf(spec),
      onProgress: (message) => effects.observe({ kind: "note", message }),
      signal,
    }),
  );
  const twins = [pair.control, pair.shadow] as const;
  await Promise.all(twins.map((twin) => twin.freeze(spec.background, signal)));
  // Of both, so that they stay equal: a snapshot leaves a copy on the server.
  const files = filesOf(job);
  const [, snapshot] = await Promise.all(
    twins.map((twin) => effects.snapshots.take({ twin, stores: spec.state, files, signal })),
  );
  invariant(snapshot !== undefined, "two snapshots were taken");
  const [control, shadow] = await Promise.all(
    twins.map((twin) => effects.state.fingerprint(twin, spec.state, { signal })),
  );
  invariant(control !== undefined && shadow !== undefined, "two twins have two fingerprints");
  const [first] = coarseDifference(control, shadow);
  if (first !== undefined) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the twins are not equal before anything happened: ${first.kind} ${first.path}`,
      hint: "Make the mirror's seed deterministic.",
    });
  }
  raising.move();
  return { pair, reference: shadow, snapshot };
}

/** Files that the plan's actions name: no store's snapshot holds them. */
function filesOf({ plan }: RunJob): readonly FileOfService[] {
  return plan.actions.flatMap(({ step }) =>
    step.uses === "file" || step.uses === "flag" ? [{ service: step.with.service, path: step.with.path }] : [],
  );
}

function stageOf(made: {
  readonly job: RunJob;
  readonly effects: DrillEffects;
  readonly spec: DrillSpec;
  readonly raised: Raised;
  readonly learnedMs: Map<string, number>;
}): DrillStage {
  const { job, effects, spec, raised, learnedMs } = made;
  const { faults } = raised.pair;
  invariant(faults !== undefined, "a pair that was raised with proxies has switches");
  return {
    plan: job.plan,
    pair: raised.pair,
    faults,
    reference: raised.reference,
    spec,
    state: effects.state,
    intent: effects.store.intent,
    clock: effects.clock,
    baseDir: job.scenarioDir,
    ...(effects.mint === undefined ? {} : { mint: effects.mint }),
    learnedMs,
    onStep: () => undefined,
  };
}

interface Resetting {
  readonly stage: () => DrillStage;
  readonly restore: (signal: AbortSignal) => Promise<Restored>;
  readonly raiseAnew: () => Promise<void>;
  readonly clock: DrillEffects["clock"];
  readonly log: { note(message: string): void };
}

async function resetStage(
  { stage, restore, raiseAnew, clock, log }: Resetting,
  after: Pick<CellOutcome, "result" | "differences" | "health">,
  signal: AbortSignal,
): Promise<DrillReset> {
  const startedMs = clock.monotonicMs();
  const done = (way: DrillReset["way"], restarted: readonly string[] = []): DrillReset => ({
    way,
    tookMs: clock.monotonicMs() - startedMs,
    restarted: [...restarted],
  });
  const unwell = after.health.filter(({ healthy }) => !healthy);
  const same = after.result !== "error" && after.differences.length === 0;
  if (same && unwell.length === 0) return done("none");
  if (same) {
    const restarted = await restartUnwell(stage(), unwell, signal);
    if (restarted !== undefined) return done("restarted", restarted);
  }
  const revived = await bySnapshot(stage(), restore, signal);
  if (revived !== undefined) return done("snapshot", revived);
  log.note("the snapshot did not bring everything back, so the twins are raised anew");
  await raiseAnew();
  requireWell((await waitUntilWell(healthTools(stage()), signal)).answers);
  return done("raised-anew");
}

/**
 * Restores the snapshot, lets the applications find their stores again, and restarts those that do not; answers which.
 * `undefined` when the state is not the reference afterwards, or something stays unwell.
 */
async function bySnapshot(
  stage: DrillStage,
  restore: Resetting["restore"],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const { restarted } = await restore(signal);
    const after = await stage.state.fingerprint(stage.pair.shadow, stage.pair.spec.state, { signal });
    if (coarseDifference(stage.reference, after).length > 0) return undefined;
    const { answers } = await waitUntilWell(healthTools(stage), signal);
    const unwell = answers.filter(({ healthy }) => !healthy);
    const more = unwell.length === 0 ? [] : await restartUnwell(stage, unwell, signal);
    return more === undefined ? undefined : [...restarted, ...more];
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CanaryError)) throw thrown;
    return undefined;
  }
}

/** Restarts what did not get well by itself; `undefined` when that did not help or changed the state. */
async function restartUnwell(
  stage: DrillStage,
  unwell: readonly HealthAnswer[],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const services = [...new Set(unwell.map(({ service }) => service))];
  try {
    for (const service of services) await stage.faults.restart(service, signal);
    const { answers } = await waitUntilWell(healthTools(stage), signal);
    const after = await stage.state.fingerprint(stage.pair.shadow, stage.pair.spec.state, { signal });
    const well = answers.every(({ healthy }) => healthy) && coarseDifference(stage.reference, after).length === 0;
    return well ? services : undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CanaryError)) throw thrown;
    return undefined;
  }
}

function requireWell(answers: readonly HealthAnswer[]): void {
  const unwell = answers.filter(({ healthy }) => !healthy);
  if (unwell.length === 0) return;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `the mirror is not well before anything was done to it: ${unwell.map(({ name }) => name).join(", ")}`,
    hint: unwell.map(({ name, said }) => `${name}: ${messageOf(said)}`).join("\n"),
  });
}
