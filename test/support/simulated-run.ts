import { CanaryError } from "../../src/core/errors.ts";
import type { Profile } from "../../src/judge/profile.ts";
import type { StateAccess } from "../../src/mirror/state/state-access.ts";
import type { PairBatch } from "../../src/replay/recording.ts";
import type { RunEvent } from "../../src/report/run-event.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import type { JobTrust } from "../../src/run/job-trust.ts";
import { runCanary } from "../../src/run/run-canary.ts";
import { ASKING } from "./shipped-policy.ts";
import { simulatedDriver } from "./simulated-driver.ts";
import type { Fault } from "./simulated-faults.ts";
import { type SimulatedPlanName, simulatedJob } from "./simulated-job.ts";
import { type SimulatedRuntime, simulatedRuntime } from "./simulated-runtime.ts";
import { type SnapshotTrouble, simulatedSnapshots } from "./simulated-snapshots.ts";
import { type SimulatedStage, simulatedStage } from "./simulated-stage.ts";
import { simulatedState } from "./simulated-state.ts";

/** Loaded before any world begins: its time must not depend on how fast a module is read. */

/** How one simulated rehearsal went, and what it left. */
export interface SimulatedRun {
  readonly stage: SimulatedStage;
  readonly end:
    | { readonly kind: "report"; readonly report: RunReport }
    | { readonly kind: "error"; readonly error: unknown };
  readonly events: readonly RunEvent[];
  readonly tornDown: ReturnType<SimulatedRuntime["tornDown"]>;
  /** Every pair that the driver delivered, in its order. */
  readonly pairs: readonly PairBatch[];
  /** Sleepers that were still waiting when the run had ended. */
  readonly sleeping: number;
  /** Virtual length, ms. */
  readonly tookMs: number;
}

/** Rehearses a plan in a simulated world: the real `runCanary`, nothing else real. */
export async function simulateRun(options: {
  readonly seed: number;
  readonly plan?: SimulatedPlanName;
  readonly faults?: readonly Fault[];
  /** Laid over the scenario's `judge` block. */
  readonly judge?: object;
  /** What the first action declares beside its own, and what the operator allows beside the scenario's own. */
  readonly declared?: readonly string[];
  readonly mayChange?: readonly string[];
  /** Laid over the scenario: triggers, safeguards. */
  readonly scenario?: object;
  /** Laid over the plan: its actions, its confidence, its promise. */
  readonly laidOverPlan?: object;
  /** Whose plan and runbook it is, where the operator asks. */
  readonly trust?: JobTrust;
  readonly proveSensitivity?: true;
  readonly snapshots?: SnapshotTrouble;
  /** A calibration profile, verified and about this run. */
  readonly profile?: Profile;
}): Promise<SimulatedRun> {
  const { seed, plan = "scale-one", faults = [] } = options;
  const stage = simulatedStage(seed, faults);
  const runtime = simulatedRuntime(stage);
  const events: RunEvent[] = [];
  const pairs: PairBatch[] = [];
  const stop = stopOf(stage);
  const planInForce = (): boolean => {
    const twins = runtime.twins();
    return twins !== undefined && settingsOf(twins.shadow.world) !== settingsOf(twins.control.world);
  };
  const startDriver = simulatedDriver(stage, { planInForce, planted: () => runtime.twins()?.shadow.planted() });
  const end = await runCanary(
    {
      ...simulatedJob({ ...options, seed, plan, faults }),
      ...(options.trust === undefined ? {} : { trust: options.trust }),
      ...(options.proveSensitivity === undefined ? {} : { proveSensitivity: options.proveSensitivity }),
      ...(options.profile === undefined
        ? {}
        : { profile: { profile: options.profile, text: "simulated", sha256: "c".repeat(64) } }),
    },
    {
      clock: stage.clock,
      runtime,
      startDriver: (asked) => {
        const onPairs = (batch: PairBatch): void => {
          pairs.push(batch);
          asked.onPairs(batch);
        };
        return startDriver({ ...asked, onPairs });
      },
      state: stateOfStillTwins(stage, runtime),
      snapshots: simulatedSnapshots(options.snapshots),
      store: stage.store,
      observe: (event) => {
        events.push(event);
        if (event.kind === "phase") stage.entered(event.phase);
      },
      parseSql: ASKING.parse,
      policy: ASKING.policy,
      harnessVersion: "0.0.0-simulated",
    },
    stop,
  ).then(
    (report) => ({ kind: "report" as const, report }),
    (error: unknown) => ({ kind: "error" as const, error }),
  );
  const tookMs = stage.clock.monotonicMs();
  await new Promise((resolve) => setImmediate(resolve));
  stage.clock.stop();
  return { stage, end, events, pairs, tornDown: runtime.tornDown(), sleeping: stage.clock.sleeping, tookMs };
}

/** Reads state as the simulation does, and notices when it is read while something still writes it. */
function stateOfStillTwins(stage: SimulatedStage, runtime: SimulatedRuntime): StateAccess {
  return {
    ...simulatedState,
    plantRogues: async (query) => {
      const rogues = await simulatedState.plantRogues(query);
      // What is planted is gone before anybody looks.
      if (stage.fault("blind")?.to === "state") for (const rogue of rogues) await rogue.remove();
      return rogues;
    },
    fingerprint: (twin, stores, options) => {
      if (stage.flowing) stage.broken.push(`the ${twin.role} was fingerprinted while traffic flowed`);
      if (runtime.twins()?.[twin.role].frozen.has("worker") !== true)
        stage.broken.push(`the ${twin.role} was fingerprinted while its worker ran`);
      return simulatedState.fingerprint(twin, stores, options);
    },
  };
}

/** Aborts as the command line does: a person with one reason, the deadline with another. */
function stopOf(stage: SimulatedStage): AbortSignal {
  const stop = new AbortController();
  for (const fault of stage.faults) {
    if (fault.kind !== "aborted") continue;
    const code = fault.by === "human" ? "ABORTED_BY_HUMAN" : "DEADLINE_EXCEEDED";
    stage.when(fault.when, () => {
      stop.abort(new CanaryError({ code, message: `stopped by the ${fault.by} (simulated)`, hint: "Run again." }));
    });
  }
  return stop.signal;
}

type World = NonNullable<ReturnType<SimulatedRuntime["twins"]>>["shadow"]["world"];

function settingsOf(world: World): string {
  return JSON.stringify([
    [...world.services].map(([name, { replicas, environment }]) => [name, replicas, environment]),
    [...(world.databases.get("db")?.tables.get("flags")?.rows.values() ?? [])],
  ]);
}
