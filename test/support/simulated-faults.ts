import { seededRandom } from "../../src/core/random.ts";
import type { Role } from "../../src/mirror/twin.ts";
import { PHASES, type Phase } from "../../src/report/run-event.ts";

/** When something happens to a simulated run. */
export type Moment =
  /** When the run says that it enters a phase, or that much later. */
  | { readonly kind: "phase"; readonly phase: Phase; readonly afterMs: number }
  | { readonly kind: "instant"; readonly atMs: number }
  /** At the n-th call of any twin, counted from 1. */
  | { readonly kind: "call"; readonly number: number };

export type ProofName = "quiet" | "load";

/** One way in which a simulated world is bad. */
export type Fault =
  /** The plan declares what the operator lets nobody change. */
  | { readonly kind: "plan-not-allowed" }
  | { readonly kind: "twins-differ" }
  | { readonly kind: "raise-fails"; readonly atStep: number }
  | { readonly kind: "engine-dies"; readonly when: Moment }
  | { readonly kind: "teardown-fails" }
  | { readonly kind: "driver-does-not-start" }
  | { readonly kind: "driver-dies"; readonly when: Moment }
  | { readonly kind: "driver-bottleneck" }
  /** The engine says yes and does nothing. */
  | { readonly kind: "act-does-not-land"; readonly proof: ProofName }
  /** Half is done, then nothing moves until somebody gives up. */
  | { readonly kind: "act-hangs"; readonly proof: ProofName }
  | { readonly kind: "undo-does-not-land"; readonly proof: ProofName }
  | { readonly kind: "undo-hangs"; readonly proof: ProofName }
  /** The undo does what it says and something else stays changed. */
  | { readonly kind: "undo-leaves-residue"; readonly proof: ProofName }
  /** The action changes something else too, which its undo puts back. */
  | { readonly kind: "undeclared-effect" }
  /** The plan declares a change that never happens. */
  | { readonly kind: "absent-effect" }
  | { readonly kind: "already-at-target" }
  | { readonly kind: "telemetry-silent"; readonly role: Role }
  /** Requests that the driver could not send to the shadow. */
  | { readonly kind: "shadow-loses-requests"; readonly share: number }
  | { readonly kind: "aborted"; readonly by: "human" | "deadline"; readonly when: Moment }
  | { readonly kind: "wall-clock-jumps"; readonly everyMs: number; readonly byMs: number }
  /** While the plan is in force; `share` of the latency, or of requests that fail. */
  | { readonly kind: "plan-slows"; readonly share: number }
  /** The driver is late by 11 ms on both twins, for this long from so long after the plan is in force on. */
  | { readonly kind: "driver-late-with-plan"; readonly afterMs: number; readonly forMs: number }
  /** As `plan-slows`, but only when it has been in force for so long. */
  | { readonly kind: "plan-slows-later"; readonly share: number; readonly afterMs: number }
  | { readonly kind: "plan-breaks"; readonly share: number }
  /** While the plan is in force this share of the shadow's answers says something else. */
  | { readonly kind: "plan-changes-answers"; readonly share: number }
  /** An action restarts this service, though its words do not say so: at once or so much later, in both proofs or in one. */
  | { readonly kind: "plan-restarts"; readonly service: string; readonly proof?: ProofName; readonly afterMs?: number }
  /** Nothing is answered any more, and time-outs are half a minute long. */
  | { readonly kind: "plan-stalls" }
  | { readonly kind: "invariant-breaks" }
  /** On the shadow while the plan is in force; the undo mends it. */
  | { readonly kind: "plan-breaks-invariant" }
  /** The plan asks something of a third party, which only a stub hears. */
  | { readonly kind: "plan-calls-stub" }
  /** With the plan in force the application calls a third party twice where it called once. */
  | { readonly kind: "plan-charges-twice" }
  /** Its SQL reaches a row of the traffic's that it does not declare, in this proof only; its undo puts the row back. */
  | { readonly kind: "sql-writes-more"; readonly proof: ProofName }
  /** The database keeps no log of who wrote what. */
  | { readonly kind: "no-write-log" }
  /** What is planted to be seen does nothing: the ingress ignores it, or the state that is read is an old one. */
  | { readonly kind: "blind"; readonly to: "requests" | "state" }
  | { readonly kind: "disk-full"; readonly writing: "intent" | "manifest" | "report"; readonly from: number };

