import type { DriverReport } from "../recording.ts";
import { type Histogram, histogram } from "./histogram.ts";

/** A request this late disturbs the quantile it is counted in. */
const LATE_MS = 10;
/**
 * A late second now and then is the machine's (its blocks are dropped on both twins). More than this share of seconds
 * late, as many as may be invalid before there is no data at all, or a whole run whose lag p99 is late: the driver's.
 */
const LATE_SLOTS_MAX = 0.2;
const LATE_QUANTILE = 0.99;
/** More than this share of seconds without CPU to spare: the driver measured itself. */
const SATURATED_MAX = 0.05;
/** Share of one core at which the sending thread has nothing to spare. */
const SATURATED = 0.95;

/** Watches whether the driver kept its schedule; a slow twin never shows here, since lag ends where the network begins. */
export interface DriverHealth {
  /** A request handed to the network, or dropped, `lagMs` after its intended time. */
  sent(intendedMs: number, lagMs: number): void;
  dropped(intendedMs: number): void;
  /** The machine had no socket left. */
  noSocket(): void;
  completed(): void;
  /** Share of a core that the sending thread used since the last call, about once a second. */
  cpuShare(share: number): void;
  report(priority: DriverReport["priority"]): DriverReport;
}

interface Tally {
  sent: number;
  completed: number;
  dropped: number;
  /** Drops in slots where the driver itself was late: those are its own. */
  ownDrops: number;
  noSockets: number;
  slots: number;
  lateSlots: number;
  readings: number;
  saturatedReadings: number;
  lagMsMax: number;
}

/** Nothing sent yet. */
export function driverHealth(): DriverHealth {
  const lags: Histogram = histogram();
  const tally: Tally = {
    sent: 0,
    completed: 0,
    dropped: 0,
    ownDrops: 0,
    noSockets: 0,
    slots: 0,
    lateSlots: 0,
    readings: 0,
    saturatedReadings: 0,
    lagMsMax: 0,
  };
  const slot = { second: -1, requests: 0, late: 0, dropped: 0 };
  const enter = (intendedMs: number): void => {
    const second = Math.floor(intendedMs / 1000);
    if (second === slot.second) return;
    closeSlot(slot, tally);
    Object.assign(slot, { second, requests: 0, late: 0, dropped: 0 });
  };
  return {
    sent: (intendedMs, lagMs) => {
      enter(intendedMs);
      slot.requests += 1;
      if (lagMs > LATE_MS) slot.late += 1;
      tally.sent += 1;
      if (lagMs > tally.lagMsMax) tally.lagMsMax = lagMs;
      lags.add(lagMs);
    },
    dropped: (intendedMs) => {
      enter(intendedMs);
      slot.dropped += 1;
      tally.dropped += 1;
    },
    noSocket: () => {
      tally.noSockets += 1;
    },
    completed: () => {
      tally.completed += 1;
    },
    cpuShare: (share) => {
      tally.readings += 1;
      if (share > SATURATED) tally.saturatedReadings += 1;
    },
    report: (priority) => {
      closeSlot(slot, tally);
      Object.assign(slot, { requests: 0, late: 0, dropped: 0 });
      return reportOf(tally, lags, priority);
    },
  };
}

/** p99 above the limit is the same as more than one in a hundred above it. */
function closeSlot(
  slot: { readonly requests: number; readonly late: number; readonly dropped: number },
  tally: Tally,
): void {
  if (slot.requests === 0) return;
  tally.slots += 1;
  if (slot.late <= slot.requests / 100) return;
  tally.lateSlots += 1;
  tally.ownDrops += slot.dropped;
}

function reportOf(tally: Tally, lags: Histogram, priority: DriverReport["priority"]): DriverReport {
  return {
    sent: tally.sent,
    completed: tally.completed,
    dropped: tally.dropped,
    sendLagMsP50: lags.quantile(0.5),
    sendLagMsP99: lags.quantile(0.99),
    sendLagMsMax: tally.lagMsMax,
    priority,
    lateSlots: tally.slots === 0 ? 0 : tally.lateSlots / tally.slots,
    bottleneck: bottleneckOf(tally, lags.quantile(LATE_QUANTILE)),
  };
}

function bottleneckOf(tally: Tally, lagMs: number): DriverReport["bottleneck"] {
  const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)}%`;
  if (lagMs > LATE_MS) {
    return { kind: "yes", why: `99% of requests left within ${lagMs.toFixed(1)} ms only, over ${LATE_MS} ms late` };
  }
  if (tally.lateSlots > LATE_SLOTS_MAX * tally.slots) {
    const share = percent(tally.lateSlots, tally.slots);
    return { kind: "yes", why: `in ${share} of all seconds more than 1% of requests left over ${LATE_MS} ms late` };
  }
  if (tally.ownDrops > 0) {
    return { kind: "yes", why: `${tally.ownDrops} requests were dropped while the driver itself was late` };
  }
  if (tally.noSockets > 0)
    return { kind: "yes", why: `${tally.noSockets} requests found no free socket on this machine` };
  if (tally.saturatedReadings > SATURATED_MAX * tally.readings) {
    return {
      kind: "yes",
      why: `its thread was busy in ${percent(tally.saturatedReadings, tally.readings)} of all seconds`,
    };
  }
  return { kind: "no" };
}
