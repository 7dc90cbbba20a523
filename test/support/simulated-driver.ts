import { CanaryError } from "../../src/core/errors.ts";
import { type IngressHarm, ROLES, type Role } from "../../src/mirror/twin.ts";
import {
  type ArmColumns,
  type DriverReport,
  OUTCOMES,
  type Outcome,
  type OverduePairs,
  type PairBatch,
} from "../../src/replay/recording.ts";
import type { StartDriver, TrafficDriver } from "../../src/replay/traffic-driver.ts";
import type { RouteSpec } from "../../src/replay/traffic-spec.ts";
import { everyRouteSecond, simulatedSample } from "./simulated-answers.ts";
import type { SimulatedStage } from "./simulated-stage.ts";

/** What the plan in force does to requests of the shadow. */
export interface TrafficModel {
  /** Whether the shadow is not as it was raised, now. */
  readonly planInForce: () => boolean;
  /** What is planted in front of the shadow, now. */
  readonly planted: () => IngressHarm | undefined;
}

interface Answer {
  readonly outcome: Outcome;
  readonly latencyMs: number;
}

interface Pair {
  readonly sequence: number;
  readonly intendedMs: number;
  readonly route: number;
  readonly answers: Readonly<Record<Role, Answer>>;
  /** Whether the plan was in force when it was sent. */
  readonly planInForce: boolean;
  readonly sendLagMs: number;
}

const DELIVER_EVERY_MS = 500;
const THING = "driver";

/**
 * A driver in virtual time: Poisson arrivals, log-normal latencies whose base both twins of a pair share, rare errors,
 * and what faults and the plan do to them. Like the real one it ends with the run's
 * signal.
 */
export function simulatedDriver(stage: SimulatedStage, model: TrafficModel): StartDriver {
  return async (options) => {
    options.signal.throwIfAborted();
    await stage.clock.sleep(200, options.signal);
    if (stage.fault("driver-does-not-start") !== undefined) throw driverGone("it did not start");
    const ended = new AbortController();
    const end = (reason: unknown): void => {
      stage.things.delete(THING);
      stage.flowing = false;
      ended.abort(reason);
    };
    options.signal.addEventListener("abort", () => end(options.signal.reason), { signal: ended.signal });
    const dies = stage.fault("driver-dies");
    if (dies !== undefined) stage.when(dies.when, () => end(driverGone("killed")));
    stage.things.add(THING);
    stage.proof = "load";
    stage.flowing = true;
    return drive({ stage, model, options, ended, end });
  };
}

function drive(context: {
  readonly stage: SimulatedStage;
  readonly model: TrafficModel;
  readonly options: Parameters<StartDriver>[0];
  readonly ended: AbortController;
  readonly end: (reason: unknown) => void;
}): TrafficDriver {
  const { stage, options, ended, end } = context;
  const { clock } = stage;
  const startMs = clock.monotonicMs();
  const nowMs = (): number => clock.monotonicMs() - startMs;
  const arrivals = arrivalList(context);
  const sample = sampling(stage, options);
  let waiting: Pair[] = [];
  let paused = false;
  const deliver = (): void => {
    const done = waiting.filter((pair) => endOf(pair) <= nowMs());
    waiting = waiting.filter((pair) => endOf(pair) > nowMs());
    if (done.length > 0) options.onPairs(batchOf(done));
    for (const pair of done) sample(pair);
  };
  const tick = (): void => {
    if (!paused) waiting.push(...arrivals.until(nowMs()));
    deliver();
    const arm = { ratePerSecond: 60, errorRatio: stage.engineGone ? 1 : 0, latencyMsP99: 30, inFlight: 1 };
    options.onPulse({ atMs: nowMs(), overdue: overdueAt(nowMs(), waiting), arms: { control: arm, shadow: arm } });
  };
  const ticking = keepTicking(stage, ended.signal, tick);
  const drain = async (signal: AbortSignal): Promise<void> => {
    const stop = AbortSignal.any([ended.signal, signal]);
    stop.throwIfAborted();
    if (!paused) waiting.push(...arrivals.until(nowMs()));
    paused = true;
    const lastMs = Math.max(nowMs(), ...waiting.map(endOf));
    await clock.sleep(lastMs - nowMs() + 1, stop);
    stage.flowing = false;
    deliver();
  };
  return {
    startMonotonicMs: startMs,
    ended: ended.signal,
    pause: drain,
    resume: async () => {
      ended.signal.throwIfAborted();
      arrivals.skipTo(nowMs());
      paused = false;
      stage.flowing = true;
    },
    finish: async (signal) => {
      await drain(signal);
      return reportOf(stage);
    },
    [Symbol.asyncDispose]: async () => {
      end(new Error("disposed"));
      await ticking;
    },
  };
}

