import { loadRecording } from "../recordings/load-recording.ts";
import type { LeftOut } from "../recordings/recorded-request.ts";
import { planTraffic, type TrafficPlan } from "../traffic/traffic-plan.ts";
import type { TrafficSpec } from "../traffic-spec.ts";
import { type GrpcMethods, loadGrpcMethods } from "./grpc-lane.ts";

/** Traffic with its files read and its texts compiled: only addresses are missing. */
export interface PreparedTraffic {
  readonly plan: TrafficPlan;
  readonly methods: GrpcMethods;
  /** Entries of the recording that are not replayed; `undefined` without a recording. */
  readonly left: LeftOut | undefined;
}

/**
 * Reads the recording and the proto files and compiles every template. The driver does so when it starts; a run calls it
 * before it raises anything, so that a wrong placeholder costs no containers.
 * @param seed - spreads a log's whole seconds; any number will do for a check
 * @throws CanaryError RECORDING_INVALID with line or offset | SCENARIO_INVALID listing every problem of the texts
 */
export async function prepareTraffic(spec: TrafficSpec, baseDir: string, seed: number): Promise<PreparedTraffic> {
  const recording = spec.recording === undefined ? undefined : await loadRecording(spec.recording, baseDir, seed);
  const plan = planTraffic(spec, recording?.requests ?? []);
  return { plan, methods: await loadGrpcMethods(spec, baseDir), left: recording?.left };
}
