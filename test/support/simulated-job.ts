import type { MirrorSpec, ServiceSpec } from "../../src/mirror/mirror-spec.ts";
import { type Plan, parsePlan } from "../../src/plan/plan.ts";
import type { RunJob } from "../../src/run/run-job.ts";
import { checkTogether, parseScenario } from "../../src/run/scenario.ts";
import type { Fault } from "./simulated-faults.ts";
import { type SimulatedWorld, simulatedWorld } from "./simulated-world.ts";

/**
 * What the simulated agent wants: one scaling, two of them, or something of tier 3 (SQL that puts a row and an index in
 * place, a new environment).
 */
export type SimulatedPlanName = "scale-one" | "scale-two" | "change-data" | "change-settings";
export const SIMULATED_PLANS: readonly SimulatedPlanName[] = [
  "scale-one",
  "scale-two",
  "change-data",
  "change-settings",
];

/** The query that every simulated scenario wants to be true. */
export const INVARIANT_QUERY = "SELECT every_order_has_a_customer";

interface PlannedAction {
  readonly id: string;
  readonly step: object;
  readonly changes: readonly string[];
  readonly rollback: object;
}

const SCALE_WORKER: PlannedAction = {
  id: "more-workers",
  step: { uses: "scale", with: { service: "worker", replicas: 3 } },
  changes: ["service/worker/replicas", "db/db/shop/rows/jobs/**"],
  rollback: { uses: "scale", with: { service: "worker", replicas: 1 } },
};

const SCALE_API: PlannedAction = {
  id: "more-api",
  step: { uses: "scale", with: { service: "api", replicas: 2 } },
  changes: ["service/api/replicas"],
  rollback: { uses: "scale", with: { service: "api", replicas: 1 } },
};

const SET_FLAG: PlannedAction = {
  id: "set-flag",
  step: { uses: "sql", with: { service: "db", statements: ["UPDATE flags SET enabled = 'on' WHERE name = 'dark'"] } },
  changes: ["db/db/shop/rows/flags/dark/enabled"],
  rollback: {
    uses: "sql",
    with: { service: "db", statements: ["UPDATE flags SET enabled = 'off' WHERE name = 'dark'"] },
  },
};

const ADD_INDEX: PlannedAction = {
  id: "add-index",
  step: {
    uses: "sql",
    with: {
      service: "db",
      statements: ["CREATE INDEX CONCURRENTLY orders_total ON orders (total)"],
      transaction: false,
    },
  },
  changes: ["db/db/shop/schema/orders/index/orders_total"],
  rollback: {
    uses: "sql",
    with: { service: "db", statements: ["DROP INDEX CONCURRENTLY IF EXISTS orders_total"], transaction: false },
  },
};

const SET_POOL: PlannedAction = {
  id: "set-pool",
  step: { uses: "update", with: { service: "api", environment: { POOL_SIZE: "20" } } },
  changes: ["service/api/env/POOL_SIZE"],
  rollback: { uses: "update", with: { service: "api", environment: { POOL_SIZE: "10" } } },
};

const ACTIONS: Readonly<Record<SimulatedPlanName, readonly PlannedAction[]>> = {
  "scale-one": [SCALE_WORKER],
  "scale-two": [SCALE_WORKER, SCALE_API],
  "change-data": [SET_FLAG, ADD_INDEX, SCALE_WORKER],
  "change-settings": [SET_POOL, SCALE_WORKER],
};

/** A job as `loadJob` would make it: real parsers, simulated documents. */
export function simulatedJob(options: {
  readonly seed: number;
  readonly plan: SimulatedPlanName;
  readonly faults: readonly Fault[];
  /** Laid over the scenario's `judge` block. */
  readonly judge?: object;
  /** What the first action declares beside its own. */
  readonly declared?: readonly string[];
  /** What the operator allows beside the scenario's own. */
  readonly mayChange?: readonly string[];
  /** Laid over the scenario itself: triggers, safeguards. */
  readonly scenario?: object;
  /** Laid over the plan: its actions, its confidence, its promise. */
  readonly laidOverPlan?: object;
}): RunJob {
  const { judge, mayChange = [] } = options;
  const laidOver = { judge: { ...SCENARIO.judge, ...judge }, mayChange: [...SCENARIO.mayChange, ...mayChange] };
  const scenarioText = JSON.stringify({ ...SCENARIO, ...options.scenario, ...laidOver });
  const scenario = parseScenario(scenarioText, "simulated scenario");
  const ownPlan = planTextOf(options.plan, options.faults, options.declared);
  const planText =
    options.laidOverPlan === undefined ? ownPlan : JSON.stringify({ ...JSON.parse(ownPlan), ...options.laidOverPlan });
  const plan: Plan = parsePlan(planText, "simulated plan");
  checkTogether(scenario, plan, ["browse", "search", "checkout"]);
  return {
    runId: `sim-${options.seed}`,
    seed: options.seed,
    scenario,
    scenarioText,
    scenarioFile: "simulated.yaml",
    scenarioDir: "/simulated",
    plan,
    planText,
    planFile: "simulated-plan.yaml",
    spec: SPEC,
  };
}

