import type { Address } from "../../mirror/twin.ts";
import type { ProbeAnswer } from "./ask-probe.ts";

const METHOD = "/grpc.health.v1.Health/Check";
const SERVING = 1;
const STATUS_WORDS = ["UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"];

/**
 * Asks the standard health service (grpc.health.v1.Health/Check). Its two messages have one field each, so they are read
 * and written here, and no proto file has to be where the probe runs.
 */
export async function grpcHealth(
  address: Address,
  asked: { readonly name: string; readonly signal: AbortSignal },
): Promise<ProbeAnswer> {
  const grpc = await import("@grpc/grpc-js");
  const client = new grpc.Client(`${address.host}:${address.port}`, grpc.credentials.createInsecure());
  try {
    return await new Promise<ProbeAnswer>((resolve) => {
      const call = client.makeUnaryRequest(
        METHOD,
        requestBytes,
        statusOf,
        asked.name,
        new grpc.Metadata(),
        {},
        (error, status) => {
          asked.signal.removeEventListener("abort", cancel);
          resolve(answerOf(error, status));
        },
      );
      const cancel = (): void => call.cancel();
      asked.signal.addEventListener("abort", cancel, { once: true });
      if (asked.signal.aborted) cancel();
    });
  } finally {
    client.close();
  }
}

function answerOf(error: { readonly code: number; readonly details: string } | null, status?: number): ProbeAnswer {
  // NOT_FOUND: the server lives and does not know the service; every other error is no answer at all.
  if (error !== null) {
    const message = `gRPC status ${error.code}: ${error.details}`;
    return error.code === NOT_FOUND ? { kind: "no", message } : { kind: "unanswered", message };
  }
  return status === SERVING
    ? { kind: "yes", message: "SERVING" }
    : { kind: "no", message: STATUS_WORDS[status ?? 0] ?? `status ${status}` };
}

const NOT_FOUND = 5;

/** `HealthCheckRequest { string service = 1; }` */
function requestBytes(name: string): Buffer {
  const text = Buffer.from(name);
  // Names are at most 200 characters, so their length takes one or two bytes of a varint.
  const length = text.length < 128 ? [text.length] : [(text.length & 127) | 128, text.length >> 7];
  return text.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([10, ...length]), text]);
}

/** `HealthCheckResponse { ServingStatus status = 1; }`; a zero is not sent. */
function statusOf(bytes: Buffer): number {
  return bytes[0] === 8 ? (bytes[1] ?? 0) : 0;
}
