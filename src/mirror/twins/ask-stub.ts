import { request } from "node:http";
import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { StubRequest } from "../twin.ts";
import type { StubListener } from "./stubs.ts";

/** Sends a request to the twin's stubs the way a service would: by the third party's name in the header `host`. */
export async function askStub(
  stubs: StubListener | undefined,
  asked: StubRequest,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly body: string }> {
  if (stubs === undefined || !stubs.hosts.includes(asked.host)) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: `${asked.host} is not a third party of this mirror`,
      hint: "List it with its handlers under `x-canary: stubs:` in the Compose file.",
    });
  }
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>();
  const { host, port } = stubs;
  const headers = { ...asked.headers, host: asked.host };
  const sent = request({ host, port, method: asked.method, path: asked.path, headers, signal }, (answer) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    answer.on("data", (chunk: Buffer) => {
      if (bytes < LIMITS.outputBytesMax) chunks.push(chunk);
      bytes += chunk.length;
    });
    answer.on("error", reject);
    answer.on("end", () => {
      const body = Buffer.concat(chunks).subarray(0, LIMITS.outputBytesMax).toString("utf8");
      resolve({ status: answer.statusCode ?? 0, body });
    });
  });
  sent.on("error", (cause) => reject(signal.aborted ? signal.reason : cause));
  sent.end(asked.body);
  return await promise;
}
