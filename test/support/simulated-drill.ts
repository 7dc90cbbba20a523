import { CanaryError } from "../../src/core/errors.ts";
import { unfinishedRollback } from "../../src/core/intent-log.ts";
import type { Twin } from "../../src/mirror/twin.ts";
import type { DrillEvent, DrillReport } from "../../src/report/drill/drill-report.ts";
import type { DrillEffects } from "../../src/run/drill/drill-effects.ts";
import { runDrill } from "../../src/run/drill/run-drill.ts";
import type { RunJob } from "../../src/run/run-job.ts";
import { ASKING } from "./shipped-policy.ts";
import {
  feeling,
  type SimulatedSwitchboard,
  simulatedFaultSwitches,
  simulatedSwitchboard,
} from "./simulated-fault-switches.ts";
import type { Fault } from "./simulated-faults.ts";
import { type SimulatedPlanName, simulatedJob } from "./simulated-job.ts";
import { simulatedRuntime } from "./simulated-runtime.ts";
import { type SimulatedStage, simulatedStage } from "./simulated-stage.ts";
import { simulatedState } from "./simulated-state.ts";
import type { SimulatedTwin } from "./simulated-twin.ts";
import type { SimulatedWorld } from "./simulated-world.ts";

/** How one simulated drill went, and what it left. */
export interface SimulatedDrill {
  readonly stage: SimulatedStage;
  readonly board: SimulatedSwitchboard;
  readonly events: readonly DrillEvent[];
  readonly published: readonly DrillReport[];
  /** The folder that the twins were taken hold of from again, once for each death of the harness. */
  readonly deaths: readonly string[];
  /** Services whose stores were brought back, once for each restore. */
  readonly restored: readonly (readonly string[] | "all")[];
  readonly end:
    | { readonly kind: "report"; readonly report: DrillReport }
    | { readonly kind: "error"; readonly error: unknown };
  readonly tornDown: { readonly times: number; readonly shadowRestored: boolean };
  readonly sleeping: number;
}

/** Faults that the drill itself strikes. */
const DRILL = {
  faults: [
    { kind: "kill", service: "db" },
    { kind: "pause", service: "db" },
    { kind: "slow", from: "api", to: "db", latencyMs: 200, jitterMs: 0 },
    { kind: "cut", from: "api", to: "cache" },
    { kind: "failing", from: "api", to: "cache" },
    { kind: "disconnect", service: "cache" },
    { kind: "cpu", service: "api", cpus: 0.1 },
    { kind: "memory", service: "api", memoryBytes: 64 * 1024 * 1024 },
  ],
  holdSeconds: 3,
  recoverSeconds: 5,
} as const;

