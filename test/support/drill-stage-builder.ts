import { fileURLToPath } from "node:url";
import type { Clock } from "../../src/core/clock.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import type { FaultSwitches } from "../../src/mirror/twin-faults.ts";
import type { Action } from "../../src/plan/plan.ts";
import type { DrillStage } from "../../src/replay/drill/drill-stage.ts";
import { planOf } from "./action-builder.ts";
import { shopSpec, shopWorld } from "./simulated-shop.ts";
import { fingerprintOf, simulatedState } from "./simulated-state.ts";
import { type SimulatedTwin, simulatedPair } from "./simulated-twin.ts";

/** What a stage of one action differs in from the plain one. */
export interface DrillStageParts {
  readonly action: Action;
  readonly clock: Clock;
  /** How long the action took when nothing disturbed it, ms; absent: nobody knows. */
  readonly learnedMs?: number;
  readonly world?: ReturnType<typeof shopWorld>;
  readonly shadow?: Partial<Twin>;
  readonly spec?: Partial<DrillStage["spec"]>;
  /** Of every service that is asked; `undefined`: it has no health check. */
  readonly health?: { readonly healthy: boolean; readonly said: string } | undefined;
}

/** A stage in the simulated shop, and its shadow as it is without what was laid over it. */
export function drillStage(parts: DrillStageParts): { readonly stage: DrillStage; readonly shadow: SimulatedTwin } {
  const { action, clock, learnedMs, world = shopWorld(), shadow = {}, health } = parts;
  const base = simulatedPair({ spec: shopSpec, world });
  const reference = fingerprintOf(base.shadow.world);
  const spec = {
    ...shopSpec,
    metrics: [{ service: "api", port: 9100, path: "/metrics" }],
    services: [{ name: "api", healthcheck: { test: ["CMD", "true"] } } as never],
  };
  const stage: DrillStage = {
    plan: planOf(action),
    pair: { ...base, spec, shadow: { ...base.shadow, ...shadow } },
    faults: { health: async () => health } as Partial<FaultSwitches> as FaultSwitches,
    reference,
    controlReference: reference,
    spec: { holdSeconds: 3, recoverSeconds: 5, ...parts.spec },
    state: simulatedState,
    intent: { record: async () => undefined },
    nextHarness: async () => undefined,
    clock,
    baseDir: fileURLToPath(new URL("../replay/fixtures", import.meta.url)),
    learnedMs: new Map(learnedMs === undefined ? [] : [[action.id, learnedMs]]),
    dryRuns: new Map(),
    onStep: () => undefined,
  };
  return { stage, shadow: base.shadow };
}
