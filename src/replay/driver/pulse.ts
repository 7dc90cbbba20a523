import { ROLES, type Role } from "../../mirror/twin.ts";
import type { DriverPulse } from "../recording.ts";
import { type Histogram, histogram } from "./histogram.ts";
import type { ArmResult } from "./pair-slot.ts";

/** Half seconds that a pulse looks back on. */
const BINS = 4;
/** How often a pulse is sent. */
export const PULSE_MS = 500;

interface Bin {
  answered: number;
  errors: number;
  readonly latency: Histogram;
}

/** Counts of the last two seconds. */
export interface PulseMeter {
  settled(role: Role, result: ArmResult): void;
  /** The pulse of this instant; starts the next half second. */
  beat(atMs: number, inFlight: Readonly<Record<Role, number>>): DriverPulse;
}

/** Nothing seen yet. */
export function pulseMeter(): PulseMeter {
  const bins: Readonly<Record<Role, readonly Bin[]>> = { control: emptyBins(), shadow: emptyBins() };
  const merged = histogram();
  let beats = 0;
  const arm = (role: Role, inFlight: number): DriverPulse["arms"][Role] => {
    merged.clear();
    let answered = 0;
    let errors = 0;
    for (const bin of bins[role]) {
      answered += bin.answered;
      errors += bin.errors;
      merged.merge(bin.latency);
    }
    const seconds = (Math.min(beats + 1, BINS) * PULSE_MS) / 1000;
    return {
      ratePerSecond: answered / seconds,
      errorRatio: answered === 0 ? 0 : errors / answered,
      latencyMsP99: merged.quantile(0.99),
      inFlight,
    };
  };
  return {
    settled: (role, result) => {
      const bin = bins[role][beats % BINS];
      if (bin === undefined) return;
      bin.answered += 1;
      if (result.outcome !== "ok") bin.errors += 1;
      bin.latency.add(result.sendLagMs + result.serviceMs);
    },
    beat: (atMs, inFlight) => {
      const pulse = {
        atMs,
        arms: { control: arm("control", inFlight.control), shadow: arm("shadow", inFlight.shadow) },
      };
      beats += 1;
      for (const role of ROLES) {
        const next = bins[role][beats % BINS];
        if (next === undefined) continue;
        next.answered = 0;
        next.errors = 0;
        next.latency.clear();
      }
      return pulse;
    },
  };
}

function emptyBins(): readonly Bin[] {
  return Array.from({ length: BINS }, () => ({ answered: 0, errors: 0, latency: histogram() }));
}
