import { CanaryError } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { Fingerprint } from "../../mirror/fingerprint.ts";
import { dependenciesOf } from "../../mirror/proxy/proxy-layout.ts";
import type { FileOfService, Snapshot } from "../../mirror/snapshots/snapshot.ts";
import type { TwinPair } from "../../mirror/twin.ts";
import type { CellOutcome, DrillStage } from "../../replay/drill/drill-stage.ts";
import { waitUntilWell } from "../../replay/drill/health.ts";
import { healthTools } from "../../replay/drill/play-cell.ts";
import { DrillSchema, type DrillSpec } from "../../replay/faults/fault-spec.ts";
import type { DrillReset } from "../../report/drill/drill-report.ts";
import { filesOfControl, undosOf } from "../left-behind.ts";
import { removalOf } from "../removal.ts";
import type { RunJob } from "../run-job.ts";
import { unequalTwins } from "../unequal-twins.ts";
import type { DrillEffects } from "./drill-effects.ts";
import { requireWell, resetStage } from "./reset-stage.ts";

/** The raised pair that cells are played on, one after the other. Disposing removes it, whatever state it is in. */
export interface DrillGround extends AsyncDisposable {
  /** The stage as it stands now; its state is the reference. */
  stage(): DrillStage;
  /** Makes the shadow what it was before the cell: by nothing, a restart, a snapshot, or a new pair as the last resort. */
  reset(after: Pick<CellOutcome, "result" | "differences" | "health">, signal: AbortSignal): Promise<DrillReset>;
}

/** What is drilled: a job, and how policy says that each of its actions can be tried first. */
export interface Drilled {
  readonly job: RunJob;
  readonly dryRuns: DrillStage["dryRuns"];
}

/**
 * Raises the pair with a proxy in every dependency, freezes what acts on its own, and takes the reference.
 * @throws CanaryError MIRROR_UNAVAILABLE when it can not be raised, the twins differ, or the mirror is not well to begin with
 */
export async function openDrillGround(
  { job, dryRuns }: Drilled,
  effects: DrillEffects,
  signal: AbortSignal,
): Promise<DrillGround> {
  const spec = job.scenario.drill ?? DrillSchema.parse({});
  const learnedMs = new Map<string, number>();
  let raised = await raiseQuiet({ job, effects, number: 1 }, signal);
  let raises = 1;
  const stage = (): DrillStage => stageOf({ job, dryRuns, effects, spec, raised, learnedMs });
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
      const { clock } = effects;
      return resetStage({ stage, snapshot: () => raised.snapshot, raiseAnew, clock, log }, after, resetting);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

interface Raised {
  readonly pair: TwinPair;
  /** Of the shadow; restored between cells where an undo left something. */
  readonly snapshot: Snapshot;
  readonly reference: Fingerprint;
  readonly controlReference: Fingerprint;
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
      folder: effects.store.folder,
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
  const [first] = unequalTwins({ control, shadow });
  if (first !== undefined) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `the twins are not equal before anything happened: ${first.kind} ${first.path}`,
      hint: "Make the mirror's seed deterministic.",
    });
  }
  await effects.store.keepForResume({
    ...undosOf(job),
    reference: shadow,
    controlReference: filesOfControl(control),
    consequences: [],
    directEffects: [],
  });
  raising.move();
  return { pair, reference: shadow, controlReference: control, snapshot };
}

/** Files that the plan's actions name: no store's snapshot holds them. */
function filesOf({ plan }: RunJob): readonly FileOfService[] {
  return plan.actions.flatMap(({ step }) =>
    step.uses === "file" || step.uses === "flag" ? [{ service: step.with.service, path: step.with.path }] : [],
  );
}

function stageOf(
  made: Drilled & {
    readonly effects: DrillEffects;
    readonly spec: DrillSpec;
    readonly raised: Raised;
    readonly learnedMs: Map<string, number>;
  },
): DrillStage {
  const { job, dryRuns, effects, spec, raised, learnedMs } = made;
  const { faults, reattach } = raised.pair;
  invariant(faults !== undefined, "a pair that was raised with proxies has switches");
  invariant(reattach !== undefined, "a pair that was raised with a folder can be taken hold of again");
  return {
    plan: job.plan,
    pair: raised.pair,
    faults,
    reference: raised.reference,
    controlReference: raised.controlReference,
    spec,
    state: effects.state,
    intent: effects.store.intent,
    nextHarness: async (signal) => {
      const left = await effects.store.nextHarness();
      await reattach(signal);
      return left;
    },
    clock: effects.clock,
    baseDir: job.scenarioDir,
    ...(effects.mint === undefined ? {} : { mint: effects.mint }),
    learnedMs,
    dryRuns,
    onStep: () => undefined,
  };
}
