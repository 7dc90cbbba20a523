import { CanaryError } from "../../core/errors.ts";
import type { TrafficSpec } from "../traffic-spec.ts";
import type { LoadedRecording } from "./recorded-request.ts";

export async function loadRecording(
  recording: NonNullable<TrafficSpec["recording"]>,
  baseDir: string,
  seed: number,
): Promise<LoadedRecording> {
  throw new CanaryError({ code: "RECORDING_INVALID", message: `${recording.file} ${baseDir} ${seed}`, hint: "" });
}
