import type { IncomingMessage } from "node:http";
import { HttpFailure } from "./http-failure.ts";

const BODY_BYTES_MAX = 64 * 1024;

/**
 * The JSON of a request, `undefined` when it has no body.
 * @throws HttpFailure 413 beyond 64 KiB, 400 when it is not JSON
 */
export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new HttpFailure(413, "body_too_large", `at most ${BODY_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  if (bytes === 0) return undefined;
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8"));
  } catch {
    throw new HttpFailure(400, "not_json", "the body is not JSON");
  }
}