/** What both simulated twins hold before anything. */
export function simulatedShop(faults: readonly Fault[]): SimulatedWorld {
  const atTarget = faults.some((fault) => fault.kind === "already-at-target");
  const jobs = Array.from({ length: 20 }, (_, index) => [`job-${index}`, "waiting"]);
  return simulatedWorld({
    services: {
      api: { environment: { POOL_SIZE: atTarget ? "20" : "10", LOG_LEVEL: "info" }, replicas: atTarget ? 2 : 1 },
      worker: { replicas: atTarget ? 3 : 1 },
      db: {},
      cache: {},
    },
    databases: {
      db: {
        database: "shop",
        tables: {
          orders: { columns: ["id", "total", "token"], rows: [["order-0", "10", "seeded"]] },
          jobs: { columns: ["id", "status"], rows: jobs },
          flags: {
            columns: ["name", "enabled"],
            rows: [
              ["dark", "off"],
              ["beta", "off"],
            ],
          },
        },
      },
    },
    keys: { cache: { "greeting:en": "hello" } },
  });
}

function planTextOf(name: SimulatedPlanName, faults: readonly Fault[], declared: readonly string[] = []): string {
  const has = (kind: Fault["kind"]): boolean => faults.some((fault) => fault.kind === kind);
  const extra = [
    ...declared,
    ...(has("absent-effect") ? ["service/worker/memory"] : []),
    ...(has("plan-not-allowed") ? ["service/db/image"] : []),
    ...(has("plan-calls-stub") ? ["stub/payments.example/POST/**"] : []),
  ];
  const actions = ACTIONS[name].map(({ id, step, changes, rollback }, index) => ({
    id,
    what: `do ${id}`,
    why: "the simulation asks for it",
    ...step,
    requires: ["simulated:all", "postgres:ddl@shop"],
    changes: index === 0 ? [...changes, ...extra] : changes,
    rollback,
    timeoutSeconds: 20,
  }));
  return JSON.stringify({
    schema: "canary.plan/v1",
    name,
    agent: { id: "agent-7", version: "1.0.0", model: { provider: "acme", name: "ops", version: "2026-01-01" } },
    target: { environment: "production/simulated" },
    tier: 2,
    confidence: 0.95,
    intent: "Drain the backlog",
    actions,
    evidence: [{ kind: "metric", summary: "queue depth 41k and rising" }],
    expects: [
      { slo: "jobs-done", delta: { from: "+50%", to: "+400%" } },
      { slo: "errors", delta: { to: "+2pp" }, during: { excessErrors: 20 } },
    ],
    rollback: { withinSeconds: 60 },
  });
}

/** Short blocks and few requests: a rehearsal of a few virtual minutes is over in some real milliseconds. */
const SCENARIO = {
  schema: "canary.scenario/v1",
  name: "simulated",
  mirror: "compose.yaml",
  plan: "plan.yaml",
  environment: { id: "production/simulated", class: "production" },
  traffic: {
    ratePerSecond: 60,
    mix: [
      { route: "browse", weight: 3, http: { path: "/products" } },
      { route: "search", weight: 2, http: { path: "/search" } },
      { route: "checkout", weight: 1, http: { method: "POST", path: "/checkout" } },
    ],
  },
  warmupSeconds: 2,
  slos: [
    { name: "latency", measure: { kind: "latency", quantile: 0.9 }, limit: { to: "+25%" } },
    { name: "errors", measure: { kind: "errors" }, limit: { to: "+3pp" } },
    {
      name: "jobs-done",
      measure: { kind: "counter", service: "worker", metric: "jobs_done_total" },
      limit: { from: "-10%" },
    },
  ],
  mayChange: [
    "service/*/replicas",
    "service/worker/memory",
    "service/api/env/POOL_SIZE",
    "db/db/shop/rows/jobs/**",
    "db/db/shop/rows/flags/dark/*",
    "db/db/shop/schema/orders/index/orders_total",
    "stub/payments.example/**",
  ],
  invariants: [{ name: "orders-have-customers", sql: { service: "db", query: INVARIANT_QUERY } }],
  judge: {
    blockSeconds: 2,
    baselineSecondsMax: 130,
    settleSeconds: 2,
    restartSettleSeconds: 4,
    observeSecondsMax: 60,
  },
  maxMinutes: 30,
};

const SPEC: MirrorSpec = {
  name: "shop",
  baseDir: "/simulated",
  sha256: "5".repeat(64),
  services: ["api", "worker", "db", "cache"].map(serviceSpec),
  entry: { http: { service: "api", port: 8080 } },
  state: [
    { kind: "postgres", service: "db", port: 5432, database: "shop", user: "shop", password: "simulated" },
    { kind: "redis", service: "cache", port: 6379 },
  ],
  metrics: [{ service: "worker", port: 9100, path: "/metrics" }],
  stubs: [{ host: "git.example", handlersPath: "/simulated/git.ts" }],
  flags: [],
  background: ["worker"],
  fidelity: ["everything is simulated"],
};

function serviceSpec(name: string): ServiceSpec {
  return {
    name,
    image: { kind: "image", reference: `${name}:1` },
    environment: {},
    ports: [8080],
    mounts: [],
    dependsOn: [],
    capAdd: [],
    capDrop: [],
    readOnlyRoot: false,
    ulimits: [],
    init: false,
    stopGraceMs: 1000,
    replicas: 1,
    labels: {},
    extraHosts: [],
    securityOpt: [],
    sysctls: {},
    aliases: [],
  };
}
