import type { ErrorCode } from "../../core/errors.ts";
import type { DriverPulse, DriverReport } from "../recording.ts";
import type { SampledPair } from "../sampled-pair.ts";
import type { DriverTargets } from "../traffic-driver.ts";
import type { TrafficSpec } from "../traffic-spec.ts";

/** What the run tells the driver's process. */
export type DriverCommand =
  | {
      readonly kind: "start";
      readonly traffic: TrafficSpec;
      readonly baseDir: string;
      readonly targets: DriverTargets;
      readonly seed: number;
      readonly recordingDir: string;
      /** Pairs of each route in a second whose answers are handed on; 0 hands on none. */
      readonly sampledPerSecond: number;
    }
  | { readonly kind: "pause" }
  | { readonly kind: "resume" }
  | { readonly kind: "finish" };

/**
 * What the driver's process tells the run. Pairs do not travel here: the driver appends them to the file and says how
 * far it got; the run reads them from there, which costs the driver a few bytes a chunk. Sampled answers do: what may hold
 * secrets never touches a disk.
 */
export type DriverNotice =
  | { readonly kind: "started"; readonly startMonotonicMs: number }
  | { readonly kind: "written"; readonly offset: number }
  | { readonly kind: "pulse"; readonly pulse: DriverPulse }
  | { readonly kind: "sampled"; readonly pair: SampledPair }
  | { readonly kind: "paused"; readonly offset: number }
  | { readonly kind: "resumed" }
  | { readonly kind: "finished"; readonly offset: number; readonly report: DriverReport }
  | {
      readonly kind: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string;
      readonly stack: string | undefined;
    };
