import type { Role } from "../../mirror/twin.ts";
import type { DriverPulse, Outcome } from "../recording.ts";
import { type CapturePool, capturePool } from "../traffic/captured-values.ts";
import type { GrpcMessage, HttpMessage, Message } from "../traffic/compile-call.ts";
import { type RenderPair, startRendering } from "../traffic/render-pair.ts";
import { DRAW, type RequestRandom, requestRandom } from "../traffic/request-random.ts";
import { startTraffic, type TrafficCursor, type TrafficPlan } from "../traffic/traffic-plan.ts";
import type { AnswerSampler } from "./answer-sampler.ts";
import type { DriverClock } from "./driver-clock.ts";
import type { DriverHealth } from "./driver-health.ts";
import { type Flight, type Flights, flights, type Landing, type Lane } from "./flight.ts";
import { outcomeOf, type PairSlot, pairSlot } from "./pair-slot.ts";
import type { PairWriter } from "./pair-writer.ts";
import { type PulseMeter, pulseMeter } from "./pulse.ts";

/** Connections to one twin; a protocol is absent if the mix does not use it. */
export interface TwinLanes {
  readonly http?: Lane<HttpMessage>;
  readonly grpc?: Lane<GrpcMessage>;
}

/** Sending in progress. */
export interface Drive {
  /** Stops arrivals and resolves when nothing is under way. */
  pause(): Promise<void>;
  /** Goes on with the list where it stopped; the list's clock stood still meanwhile, the axis did not. */
  resume(): void;
  readonly beat: () => DriverPulse;
  /** Gives up what has timed out. */
  readonly expire: () => void;
}

export interface DriveOptions {
  readonly plan: TrafficPlan;
  readonly seed: number;
  readonly lanes: Readonly<Record<Role, TwinLanes>>;
  readonly clock: DriverClock;
  readonly health: DriverHealth;
  readonly writer: PairWriter;
  /** Absent where no answers are compared. */
  readonly sampler?: AnswerSampler;
  /** `clock.nowMs()` at the axis's zero. */
  readonly startMs: number;
}

interface DriveState extends DriveOptions {
  readonly cursor: TrafficCursor;
  readonly random: RequestRandom;
  readonly render: RenderPair;
  readonly pools: readonly CapturePool[];
  readonly flights: Flights;
  readonly meter: PulseMeter;
  /** Second requests of staggered pairs, in order of their instants. */
  readonly staggered: { readonly slot: PairSlot; readonly role: Role; readonly message: Message | undefined }[];
  /** From the list's time to the axis: grows with every pause, ms. */
  shiftMs: number;
  pausedAtMs: number | undefined;
  /** Pauses that wait until nothing is under way. */
  readonly whenIdle: (() => void)[];
}

/** Starts sending: every request of the list to both twins at its instant, whatever became of earlier ones (open loop). */
export function startDrive(options: DriveOptions): Drive {
  const pools = Array.from({ length: options.plan.captures.poolCount }, capturePool);
  const random = requestRandom(options.seed);
  const state: DriveState = {
    ...options,
    cursor: startTraffic(options.plan, options.seed),
    random,
    render: startRendering({ captures: options.plan.captures, pools, random }),
    pools,
    flights: flights(),
    meter: pulseMeter(),
    staggered: [],
    shiftMs: 0,
    pausedAtMs: undefined,
    whenIdle: [],
  };
  sendDue(state);
  return {
    pause: () => pause(state),
    resume: () => resume(state),
    beat: () => beat(state),
    expire: () => state.flights.expire(axisNow(state)),
  };
}

function beat(state: DriveState): DriverPulse {
  const nowMs = axisNow(state);
  const overdue = state.flights.overdue(nowMs);
  return { ...state.meter.beat(nowMs, state.flights.inFlight), ...(overdue.length === 0 ? {} : { overdue }) };
}

function axisNow(state: DriveState): number {
  return state.clock.nowMs() - state.startMs;
}

/** Sends everything that is due, then asks to be woken for what comes next. */
function sendDue(state: DriveState): void {
  let dueMs = nextDueMs(state);
  while (dueMs <= axisNow(state)) {
    if (secondDueMs(state) <= dueMs) sendSecond(state);
    else sendNext(state, dueMs);
    dueMs = nextDueMs(state);
  }
  if (dueMs === Number.POSITIVE_INFINITY) idle(state);
  else state.clock.wakeAt(state.startMs + dueMs, () => sendDue(state));
}

function nextDueMs(state: DriveState): number {
  const nextMs = state.pausedAtMs === undefined ? state.cursor.atMs + state.shiftMs : Number.POSITIVE_INFINITY;
  return Math.min(nextMs, secondDueMs(state));
}

function secondDueMs(state: DriveState): number {
  const [second] = state.staggered;
  return second === undefined ? Number.POSITIVE_INFINITY : second.slot.intendedMs + state.plan.spec.staggerMs;
}

