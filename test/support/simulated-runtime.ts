import { CanaryError } from "../../src/core/errors.ts";
import { type ContainerRuntime, ROLES, type Role, type StubCall, type Twin } from "../../src/mirror/twin.ts";
import type { ActorWork } from "../../src/mirror/write-log.ts";
import { NEVER } from "./simulated-clock.ts";
import { INVARIANT_QUERY, simulatedShop } from "./simulated-job.ts";
import { engineGone, type SimulatedStage } from "./simulated-stage.ts";
import { fingerprintOf } from "./simulated-state.ts";
import { type SimulatedTwin, simulatedPair, simulatedTwin } from "./simulated-twin.ts";
import { restartSimulated, type SimulatedWorld, scaleSimulated } from "./simulated-world.ts";

/** The engine of a stage: raises twins step by step, one thing after the other, and removes what it raised. */
export interface SimulatedRuntime extends ContainerRuntime {
  readonly twins: () => Readonly<Record<Role, SimulatedTwin>> | undefined;
  /** How often a pair was torn down, and whether the shadow then was what it had been when it was raised. */
  readonly tornDown: () => { readonly times: number; readonly shadowRestored: boolean };
}

/** Creating one network or container takes this long, ms. */
const CREATE_MS = 100;

export function simulatedRuntime(stage: SimulatedStage): SimulatedRuntime {
  let twins: Readonly<Record<Role, SimulatedTwin>> | undefined;
  const tornDown = { times: 0, shadowRestored: true };
  return {
    twins: () => twins,
    tornDown: () => tornDown,
    raise: async ({ spec, signal }) => {
      try {
        await createAll(
          stage,
          signal,
          spec.services.map((service) => service.name),
        );
      } catch (error) {
        stage.things.clear();
        throw error;
      }
      const world = simulatedShop(stage.faults);
      const raised = { control: stagedTwin(stage, "control", world), shadow: stagedTwin(stage, "shadow", world) };
      if (stage.fault("twins-differ") !== undefined) setLogLevel(raised.shadow.world, "trace");
      const pair = simulatedPair({ spec, world });
      twins = raised;
      return {
        ...pair,
        ...raised,
        [Symbol.asyncDispose]: async () => {
          tornDown.times++;
          tornDown.shadowRestored = stateOf(raised.shadow.world) === stateOf(world);
          await stage.clock.sleep(500, NEVER);
          stage.things.clear();
          if (stage.engineGone) throw engineGone();
          if (stage.fault("teardown-fails") !== undefined) throw unavailable("a network is still in use");
        },
      };
    },
  };
}

async function createAll(stage: SimulatedStage, signal: AbortSignal, services: readonly string[]): Promise<void> {
  const things = ROLES.flatMap((role) => ["network", ...services, "ingress"].map((thing) => `${role}/${thing}`));
  for (const [step, thing] of things.entries()) {
    await stage.clock.sleep(CREATE_MS, signal);
    if (stage.engineGone) throw engineGone();
    if (stage.fault("raise-fails")?.atStep === step) throw unavailable(`${thing} never became healthy`);
    stage.things.add(thing);
  }
}

/** A twin whose calls take time and can fail, and which notices what the run may not do. */
function stagedTwin(stage: SimulatedStage, role: Role, template: SimulatedWorld): SimulatedTwin {
  const { clock } = stage;
  const worker = startWorker(stage, role);
  const orders = ordersOf(stage, role);
  const answer = async (): Promise<void> => {
    stage.called();
    await clock.sleep(1, NEVER);
    if (stage.engineGone) throw engineGone();
  };
  const silent = (): boolean => stage.fault("telemetry-silent")?.role === role && clock.monotonicMs() > SILENT_FROM_MS;
  const charges = chargesOf(stage, role, template);
  const twin = simulatedTwin(role, template, {
    interrupt: async () => {
      charges.made(twin.world);
      await answer();
      worker.work(twin);
      orders.write(twin.world);
    },
    scrape: () => {
      if (silent()) throw new Error("the replica does not answer");
      return [`# TYPE jobs_done_total counter\njobs_done_total ${worker.done()}\n`];
    },
    onSql: (statement) =>
      statement === INVARIANT_QUERY
        ? [{ holds: role === "control" || !breaksInvariant(stage, twin.world, template) }]
        : undefined,
    ...(stage.fault("no-write-log") === undefined ? {} : { noWriteLog: "the server keeps no logical log" }),
    stubCalls: () => {
      const acted = stage.store.intents.some((intent) => intent.kind === "act");
      const called = role === "shadow" && acted && stage.fault("plan-calls-stub") !== undefined;
      return [...(called ? [CHARGE] : []), ...charges.made(twin.world)];
    },
  });
  const change = async (options: Change): Promise<void> => {
    await answer();
    checkAllowed(stage, role, options.what);
    await changed(stage, options, twin.world);
  };
  return {
    ...twin,
    scale: async (service, replicas, signal) => {
      const now = twin.world.services.get(service)?.replicas ?? 0;
      const half = (): void => setReplicas(stage, twin, service, Math.ceil((now + replicas) / 2));
      const all = (): void => setReplicas(stage, twin, service, replicas);
      await change({ what: `scale ${service}`, signal, half, all });
    },
    update: async (service, wanted, signal) => {
      const half = (): void => undefined;
      await change({ what: `update ${service}`, signal, half, all: () => applyUpdate(twin.world, service, wanted) });
    },
    sqlAs: async (database, work, signal) => {
      const what = `sql ${work.statements.join("; ")}`;
      await change({ what, signal, half: () => undefined, all: () => undefined });
      if (!doesNotLand(stage)) await twin.sqlAs(database, { ...work, statements: statementsOf(stage, work) }, signal);
    },
    sql: async (database, text) => {
      const isDryRun = text.startsWith("EXPLAIN") || text.startsWith("BEGIN");
      if (isDryRun || /^(SELECT|RESET|SET (?!LOCAL))/.test(text)) return await twin.sql(database, text);
      await change({ what: `sql ${text}`, signal: NEVER, half: () => undefined, all: () => undefined });
      return doesNotLand(stage) ? [] : await twin.sql(database, text);
    },
  };
}

