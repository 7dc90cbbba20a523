import { z } from "zod";
import { messageOf } from "../../core/errors.ts";
import { type ParsedRecording, type RawRequest, recordingInvalid } from "./recorded-request.ts";

const Pair = z.object({ name: z.string(), value: z.string() });

/** What is read of an entry (HAR 1.2); the rest is the browser's business. */
const EntrySchema = z.object({
  startedDateTime: z.iso.datetime({ offset: true, local: true }),
  request: z.object({
    method: z.string(),
    url: z.string(),
    headers: z.array(Pair).default([]),
    postData: z
      .object({
        mimeType: z.string().default(""),
        text: z.string().optional(),
        params: z.array(Pair.partial({ value: true })).optional(),
      })
      .optional(),
  }),
});

const HarSchema = z.object({ log: z.object({ entries: z.array(z.unknown()) }) });

/**
 * Reads an HTTP Archive 1.2.
 * @throws CanaryError RECORDING_INVALID naming the entry that is not one
 */
export function parseHar(bytes: Buffer, source: string): ParsedRecording {
  const hint = "Export the recording again as HAR 1.2 (`log.entries[]`).";
  const har = HarSchema.safeParse(readJson(bytes, source));
  if (!har.success) throw recordingInvalid(source, "is not an HTTP archive", z.prettifyError(har.error), har.error);
  const found = har.data.log.entries.map((written, index): RawRequest => {
    const entry = EntrySchema.safeParse(written);
    if (entry.success) return toRaw(entry.data);
    const where = `${source}: log.entries[${index}]`;
    throw recordingInvalid(where, "is not a request", `${z.prettifyError(entry.error)}\n${hint}`, entry.error);
  });
  return { found, unusable: 0 };
}

function toRaw({ startedDateTime, request }: z.infer<typeof EntrySchema>): RawRequest {
  const { method, url, headers, postData } = request;
  const form = postData?.params?.map(({ name, value = "" }): [string, string] => [name, value]);
  const text = postData?.text ?? (form === undefined ? undefined : new URLSearchParams(form).toString());
  return {
    atMs: Date.parse(startedDateTime),
    method: method.toUpperCase(),
    target: url,
    headers: headers.filter(({ name }) => !name.startsWith(":")).map(({ name, value }) => [name, value]),
    body: text === undefined ? undefined : Buffer.from(text, "utf8"),
  };
}

function readJson(bytes: Buffer, source: string): unknown {
  try {
    return JSON.parse(bytes.toString("utf8").replace(/^\uFEFF/, ""));
  } catch (cause) {
    throw recordingInvalid(
      source,
      `is not JSON: ${messageOf(cause)}`,
      "The file may be cut short; export it again.",
      cause,
    );
  }
}