/** Faults after which a verdict may still be `promote`: they change nothing that a verdict is about. */
export const HARMLESS_FAULTS: ReadonlySet<Fault["kind"]> = new Set([
  "wall-clock-jumps",
  "teardown-fails",
  "driver-late-with-plan",
]);

/** The faults of one world: none in one of six, one in most, two at once in the rest. */
export function drawFaults(seed: number): readonly Fault[] {
  const random = seededRandom(seed * 7919 + 17);
  const share = random();
  const count = share < 1 / 6 ? 0 : share < 0.75 ? 1 : 2;
  return Array.from({ length: count }, () => drawFault(random));
}

function drawFault(random: () => number): Fault {
  const draws: readonly (() => Fault)[] = [
    () => ({ kind: "plan-not-allowed" }),
    () => ({ kind: "twins-differ" }),
    () => ({ kind: "raise-fails", atStep: Math.floor(random() * 12) }),
    () => ({ kind: "engine-dies", when: drawMoment(random) }),
    () => ({ kind: "engine-dies", when: { kind: "call", number: 1 + Math.floor(random() * 150) } }),
    () => ({ kind: "teardown-fails" }),
    () => ({ kind: "driver-does-not-start" }),
    () => ({ kind: "driver-dies", when: drawMoment(random) }),
    () => ({ kind: "driver-bottleneck" }),
    () => ({ kind: "act-does-not-land", proof: drawProof(random) }),
    () => ({ kind: "act-hangs", proof: drawProof(random) }),
    () => ({ kind: "undo-does-not-land", proof: drawProof(random) }),
    () => ({ kind: "undo-hangs", proof: drawProof(random) }),
    () => ({ kind: "undo-leaves-residue", proof: drawProof(random) }),
    () => ({ kind: "undeclared-effect" }),
    () => ({ kind: "absent-effect" }),
    () => ({ kind: "already-at-target" }),
    () => ({ kind: "telemetry-silent", role: random() < 0.5 ? "control" : "shadow" }),
    () => ({ kind: "shadow-loses-requests", share: 0.1 + 0.3 * random() }),
    () => ({ kind: "aborted", by: "human", when: drawMoment(random) }),
    () => ({ kind: "aborted", by: "human", when: { kind: "call", number: 1 + Math.floor(random() * 150) } }),
    () => ({ kind: "aborted", by: "deadline", when: drawMoment(random) }),
    () => ({ kind: "wall-clock-jumps", everyMs: 7000, byMs: random() < 0.5 ? -3_600_000 : 86_400_000 }),
    () => ({ kind: "plan-slows", share: 0.5 }),
    () => ({ kind: "plan-breaks", share: 0.2 }),
    () => ({ kind: "plan-stalls" }),
    () => ({ kind: "invariant-breaks" }),
    () => ({ kind: "disk-full", writing: "intent", from: Math.floor(random() * 12) }),
    () => ({ kind: "disk-full", writing: random() < 0.5 ? "manifest" : "report", from: 0 }),
  ];
  const draw = draws[Math.floor(random() * draws.length)];
  if (draw === undefined) throw new RangeError("no fault was drawn");
  return draw();
}

function drawMoment(random: () => number): Moment {
  if (random() < 0.5) return { kind: "instant", atMs: Math.floor(random() * 120_000) };
  const phase = PHASES[Math.floor(random() * PHASES.length)] ?? "observe";
  return { kind: "phase", phase, afterMs: random() < 0.3 ? 0 : Math.floor(random() * 4000) };
}

function drawProof(random: () => number): ProofName {
  return random() < 0.5 ? "quiet" : "load";
}
