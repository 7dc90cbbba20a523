import { describe, expect, test } from "vitest";
import type { Intent } from "../../src/core/intent-log.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { replayPlan } from "../../src/replay/proof/load-replay.ts";
import type { Performance, StepRecord } from "../../src/replay/proof/perform-action.ts";
import { undoPlan } from "../../src/replay/proof/undo-plan.ts";
import { planOf, scale, sqlAction } from "../support/action-builder.ts";
import { type ManualClock, manualClock } from "../support/manual-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { type SimulatedBehaviour, type SimulatedTwin, simulatedTwin } from "../support/simulated-twin.ts";

const plan: Plan = planOf(
  scale("more", { service: "worker", from: 1, to: 3 }),
  sqlAction("index", "CREATE INDEX i ON jobs (kind)", "DROP INDEX i"),
  scale("api", { service: "api", from: 1, to: 2 }),
);
const never = new AbortController().signal;

interface Stage extends Performance {
  readonly shadow: SimulatedTwin;
  readonly clock: ManualClock;
  readonly intents: Intent[];
  readonly records: StepRecord[];
}

function stage(behaviour: SimulatedBehaviour = {}): Stage {
  const clock = manualClock();
  const intents: Intent[] = [];
  const records: StepRecord[] = [];
  return {
    proof: "load",
    shadow: simulatedTwin("shadow", shopWorld(), behaviour),
    clock,
    intents,
    records,
    intent: { record: async (intent) => void intents.push(intent) },
    axisMs: () => clock.monotonicMs() + 1000,
    baseDir: "/",
    onStep: () => undefined,
    onRecord: (record) => void records.push(record),
  };
}

const replicas = (twin: SimulatedTwin, service: string) => twin.world.services.get(service)?.replicas;

describe("replaying under load", () => {
  test("performs every action in order and says what must be undone", async () => {
    const to = stage();
    const outcome = await replayPlan({ plan, to, signal: never });
    expect(outcome).toEqual({ acted: plan.actions, noOps: [], end: { kind: "done" } });
    expect(to.records.map(({ id, phase, startedMs }) => ({ id, phase, startedMs }))).toEqual(
      ["more", "index", "api"].map((id) => ({ id, phase: "act", startedMs: 1000 })),
    );
    expect(to.intents.filter(({ kind }) => kind === "act")[0]).toMatchObject({ undo: plan.actions[0]?.rollback });
  });

  test("stops at the action that does not land, which must be undone too", async () => {
    const to = stage({
      interrupt: (operation) => {
        if (operation === "sql db") throw new Error("deadlock detected");
      },
    });
    const outcome = await replayPlan({ plan, to, signal: never });
    expect(outcome.end).toEqual({ kind: "failed", actionId: "index", message: "deadlock detected" });
    expect(outcome.acted.map(({ id }) => id)).toEqual(["more", "index"]);
    expect(replicas(to.shadow, "api")).toBe(1);
  });

  test("answers an abort with what was begun, instead of losing it", async () => {
    const human = new AbortController();
    const to = stage({ interrupt: (operation) => void (operation === "sql db" && human.abort(new Error("stop"))) });
    const outcome = await replayPlan({ plan, to, signal: human.signal });
    expect(outcome.end).toEqual({ kind: "aborted", actionId: "index" });
    expect(outcome.acted.map(({ id }) => id)).toEqual(["more", "index"]);
  });

  test("an abort in an action's health window is an abort; a window that fails by itself is an error", async () => {
    const human = new AbortController();
    const stopping = await replayPlan({
      plan,
      to: stage(),
      signal: human.signal,
      afterAction: async () => {
        human.abort(new Error("p99 breached"));
        human.signal.throwIfAborted();
      },
    });
    expect(stopping.end).toEqual({ kind: "aborted", actionId: "more" });
    await expect(
      replayPlan({ plan, to: stage(), signal: never, afterAction: () => Promise.reject(new Error("no metrics")) }),
    ).rejects.toThrow("no metrics");
  });

  test("leaves alone what is at its target already", async () => {
    const to = stage();
    const outcome = await replayPlan({
      plan: planOf(scale("same", { service: "worker", from: 3, to: 1 })),
      to,
      signal: never,
    });
    expect(outcome).toEqual({ acted: [], noOps: ["same"], end: { kind: "done" } });
    expect(to.shadow.operations).toEqual(["configuration"]);
  });
});

describe("undoing under load", () => {
  test("goes backwards and measures how long it took", async () => {
    const to = stage({ interrupt: (operation) => void (operation.startsWith("scale") && to.clock.advance(700)) });
    const { acted } = await replayPlan({ plan, to, signal: never });
    to.records.length = 0;
    expect(await undoPlan(acted, to, never)).toEqual({ undoMs: 1400 });
    expect(to.records.map(({ id }) => id)).toEqual(["api", "index", "more"]);
    expect(replicas(to.shadow, "worker")).toBe(1);
  });

  test("goes on after an undo that failed twice, and names it", async () => {
    const to = stage();
    const lost = sqlAction("lost", "CREATE INDEX j ON jobs (kind)", "DROP INDEX j");
    const { acted } = await replayPlan({ plan: planOf(lost, ...plan.actions), to, signal: never });
    to.shadow.world.databases.get("db")?.tables.get("jobs")?.indexes.clear();
    const outcome = await undoPlan(acted, to, never);
    // The first one that failed, which is the later one of the plan.
    expect(outcome.failed).toEqual({ actionId: "index", message: 'index "i" does not exist' });
    expect(to.records.filter(({ phase, landed }) => phase === "undo" && !landed).map(({ id }) => id)).toEqual([
      "index",
      "index",
      "lost",
      "lost",
    ]);
    expect([replicas(to.shadow, "worker"), replicas(to.shadow, "api")]).toEqual([1, 1]);
  });

  test("does not repeat what is undone already", async () => {
    const to = stage();
    await undoPlan(plan.actions.slice(0, 1), to, never);
    expect(to.shadow.operations).toEqual(["configuration"]);
    expect(to.intents.map(({ kind }) => kind)).toEqual(["undo", "undone"]);
  });

  test("of an action that only reads is nothing", async () => {
    const to = stage();
    const { rollback: _, ...reading } = scale("read", { service: "api", from: 1, to: 1 });
    expect(await undoPlan([reading], to, never)).toEqual({ undoMs: 0 });
    expect(to.intents).toEqual([]);
  });
});