/** Drills a plan in a simulated world: the real `runDrill`, nothing else real. */
export async function simulateDrill(options: {
  readonly seed: number;
  readonly plan?: SimulatedPlanName;
  readonly faults?: readonly Fault[];
  /** Laid over the plan: its ways out. */
  readonly laidOverPlan?: object;
  /** Restoring says that it worked and brings nothing back. */
  readonly snapshotsFail?: true;
  /** A transaction that is rolled back leaves a key. */
  readonly trialsLeave?: true;
  readonly prepare?: (board: SimulatedSwitchboard) => void;
  readonly onEvent?: (event: DrillEvent, board: SimulatedSwitchboard, abort: () => void) => void;
}): Promise<SimulatedDrill> {
  const { seed, plan = "change-data", faults = [], laidOverPlan = {} } = options;
  const stage = simulatedStage(seed, faults);
  const runtime = simulatedRuntime(stage);
  const board = simulatedSwitchboard();
  const events: DrillEvent[] = [];
  const published: DrillReport[] = [];
  const deaths: string[] = [];
  const restored: (readonly string[] | "all")[] = [];
  const stop = new AbortController();
  const abort = (): void =>
    stop.abort(new CanaryError({ code: "ABORTED_BY_HUMAN", message: "stopped (simulated)", hint: "Run again." }));
  for (const fault of faults) if (fault.kind === "aborted") stage.when(fault.when, abort);
  const effects: DrillEffects = {
    clock: stage.clock,
    state: simulatedState,
    snapshots: simulatedSnapshots(options.snapshotsFail === true, restored),
    parseSql: ASKING.parse,
    policy: ASKING.policy,
    harnessVersion: "0.0.0-simulated",
    runtime: {
      raise: async (asked) => {
        const pair = await runtime.raise(asked);
        // A raised pair is a new one: no switch of the old one is thrown on it.
        for (const switches of [board.containers, board.toxics, board.limits, board.stubs]) switches.clear();
        board.unwell.clear();
        options.prepare?.(board);
        const nap = (): Promise<void> => new Promise((wake) => stage.clock.at(stage.clock.monotonicMs() + 50, wake));
        const links = asked.proxied ?? [];
        return {
          ...pair,
          shadow: feeling(options.trialsLeave === true ? leavingOfTrials(pair.shadow) : pair.shadow, board, nap),
          faults: simulatedFaultSwitches(board, links),
          reattach: async () => void deaths.push(asked.folder ?? ""),
          [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
        };
      },
    },
    store: {
      folder: "/simulated",
      intent: stage.store.intent,
      keepForResume: stage.store.keepForResume,
      nextHarness: async () => {
        const unfinished = unfinishedRollback(stage.store.intents);
        const kept = stage.store.kept.at(-1);
        if (unfinished === undefined || kept === undefined) return undefined;
        return { folder: "/simulated", unfinished, kept, intent: stage.store.intent };
      },
      publish: async (report) => {
        published.push(report);
        return "/simulated";
      },
      [Symbol.asyncDispose]: async () => undefined,
    },
    observe: (event) => {
      events.push(event);
      options.onEvent?.(event, board, abort);
    },
  };
  const end = await runDrill(drillJob({ seed, plan, faults, laidOverPlan }), effects, stop.signal).then(
    (report) => ({ kind: "report" as const, report }),
    (error: unknown) => ({ kind: "error" as const, error }),
  );
  await new Promise((resolve) => setImmediate(resolve));
  stage.clock.stop();
  return {
    stage,
    board,
    events,
    published,
    deaths,
    restored,
    end,
    tornDown: runtime.tornDown(),
    sleeping: stage.clock.sleeping,
  };
}

function leavingOfTrials(twin: Twin): Twin {
  const { world } = twin as SimulatedTwin;
  return {
    ...twin,
    sql: async (database, text, params) => {
      if (text.startsWith("BEGIN")) world.keys.get("cache")?.set("left-by-trial", "over");
      return await twin.sql(database, text, params);
    },
  };
}

/** A snapshot of a simulated twin is a copy of its world. */
function simulatedSnapshots(fail: boolean, restored: (readonly string[] | "all")[]): DrillEffects["snapshots"] {
  return {
    take: async ({ twin }) => {
      const { world } = twin as SimulatedTwin;
      const kept = structuredClone(world);
      return {
        role: twin.role,
        facts: { stores: [], tookMs: 0, restarted: [] },
        restore: async (_signal, only) => {
          restored.push(only === undefined ? "all" : [...only]);
          if (!fail) bringBack(world, kept, only);
          return { tookMs: 1, survived: [], restarted: [], unrestored: [] };
        },
        losses: async () => [],
      };
    },
  };
}

function bringBack(world: SimulatedWorld, kept: SimulatedWorld, only: ReadonlySet<string> | undefined): void {
  const { databases, keys } = world;
  Object.assign(world, structuredClone(kept));
  for (const [service, database] of databases) if (only?.has(service) === false) world.databases.set(service, database);
  for (const [service, entries] of keys) if (only?.has(service) === false) world.keys.set(service, entries);
}

function drillJob(options: Parameters<typeof simulatedJob>[0]): RunJob {
  const job = simulatedJob(options);
  const dependsOn = (service: string) => ({ service, condition: "service_started", required: true }) as const;
  const healthcheck = { test: ["CMD", "true"], intervalMs: 1, timeoutMs: 1, retries: 1, startPeriodMs: 0 };
  return {
    ...job,
    scenario: { ...job.scenario, drill: { ...DRILL, faults: [...DRILL.faults] } },
    spec: {
      ...job.spec,
      services: job.spec.services.map((service) => ({
        ...service,
        healthcheck,
        dependsOn: service.name === "api" ? [dependsOn("db"), dependsOn("cache")] : [],
      })),
    },
  };
}
