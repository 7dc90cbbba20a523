import type { Role } from "../../mirror/twin.ts";
import type { OverduePairs } from "../recording.ts";
import type { SampledAnswer } from "../sampled-pair.ts";
import type { CapturedValues } from "../traffic/captured-values.ts";
import type { PairSlot } from "./pair-slot.ts";

/**
 * How one request at one twin ended, as the protocol saw it. `captured` and `sampled` read the body: call them after the time
 * is taken.
 */
export type Landing =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly ok: boolean;
      readonly captured?: () => CapturedValues;
      /** Of a sampled pair. */
      readonly sampled?: () => SampledAnswer;
    }
  | { readonly kind: "no-answer"; readonly cause: "connection" | "timeout" }
  /** The protocol library refused to put it on the wire, e.g. a captured value that no header can carry. */
  | { readonly kind: "unsendable" }
  /** This machine had no socket left: the driver's fault, not the twin's. */
  | { readonly kind: "no-socket" };

/** One request at one twin that has been handed to the network and has no outcome yet. */
export interface Flight {
  readonly slot: PairSlot;
  readonly role: Role;
  /** When it was handed over, on the run's axis, ms. */
  readonly sentMs: number;
  /** True once it has its outcome; what comes later is ignored. */
  readonly landed: boolean;
  readonly land: (landing: Landing) => void;
}

/** A protocol's connections to one twin. */
export interface Lane<M> {
  /** Hands a request over; it answers through `flight.land`. Returns what gives it up (a time-out). */
  send(message: M, flight: Flight): () => void;
  close(): Promise<void>;
}

/** Requests under way, with their deadlines. */
export interface Flights {
  readonly inFlight: Readonly<Record<Role, number>>;
  add(flight: Flight, cancel: () => void): void;
  remove(flight: Flight): void;
  /** Gives up everything whose time-out has passed. */
  expire(nowMs: number): void;
  /** Pairs that have waited for more than `OVERDUE_AFTER_MS`, counted by route and second. */
  overdue(nowMs: number): readonly OverduePairs[];
}

/** What waits longer is told with every pulse. */
const OVERDUE_AFTER_MS = 1000;

type Overdue = { -readonly [K in keyof OverduePairs]: OverduePairs[K] };

/** No requests yet. A scan is enough: a handful is under way, and a few thousand when a twin stalls. */
export function flights(): Flights {
  const open = new Map<Flight, () => void>();
  const inFlight = { control: 0, shadow: 0 };
  return {
    inFlight,
    add: (flight, cancel) => {
      open.set(flight, cancel);
      inFlight[flight.role] += 1;
    },
    remove: (flight) => {
      if (open.delete(flight)) inFlight[flight.role] -= 1;
    },
    expire: (nowMs) => {
      for (const [flight, cancel] of open) {
        if (nowMs - flight.sentMs < flight.slot.call.timeoutMs) continue;
        flight.land({ kind: "no-answer", cause: "timeout" });
        cancel();
      }
    },
    overdue: (nowMs) => {
      const groups = new Map<string, Overdue>();
      for (const { slot, role } of open.keys()) {
        if (nowMs - slot.intendedMs < OVERDUE_AFTER_MS) continue;
        // A pair of which both are under way is met twice.
        if (slot.openArms === 2 && role === "shadow") continue;
        const intendedFromMs = Math.floor(slot.intendedMs / 1000) * 1000;
        const { route } = slot.call;
        const key = `${route} ${intendedFromMs}`;
        const group = groups.get(key) ?? { route, intendedFromMs, control: 0, shadow: 0, both: 0 };
        groups.set(key, group);
        group[slot.openArms === 2 ? "both" : role]++;
      }
      return [...groups.values()];
    },
  };
}
