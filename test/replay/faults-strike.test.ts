import { expect, test } from "vitest";
import { defaultFaults, faultProblems } from "../../src/replay/faults/default-faults.ts";
import { DrillSchema, type Fault, FaultSchema, faultName, faultWhat } from "../../src/replay/faults/fault-spec.ts";
import { strikeFault } from "../../src/replay/faults/strike-fault.ts";
import { NEVER, simulatedClock } from "../support/simulated-clock.ts";
import { feeling, simulatedFaultSwitches, simulatedSwitchboard } from "../support/simulated-fault-switches.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedTwin } from "../support/simulated-twin.ts";

const LINKS = [
  { from: "api", to: "db", port: 5432 },
  { from: "api", to: "cache", port: 6379 },
];
const SERVICES = ["api", "worker", "db", "cache"].map((name) => ({ name }) as never);
const SPEC = { ...shopSpec, services: SERVICES };

function world(prepare: (board: ReturnType<typeof simulatedSwitchboard>) => void = () => undefined) {
  const clock = simulatedClock();
  const board = simulatedSwitchboard();
  prepare(board);
  const nap = (): Promise<void> => new Promise((wake) => clock.at(clock.monotonicMs() + 50, wake));
  const shadow = feeling(simulatedTwin("shadow", shopWorld()), board, nap);
  return { board, tools: { faults: simulatedFaultSwitches(board, LINKS), shadow, spec: SPEC, clock } };
}

const FAULTS: readonly Fault[] = [
  { kind: "kill", service: "db" },
  { kind: "stop", service: "db" },
  { kind: "pause", service: "cache" },
  { kind: "disconnect", service: "cache" },
  { kind: "cpu", service: "api", cpus: 0.1 },
  { kind: "memory", service: "api", memoryBytes: 64 * 1024 * 1024 },
  { kind: "slow", from: "api", to: "db", latencyMs: 200, jitterMs: 0 },
  { kind: "cut", from: "api", to: "db" },
  { kind: "failing", from: "api", to: "cache" },
  { kind: "toxic", from: "api", to: "cache", toxic: { type: "reset_peer", timeoutMs: 10 } },
  { kind: "stub", host: "payments.example", answer: 503 },
  { kind: "stub", host: "payments.example", answer: "garbage" },
];

test.each(FAULTS.map((fault) => [faultName(fault), fault] as const))(
  "%s is measured to land and to be gone",
  async (_name, fault) => {
    const { tools } = world();
    const struck = await strikeFault(fault, tools, NEVER);
    expect(struck.landed).toMatchObject({ holds: true });
    expect(await struck.lift(NEVER)).toMatchObject({ holds: true });
  },
);

test.each(FAULTS.map((fault) => [faultName(fault), fault] as const))(
  "%s is told when its switch does nothing",
  async (_name, fault) => {
    const { tools } = world((board) => {
      board.dead = true;
    });
    expect((await strikeFault(fault, tools, NEVER)).landed.holds).toBe(false);
  },
);

test("a dependency that did not answer before the fault can not show it", async () => {
  const { tools } = world((board) => board.containers.set("db", "ended"));
  const { landed } = await strikeFault({ kind: "cut", from: "api", to: "db" }, tools, NEVER);
  expect(landed).toEqual({ holds: false, said: "db did not answer api before the fault (reset)" });
});

test("a toxic that spares some connections has landed only if it met one of the caller's own", async () => {
  const toxic = { type: "latency", latencyMs: 200, toxicity: 0.3 } as const;
  const fault: Fault = { kind: "toxic", from: "api", to: "db", toxic };
  const { tools, board } = world();
  const struck = await strikeFault(fault, tools, NEVER);
  expect(await struck.met(NEVER)).toMatchObject({ holds: true });
  board.spared = true;
  // The probes met it, none of api's connections did.
  expect(struck.landed).toMatchObject({ holds: true });
  expect(await struck.met(NEVER)).toMatchObject({ holds: false, said: expect.stringContaining("met 0 of the") });
  await struck.lift(NEVER);
  const whole = await strikeFault({ ...fault, toxic: { ...toxic, toxicity: 1 } }, tools, NEVER);
  expect(await whole.met(NEVER)).toEqual(whole.landed);
});

test("every fault has a name of its own and words for what it does", () => {
  expect(new Set(FAULTS.map(faultName)).size).toBe(FAULTS.length);
  expect(FAULTS.map(faultWhat).every((words) => words.length > 5)).toBe(true);
  for (const fault of FAULTS) expect(FaultSchema.safeParse(fault).success).toBe(true);
});

test("a mirror's own faults are faults it can have", () => {
  const spec = { ...SPEC, stubs: [{ host: "payments.example", handlersPath: "/payments.ts" }] };
  const faults = defaultFaults(spec, LINKS);
  expect(faults.map(faultName)).toEqual([
    "kill db",
    "pause db",
    "disconnect cache",
    "api>db:5432 +200 ms",
    "api>cache:6379 cut off",
    "api at 0.2 cpu",
    "payments.example 503",
  ]);
  expect(faultProblems(faults, spec, LINKS)).toEqual([]);
});

test("what a mirror does not have can not be broken, and every problem is told", () => {
  const faults: readonly Fault[] = [
    { kind: "kill", service: "nobody" },
    { kind: "pause", service: "worker" },
    { kind: "cut", from: "worker", to: "db" },
    { kind: "cut", from: "api", to: "db" },
    { kind: "stub", host: "elsewhere.example", answer: 500 },
  ];
  expect(faultProblems(faults, SPEC, [...LINKS, { from: "api", to: "db", port: 9100 }])).toEqual([
    "there is no service nobody",
    "worker is listed under `background` and stands still during a drill: nothing can befall it",
    expect.stringContaining("worker has no dependency on db"),
    expect.stringContaining("say which with `port`"),
    "there is no stub for elsewhere.example",
  ]);
});

test("a drill section refuses what it does not know", () => {
  expect(DrillSchema.safeParse({ faults: [] }).success).toBe(false);
  expect(DrillSchema.safeParse({ faults: [{ kind: "flood", service: "db" }] }).success).toBe(false);
  expect(DrillSchema.safeParse({ faults: [{ kind: "slow", from: "api", to: "db", latencyMs: -1 }] }).success).toBe(
    false,
  );
  expect(DrillSchema.parse({})).toEqual({ holdSeconds: 3, recoverSeconds: 15 });
});
