import { connect } from "node:net";
import type { ConnectionProbe, EchoProbe } from "../twin-faults.ts";
import type { ProxyTools } from "./toxic-stream.ts";

/** Connects to a loopback port, says hello and waits for the first byte, an end, or `waitMs`. */
export async function probeConnection(options: {
  readonly port: number;
  readonly hello: Uint8Array;
  readonly waitMs: number;
  readonly tools: Pick<ProxyTools, "nowMs" | "sleep">;
}): Promise<ConnectionProbe> {
  const { tools } = options;
  const startedMs = tools.nowMs();
  const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true });
  const outcome = await new Promise<ConnectionProbe["outcome"]>((resolve) => {
    socket.once("connect", () => socket.write(options.hello));
    socket.once("data", () => resolve("answered"));
    socket.once("end", () => resolve("closed"));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "ECONNREFUSED" ? "refused" : "reset"),
    );
    socket.once("close", () => resolve("closed"));
    void tools.sleep(options.waitMs).then(() => resolve("silent"));
  });
  const tookMs = tools.nowMs() - startedMs;
  socket.destroy();
  return { outcome, tookMs };
}

/** Sends `bytes` to an echo behind a loopback port, counts what comes back and in how many pieces, then closes. */
export async function probeEcho(options: {
  readonly port: number;
  readonly bytes: number;
  readonly waitMs: number;
  readonly tools: Pick<ProxyTools, "nowMs" | "sleep">;
}): Promise<EchoProbe> {
  const { bytes, tools, waitMs } = options;
  const startedMs = tools.nowMs();
  const socket = connect({ host: "127.0.0.1", port: options.port, noDelay: true, allowHalfOpen: true });
  const seen = { returned: 0, pieces: 0 };
  const ended = new Promise<void>((resolve) => {
    socket.once("end", () => resolve());
    socket.once("close", () => resolve());
  });
  const complete = new Promise<void>((resolve) => {
    socket.on("data", (chunk) => {
      seen.returned += chunk.length;
      seen.pieces += 1;
      if (seen.returned >= bytes) resolve();
    });
  });
  socket.on("error", () => undefined);
  socket.write(Buffer.alloc(bytes, "x"));
  await Promise.race([complete, ended, tools.sleep(waitMs)]);
  const tookMs = tools.nowMs() - startedMs;
  const closingMs = tools.nowMs();
  socket.end();
  await Promise.race([ended, tools.sleep(waitMs)]);
  const closeMs = tools.nowMs() - closingMs;
  socket.destroy();
  return { sentBytes: bytes, returnedBytes: seen.returned, pieces: seen.pieces, tookMs, closeMs };
}