/** Hands on answers of some pairs that both twins answered, as they would be read. */
function sampling(stage: SimulatedStage, options: Parameters<StartDriver>[0]): (pair: Pair) => void {
  const takes = everyRouteSecond(options.sampledPerSecond ?? 0);
  const random = stage.random("answers");
  const share = stage.fault("plan-changes-answers")?.share ?? 0;
  return ({ sequence, intendedMs: atMs, route, answers, planInForce }) => {
    if (ROLES.some((role) => answers[role].outcome !== "ok") || !takes(route, atMs)) return;
    const changed = planInForce && random() < share;
    options.onSampled?.(simulatedSample({ sequence, atMs, route }, { random, changed }));
  };
}

/** What a driver tells of pairs that wait, one by one: nobody cares how they are grouped. */
function overdueAt(nowMs: number, waiting: readonly Pair[]): readonly OverduePairs[] {
  return waiting.flatMap(({ intendedMs, route, answers }): readonly OverduePairs[] => {
    if (nowMs - intendedMs < 1000) return [];
    const owes = (role: Role): boolean => intendedMs + answers[role].latencyMs > nowMs;
    const both = owes("control") && owes("shadow");
    const alone = (role: Role): number => Number(owes(role) && !both);
    const intendedFromMs = Math.floor(intendedMs / 1000) * 1000;
    return [{ route, intendedFromMs, control: alone("control"), shadow: alone("shadow"), both: Number(both) }];
  });
}

async function keepTicking(stage: SimulatedStage, signal: AbortSignal, tick: () => void): Promise<void> {
  while (!signal.aborted) {
    await stage.clock.sleep(DELIVER_EVERY_MS, signal).then(tick, () => undefined);
  }
}

/** The arrivals of the seed with what became of them; the list waits while the driver is paused. */
function arrivalList({ stage, model, options }: Parameters<typeof drive>[0]) {
  const random = stage.random("traffic");
  const { ratePerSecond, mix } = options.traffic;
  const weights = mix.map((route) => route.weight);
  const gapMs = (): number => (-Math.log(1 - random()) * 1000) / ratePerSecond;
  let sequence = 0;
  let inForceSinceMs = Number.POSITIVE_INFINITY;
  let nextMs = gapMs();
  return {
    until: (untilMs: number): readonly Pair[] => {
      const pairs: Pair[] = [];
      const planInForce = model.planInForce();
      inForceSinceMs = planInForce ? Math.min(inForceSinceMs, nextMs) : Number.POSITIVE_INFINITY;
      const planted = stage.fault("blind")?.to === "requests" ? undefined : model.planted();
      for (; nextMs < untilMs; nextMs += gapMs()) {
        const baseMs = Math.exp(Math.log(12) + 0.35 * normal(random));
        const answers = {
          control: answerOf({ stage, affected: false, baseMs, random }),
          shadow: answerOf({
            stage,
            affected: planInForce,
            affectedForMs: nextMs - inForceSinceMs,
            baseMs,
            random,
            losing: true,
          }),
        };
        const route = pick(weights, random());
        const shadow = harmed(answers.shadow, meets(planted, mix[route]) ? planted : undefined, random);
        const sendLagMs = isLate(stage, nextMs - inForceSinceMs) ? 11 : 0;
        const sent = { sequence: sequence++, intendedMs: nextMs, sendLagMs };
        pairs.push({ ...sent, route, answers: { ...answers, shadow }, planInForce });
        stage.sent = sequence;
      }
      return pairs;
    },
    skipTo: (atMs: number): void => {
      nextMs = atMs + gapMs();
    },
  };
}

