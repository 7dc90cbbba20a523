import type { Address, Role } from "../mirror/twin.ts";
import type { DriverPulse, DriverReport, PairBatch } from "./recording.ts";
import type { SampledPair } from "./sampled-pair.ts";
import type { TrafficSpec } from "./traffic-spec.ts";

// Contract: the paired open-loop driver, a process of its own. Implemented in src/replay/driver; simulated in test/sim.

/** Where each twin's entry points are. */
export type DriverTargets = Readonly<Record<Role, { readonly http?: Address; readonly grpc?: Address }>>;

export interface DriverOptions {
  readonly traffic: TrafficSpec;
  /** Folder that relative paths in the traffic (protos, recordings) are resolved against; already checked to be inside it. */
  readonly baseDir: string;
  readonly targets: DriverTargets;
  readonly seed: number;
  /** Folder to write `pairs.bin` into. */
  readonly recordingDir: string;
  /** CPU set for the driver, if the machine has cores to spare. */
  readonly onPairs: (batch: PairBatch) => void;
  readonly onPulse: (pulse: DriverPulse) => void;
  /** Pairs of each route in a second whose answers are handed to `onSampled`; none where either is absent. */
  readonly sampledPerSecond?: number;
  /** Told of each sampled pair soon after both twins have answered, and of all of them before a barrier. */
  readonly onSampled?: (pair: SampledPair) => void;
  readonly signal: AbortSignal;
}

/** A driver that is sending. Disposing kills the process if it still lives. */
export interface TrafficDriver extends AsyncDisposable {
  /** `Clock.monotonicMs()` at the run axis's zero. */
  readonly startMonotonicMs: number;
  /** Aborts when the driver ends by itself, with the reason: whoever waits for traffic then waits for nothing. */
  readonly ended: AbortSignal;
  /** Stops arrivals and resolves when every request in flight has its outcome and all pairs were delivered: a barrier. */
  pause(signal: AbortSignal): Promise<void>;
  /** Goes on with the arrival list from now; the axis kept running meanwhile. */
  resume(): Promise<void>;
  /** Ends for good: last pairs delivered, file complete. */
  finish(signal: AbortSignal): Promise<DriverReport>;
}

/** Starts the process and resolves at the first arrival. @throws CanaryError REPLAY_FAILED | RECORDING_INVALID */
export type StartDriver = (options: DriverOptions) => Promise<TrafficDriver>;