/** What a statement does depends on the data that it meets. */
function statementsOf(stage: SimulatedStage, { statements, as }: ActorWork): readonly string[] {
  if (stage.fault("sql-writes-more")?.proof !== stage.proof || as.actionId !== "set-flag") return statements;
  return [...statements, `UPDATE orders SET total = '${as.phase === "act" ? "0" : "10"}' WHERE id = 'order-0'`];
}

const CHARGE = { host: "payments.example", method: "POST", path: "/v1/charges", status: 200, atMonotonicMs: 1 };

const CHARGE_EVERY_MS = 200;

/** Calls of the application under load, in a world where a plan may double them; none in any other. */
function chargesOf(stage: SimulatedStage, role: Role, template: SimulatedWorld) {
  const calls: StubCall[] = [];
  let nextMs = 0;
  return {
    /** All of them so far; those since the last time were made in the world as it was until now. */
    made: (world: SimulatedWorld): readonly StubCall[] => {
      if (stage.fault("plan-charges-twice") === undefined || stage.proof !== "load") return calls;
      const twice = role === "shadow" && isScaled(world, template);
      const nowMs = stage.clock.monotonicMs();
      for (nextMs = Math.max(nextMs, nowMs - 600_000); nextMs < nowMs; nextMs += CHARGE_EVERY_MS) {
        const call = { ...CHARGE, atMonotonicMs: nextMs };
        calls.push(call, ...(twice ? [call] : []));
      }
      return calls;
    },
  };
}

function isScaled(world: SimulatedWorld, template: SimulatedWorld): boolean {
  return world.services.get("worker")?.replicas !== template.services.get("worker")?.replicas;
}

function breaksInvariant(stage: SimulatedStage, world: SimulatedWorld, template: SimulatedWorld): boolean {
  const inForce = isScaled(world, template);
  return (
    stage.fault("invariant-breaks") !== undefined || (inForce && stage.fault("plan-breaks-invariant") !== undefined)
  );
}

/** Telemetry that falls silent does so while the baseline is measured, ms. */
const SILENT_FROM_MS = 30_000;

interface Change {
  readonly what: string;
  readonly signal: AbortSignal;
  readonly half: () => void;
  readonly all: () => void;
}

/** The control is never changed, and the shadow only when the undo of the change is on disk. */
function checkAllowed(stage: SimulatedStage, role: Role, what: string): void {
  const under = stage.store.under();
  if (role === "control") stage.broken.push(`the control received: ${what}`);
  if (under === undefined) stage.broken.push(`nothing was on record when the shadow received: ${what}`);
  if (under?.kind === "act" && under.undo === null) stage.broken.push(`no undo was on record before: ${what}`);
}