function answerOf(request: {
  readonly stage: SimulatedStage;
  /** Whether the plan is in force where this request arrives. */
  readonly affected: boolean;
  readonly affectedForMs?: number;
  readonly losing?: boolean;
  readonly baseMs: number;
  readonly random: () => number;
}): Answer {
  const { stage, affected, losing = false, baseMs, random } = request;
  const [noise, luck, loss] = [normal(random), random(), random()];
  if (stage.engineGone) return { outcome: "connection-error", latencyMs: 1 };
  if (affected && stage.fault("plan-stalls") !== undefined) return { outcome: "timeout", latencyMs: 30_000 };
  const later = stage.fault("plan-slows-later");
  const decayed = later !== undefined && (request.affectedForMs ?? 0) >= later.afterMs ? later.share : 0;
  const slower = affected ? (stage.fault("plan-slows")?.share ?? decayed) : 0;
  const breaks = affected ? (stage.fault("plan-breaks")?.share ?? 0) : 0;
  const lost = losing ? (stage.fault("shadow-loses-requests")?.share ?? 0) : 0;
  const outcome = loss < lost ? "dropped" : luck < 0.002 + breaks ? "http-error" : "ok";
  return { outcome, latencyMs: baseMs * (1 + slower) * Math.exp(0.1 * noise) };
}

function isLate(stage: SimulatedStage, inForceForMs: number): boolean {
  const late = stage.fault("driver-late-with-plan");
  return late !== undefined && inForceForMs >= late.afterMs && inForceForMs < late.afterMs + late.forMs;
}

function meets(harm: IngressHarm | undefined, route: RouteSpec | undefined): boolean {
  return harm?.requests === undefined || route?.http?.path.startsWith(harm.requests.pathPrefix) === true;
}

/** What the ingress makes of an answer; draws chance only while something is planted, so that other runs stay as they are. */
function harmed(answer: Answer, harm: IngressHarm | undefined, random: () => number): Answer {
  if (harm === undefined) return answer;
  if (random() < (harm.errorShare ?? 0)) return { outcome: "http-error", latencyMs: 1 };
  return { ...answer, latencyMs: answer.latencyMs * (1 + (harm.delayShare ?? 0)) + (harm.delayMs ?? 0) };
}

function endOf(pair: Pair): number {
  return pair.intendedMs + Math.max(pair.answers.control.latencyMs, pair.answers.shadow.latencyMs);
}

function batchOf(pairs: readonly Pair[]): PairBatch {
  const size = pairs.length;
  const batch = {
    size,
    sequence: new Uint32Array(size),
    intendedMs: new Float64Array(size),
    route: new Uint16Array(size),
    arms: { control: columnsOf(size), shadow: columnsOf(size) },
  };
  for (const [i, pair] of pairs.entries()) {
    batch.sequence[i] = pair.sequence;
    batch.intendedMs[i] = pair.intendedMs;
    batch.route[i] = pair.route;
    for (const role of ROLES) {
      const { outcome, latencyMs } = pair.answers[role];
      const columns = batch.arms[role];
      columns.outcome[i] = OUTCOMES.indexOf(outcome);
      columns.status[i] = outcome === "ok" ? 200 : 500;
      columns.sendLagMs[i] = pair.sendLagMs;
      columns.latencyMs[i] = latencyMs + pair.sendLagMs;
      columns.serviceMs[i] = latencyMs;
    }
  }
  return batch;
}

function columnsOf(size: number): ArmColumns {
  return {
    outcome: new Uint8Array(size),
    status: new Uint16Array(size),
    sendLagMs: new Float32Array(size),
    latencyMs: new Float32Array(size),
    serviceMs: new Float32Array(size),
  };
}

function reportOf(stage: SimulatedStage): DriverReport {
  const full = stage.fault("driver-bottleneck") !== undefined;
  return {
    sent: stage.sent * ROLES.length,
    completed: stage.sent * ROLES.length,
    dropped: 0,
    sendLagMsP50: 0.1,
    sendLagMsP99: full ? 80 : 0.5,
    sendLagMsMax: 90,
    priority: "normal",
    lateSlots: full ? 0.4 : 0,
    bottleneck: full ? { kind: "yes", why: "40% of its seconds were late" } : { kind: "no" },
  };
}

function driverGone(how: string): CanaryError {
  return new CanaryError({
    code: "REPLAY_FAILED",
    message: `the traffic driver's process is gone: ${how} (simulated)`,
    hint: "Run again.",
  });
}

function pick(weights: readonly number[], draw: number): number {
  let left = draw * weights.reduce((total, weight) => total + weight, 0);
  for (const [index, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return index;
  }
  return 0;
}

/** Standard normal (Box and Muller). */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