function sendNext(state: DriveState, intendedMs: number): void {
  const { cursor, random } = state;
  const { sequence, call } = cursor;
  const sampled = state.sampler?.takes({ route: call.route, sequence, intendedMs }) === true;
  const slot = pairSlot(sequence, intendedMs, call, sampled);
  const messages = state.render(call, sequence);
  random.at(sequence, DRAW.order);
  const first: Role = random.next() < 0.5 ? "control" : "shadow";
  const second: Role = first === "control" ? "shadow" : "control";
  cursor.advance();
  sendArm(state, { slot, role: first, message: messages[first], dueMs: intendedMs });
  if (state.plan.spec.staggerMs > 0) state.staggered.push({ slot, role: second, message: messages[second] });
  else sendArm(state, { slot, role: second, message: messages[second], dueMs: intendedMs });
}

function sendSecond(state: DriveState): void {
  const second = state.staggered.shift();
  if (second !== undefined) sendArm(state, { ...second, dueMs: second.slot.intendedMs + state.plan.spec.staggerMs });
}

function sendArm(
  state: DriveState,
  arm: { readonly slot: PairSlot; readonly role: Role; readonly message: Message | undefined; readonly dueMs: number },
): void {
  const { slot, role, message } = arm;
  const sentMs = axisNow(state);
  const result = slot.arms[role];
  result.sendLagMs = sentMs - arm.dueMs;
  // What gets no answer carries its time-out: failing fast must never look fast.
  result.serviceMs = slot.call.timeoutMs;
  const hold = message === undefined ? "blocked" : isFull(state, role) ? "dropped" : undefined;
  if (message === undefined || hold !== undefined) {
    if (hold === "dropped") state.health.dropped(slot.intendedMs);
    settle(state, slot, role, hold ?? "blocked");
    return;
  }
  state.health.sent(slot.intendedMs, result.sendLagMs);
  const flight = takeOff(state, { slot, role, sentMs });
  const cancel = handOver(state.lanes[role], message, flight);
  if (!flight.landed) state.flights.add(flight, cancel);
}

function isFull(state: DriveState, role: Role): boolean {
  return state.flights.inFlight[role] >= state.plan.spec.inFlightMax;
}

function takeOff(state: DriveState, fields: Pick<Flight, "slot" | "role" | "sentMs">): Flight {
  const flight = {
    ...fields,
    landed: false,
    land: (landing: Landing): void => {
      if (flight.landed) return;
      flight.landed = true;
      state.flights.remove(flight);
      landArm(state, flight, landing);
    },
  };
  return flight;
}

function handOver(lanes: TwinLanes, message: Message, flight: Flight): () => void {
  const nothing = (): void => undefined;
  if (message.kind === "http") return lanes.http?.send(message, flight) ?? nothing;
  return lanes.grpc?.send(message, flight) ?? nothing;
}

function landArm(state: DriveState, flight: Flight, landing: Landing): void {
  const { slot, role } = flight;
  const result = slot.arms[role];
  const waitedMs = axisNow(state) - flight.sentMs;
  const outcome = outcomeOf(landing, waitedMs, slot.call.timeoutMs);
  if (landing.kind === "no-socket") state.health.noSocket();
  if (landing.kind === "answer" && outcome !== "timeout") {
    state.health.completed();
    result.serviceMs = waitedMs;
    result.status = landing.status;
    result.captured = landing.captured?.();
    result.answer = landing.sampled?.();
  }
  settle(state, slot, role, outcome);
}

function settle(state: DriveState, slot: PairSlot, role: Role, outcome: Outcome): void {
  const result = slot.arms[role];
  result.outcome = outcome;
  state.meter.settled(role, result);
  slot.openArms -= 1;
  if (slot.openArms > 0) return;
  state.writer.append(slot);
  if (slot.sampled) state.sampler?.append(slot);
  remember(state, slot);
  if (state.pausedAtMs !== undefined) idle(state);
}

const NO_VALUES = new Map<string, never>();

/** Only when both twins are done: otherwise the faster one would lend its newest values and the slower one lack them. */
function remember(state: DriveState, slot: PairSlot): void {
  if (slot.call.gives.length === 0) return;
  const { control, shadow } = slot.arms;
  const pair = {
    sequence: slot.sequence,
    control: control.captured ?? NO_VALUES,
    shadow: shadow.captured ?? NO_VALUES,
  };
  for (const index of slot.call.gives) state.pools[index]?.add(pair);
}

/** Stops arrivals; the wake-up that is set finds nothing to send, but for second requests of pairs already begun. */
function pause(state: DriveState): Promise<void> {
  state.pausedAtMs ??= axisNow(state);
  return new Promise((resolve) => {
    state.whenIdle.push(resolve);
    idle(state);
  });
}

/** Ends a pause's waiting once nothing is under way on either twin. */
function idle(state: DriveState): void {
  const { inFlight } = state.flights;
  if (inFlight.control + inFlight.shadow + state.staggered.length > 0) return;
  for (const resolve of state.whenIdle.splice(0)) resolve();
}

function resume(state: DriveState): void {
  if (state.pausedAtMs === undefined) return;
  state.shiftMs += axisNow(state) - state.pausedAtMs;
  state.pausedAtMs = undefined;
  sendDue(state);
}
