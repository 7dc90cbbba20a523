import { readFile, stat } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { assertNever } from "../../core/invariant.ts";
import { LIMITS } from "../../core/limits.ts";
import { parseCombinedLog } from "./parse-combined-log.ts";
import { parseGor } from "./parse-gor.ts";
import { parseHar } from "./parse-har.ts";
import {
  type LoadedRecording,
  type ParsedRecording,
  type RecordingSpec,
  recordingInvalid,
  toRecording,
} from "./recorded-request.ts";

/**
 * Reads the recording that a scenario names; gzip is recognised by its first bytes.
 * @param seed - spreads stamps of whole seconds inside their second
 * @throws CanaryError RECORDING_INVALID: not there, too large, not of its format (with line or offset)
 */
export async function loadRecording(spec: RecordingSpec, baseDir: string, seed: number): Promise<LoadedRecording> {
  const path = isAbsolute(spec.file) ? spec.file : join(baseDir, spec.file);
  return toRecording(parse(await readLimited(path, spec.file), spec, seed), spec);
}

function parse(bytes: Buffer, spec: RecordingSpec, seed: number): ParsedRecording {
  switch (spec.format) {
    case "har":
      return parseHar(bytes, spec.file);
    case "gor":
      return parseGor(bytes, spec.file);
    case "combined":
      return parseCombinedLog(bytes, spec.file, seed);
    default:
      return assertNever(spec.format);
  }
}

async function readLimited(path: string, source: string): Promise<Buffer> {
  const hint = `A recording is a file of at most ${LIMITS.recordingBytesMax} bytes, also after unpacking, in the scenario's folder.`;
  try {
    const { size } = await stat(path);
    if (size > LIMITS.recordingBytesMax) throw recordingInvalid(source, `is ${size} bytes long`, hint);
    const bytes = await readFile(path);
    const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b;
    return isGzip ? gunzipSync(bytes, { maxOutputLength: LIMITS.recordingBytesMax }) : bytes;
  } catch (cause) {
    throw recordingInvalid(source, "cannot be read", hint, cause);
  }
}
