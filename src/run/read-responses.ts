import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { CanaryError } from "../core/errors.ts";
import { DIFFERENCE_KINDS } from "../measure/response-difference.ts";
import { type ResponseEntry, type ResponseLog, responseLog } from "../measure/response-log.ts";
import { RUN_FILES } from "./file-run-store.ts";

const Count = z
  .number()
  .int()
  .min(0)
  .max(2 ** 32);
const Masked = z.string().max(1000);

/** A line of `responses.jsonl` (docs/recording-format.md). */
const EntrySchema = z.union([
  z.strictObject({ field: Count, route: Count, path: z.string().min(1).max(10_000), kind: z.enum(DIFFERENCE_KINDS) }),
  z.strictObject({ example: Count, sequence: Count, control: Masked, shadow: Masked }),
  z.tuple(
    [Count, z.number(), Count],
    z
      .number()
      .int()
      .min(-1)
      .max(2 ** 32),
  ),
]) satisfies z.ZodType<ResponseEntry>;

/**
 * Reads what a run compared of answers, as it was added while the run went on.
 * @throws CanaryError RECORDING_INVALID when the file is missing or damaged
 */
export async function readResponses(runDir: string): Promise<ResponseLog> {
  const file = path.join(runDir, RUN_FILES.recording, RUN_FILES.responses);
  const log = responseLog();
  await access(file).catch((cause: unknown) => {
    throw damaged(`${file} does not exist, though answers were compared`, cause);
  });
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (line !== "") log.add(entryOf(line, log.fields.length));
  }
  return log;
}

/** @param named - fields so far: they are named in order, and before any pair differs in them */
function entryOf(line: string, named: number): ResponseEntry {
  try {
    const entry: ResponseEntry = EntrySchema.parse(JSON.parse(line));
    const known = "field" in entry ? entry.field === named : "example" in entry ? entry.example < named : true;
    if (!known || (Array.isArray(entry) && entry.slice(3).some((field) => field >= named)))
      throw new RangeError("unnamed");
    return entry;
  } catch (cause) {
    throw damaged(`${RUN_FILES.responses} of the run is damaged`, cause);
  }
}

function damaged(message: string, cause: unknown): CanaryError {
  const hint = "A report alone can be read, not judged again. Give the folder of a finished run with its recording.";
  return new CanaryError({ code: "RECORDING_INVALID", message, hint, cause });
}
