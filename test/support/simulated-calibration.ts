import { CanaryError } from "../../src/core/errors.ts";
import type { Machine, Profile } from "../../src/judge/profile.ts";
import type { CalibrationEvent } from "../../src/report/calibration-event.ts";
import { type CalibrationSize, calibrate } from "../../src/run/calibrate.ts";
import { simulatedDriver } from "./simulated-driver.ts";
import type { Fault } from "./simulated-faults.ts";
import { simulatedJob } from "./simulated-job.ts";
import { simulatedRuntime } from "./simulated-runtime.ts";
import { type SimulatedStage, simulatedStage } from "./simulated-stage.ts";
import { simulatedState } from "./simulated-state.ts";

/** How one simulated calibration went, and what it left. */
export interface SimulatedCalibration {
  readonly stage: SimulatedStage;
  readonly end:
    | { readonly kind: "profile"; readonly profile: Profile }
    | { readonly kind: "error"; readonly error: unknown };
  readonly events: readonly CalibrationEvent[];
  /** Pairs of twins raised and removed, scratch folders opened and removed. */
  readonly tornDown: number;
  readonly scratches: { opened: number; removed: number };
  readonly sleeping: number;
}

/** The machine of the simulations. */
export const SIMULATED_MACHINE: Machine = {
  cpuModel: "Simulated CPU",
  cores: 2,
  memoryClassGib: 8,
  engine: "simulated",
  twinCores: "shared",
};

/** Calibrates in a simulated world: the real `calibrate`, nothing else real. */
export async function simulateCalibration(options: {
  readonly seed: number;
  readonly size?: CalibrationSize;
  readonly faults?: readonly Fault[];
  /** A person stops it when it enters this stage of this round. */
  readonly stopAt?: { readonly round: number; readonly stage: string };
}): Promise<SimulatedCalibration> {
  const { seed, size = { rounds: 4, seconds: 10 }, faults = [] } = options;
  const stage = simulatedStage(seed, faults);
  const runtime = simulatedRuntime(stage);
  const scratches = { opened: 0, removed: 0 };
  const events: CalibrationEvent[] = [];
  const stop = new AbortController();
  const end = await calibrate(
    simulatedJob({ seed, plan: "change-settings", faults }),
    size,
    {
      clock: stage.clock,
      runtime,
      startDriver: simulatedDriver(stage, { planInForce: () => false, planted: () => undefined }),
      state: simulatedState,
      openScratch: async () => {
        scratches.opened++;
        return {
          recordingDir: "/simulated/scratch",
          saveMetrics: () => undefined,
          saveResponses: () => undefined,
          saveManifest: async () => undefined,
          [Symbol.asyncDispose]: async () => {
            scratches.removed++;
          },
        };
      },
      observe: (event) => {
        events.push(event);
        const { stopAt } = options;
        if (event.kind !== "stage" || event.round !== stopAt?.round || event.stage !== stopAt.stage) return;
        stop.abort(new CanaryError({ code: "ABORTED_BY_HUMAN", message: "stopped (simulated)", hint: "Run again." }));
      },
      machine: SIMULATED_MACHINE,
      harnessVersion: "0.0.0-simulated",
    },
    stop.signal,
  ).then(
    (profile) => ({ kind: "profile" as const, profile }),
    (error: unknown) => ({ kind: "error" as const, error }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  stage.clock.stop();
  return { stage, end, events, tornDown: runtime.tornDown().times, scratches, sleeping: stage.clock.sleeping };
}