async function changed(stage: SimulatedStage, { signal, half, all }: Change, world: SimulatedWorld): Promise<void> {
  const undoing = stage.store.under()?.kind === "undo";
  if (stage.fault(undoing ? "undo-hangs" : "act-hangs")?.proof === stage.proof) {
    half();
    // A server ends by itself what takes too long, also where nobody can stop it.
    await stage.clock.sleep(25_000, signal);
    throw new Error("canceled: it took too long");
  }
  await stage.clock.sleep(300 + 1500 * stage.random(`change ${stage.clock.monotonicMs()}`)(), signal);
  if (stage.engineGone) throw engineGone();
  if (doesNotLand(stage)) return;
  all();
  if (!undoing) restartByPlan(stage, world);
  if (stage.fault("undeclared-effect") !== undefined) setLogLevel(world, undoing ? "info" : "debug");
  if (undoing && stage.fault("undo-leaves-residue")?.proof === stage.proof)
    world.keys.get("cache")?.set("left", "over");
}

/** What a request or a statement makes a service do, whatever the plan calls it. */
function restartByPlan(stage: SimulatedStage, world: SimulatedWorld): void {
  for (const fault of stage.faults) {
    if (fault.kind !== "plan-restarts" || (fault.proof !== undefined && fault.proof !== stage.proof)) continue;
    const service = world.services.get(fault.service);
    if (service === undefined) throw unavailable(`there is no service ${fault.service}`);
    if (fault.afterMs === undefined) restartSimulated(service);
    else stage.clock.at(stage.clock.monotonicMs() + fault.afterMs, () => restartSimulated(service));
  }
}

function doesNotLand(stage: SimulatedStage): boolean {
  const kind = stage.store.under()?.kind === "undo" ? "undo-does-not-land" : "act-does-not-land";
  return stage.fault(kind)?.proof === stage.proof;
}

function setReplicas(stage: SimulatedStage, twin: SimulatedTwin, service: string, replicas: number): void {
  const found = twin.world.services.get(service);
  if (found === undefined) throw unavailable(`there is no service ${service}`);
  for (let replica = 1; replica < Math.max(found.replicas, replicas); replica++) {
    const thing = `${twin.role}/${service}-${replica}`;
    if (replica < replicas) stage.things.add(thing);
    else stage.things.delete(thing);
  }
  scaleSimulated(found, replicas);
}

function applyUpdate(world: SimulatedWorld, service: string, change: Parameters<Twin["update"]>[1]): void {
  const found = world.services.get(service);
  if (found === undefined) throw unavailable(`there is no service ${service}`);
  for (const [name, value] of Object.entries(change.environment ?? {})) {
    if (value === null) delete found.environment[name];
    else found.environment[name] = value;
  }
  restartSimulated(found);
}

function setLogLevel(world: SimulatedWorld, level: string): void {
  const api = world.services.get("api");
  if (api !== undefined) api.environment["LOG_LEVEL"] = level;
}

/** The application's own writes: both twins serve the same orders, but draw their own tokens. Lost ones do not come again. */
function ordersOf(stage: SimulatedStage, role: Role) {
  let written = 1;
  return {
    write: (world: SimulatedWorld): void => {
      const rows = world.databases.get("db")?.tables.get("orders")?.rows;
      for (const wanted = 1 + Math.floor(stage.sent / 400); written < wanted; written++) {
        const id = `order-${written}`;
        rows?.set(id, { id, total: String((written * 37) % 100), token: `${role}-${written}` });
      }
    },
  };
}

/** A worker that does 20 jobs a second with each replica while it is not frozen, and finishes rows of `jobs`. */
function startWorker(stage: SimulatedStage, role: Role) {
  const random = stage.random(`worker ${role}`);
  let done = 0;
  let finished = 0;
  let untilMs = stage.clock.monotonicMs();
  const work = (twin: SimulatedTwin): void => {
    const nowMs = stage.clock.monotonicMs();
    const replicas = twin.frozen.has("worker") || stage.proof === "quiet" ? 0 : replicasOf(twin.world);
    done += (20 * replicas * (nowMs - untilMs) * (0.9 + 0.2 * random())) / 1000;
    untilMs = nowMs;
    const jobs = twin.world.databases.get("db")?.tables.get("jobs");
    for (; finished < Math.min(20, Math.floor(done / 300)); finished++) {
      jobs?.rows.set(`job-${finished}`, { id: `job-${finished}`, status: "done" });
    }
  };
  return { work, done: () => Math.floor(done) };
}

function replicasOf(world: SimulatedWorld): number {
  return world.services.get("worker")?.replicas ?? 0;
}

function stateOf(world: SimulatedWorld): string {
  const { resources, files } = fingerprintOf(world);
  const flags = [...(world.databases.get("db")?.tables.get("flags")?.rows.values() ?? [])];
  return JSON.stringify([resources, files, flags, [...(world.keys.get("cache") ?? [])]]);
}

function unavailable(message: string): CanaryError {
  return new CanaryError({ code: "MIRROR_UNAVAILABLE", message: `${message} (simulated)`, hint: "Nothing to do." });
}
