import { isAbsolute, join } from "node:path";
import type { ChannelOptions, Client, Metadata, MethodDefinition, ServiceError } from "@grpc/grpc-js";
import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Address } from "../../mirror/twin.ts";
import type { SampledAnswer } from "../sampled-pair.ts";
import { type Answer, captureAnswer } from "../traffic/capture-answer.ts";
import type { GrpcMessage } from "../traffic/compile-call.ts";
import type { TrafficSpec } from "../traffic-spec.ts";
import type { Flight, Landing, Lane } from "./flight.ts";

type Unary = MethodDefinition<object, object>;

/** The unary methods that a mix calls, by `service/method` of the proto file. */
export type GrpcMethods = ReadonlyMap<string, Unary>;

/** gRPC status of an answer, in `ArmColumns.status`. */
const STATUS_BASE = 1000;
const UNAVAILABLE = 14;
/** One HTTP/2 connection carries at most 100 calls at a time by custom; several keep a slow twin from queueing here. */
const CHANNELS = 4;

/** No retries, no long back-off: a twin that comes back must be found within half a second, on both sides alike. */
const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.enable_retries": 0,
  "grpc.service_config_disable_resolution": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 500,
  "grpc.use_local_subchannel_pool": 1,
  "grpc.default_authority": "localhost",
};

/**
 * Loads the proto files that the mix names.
 * @throws CanaryError SCENARIO_INVALID if a file, service or method is not there, or streams
 */
export async function loadGrpcMethods(spec: TrafficSpec, baseDir: string): Promise<GrpcMethods> {
  const methods = new Map<string, Unary>();
  for (const { grpc } of spec.mix) {
    if (grpc === undefined) continue;
    const { loadSync } = await import("@grpc/proto-loader");
    const path = isAbsolute(grpc.proto) ? grpc.proto : join(baseDir, grpc.proto);
    const loaded = readProto(
      () => loadSync(path, { keepCase: true, longs: String, enums: String, defaults: true }),
      grpc.proto,
    );
    const service = loaded[grpc.service];
    const method = service !== undefined && !("format" in service) ? service[grpc.method] : undefined;
    if (method === undefined || method.requestStream || method.responseStream) {
      throw invalid(`${grpc.proto} has no unary method ${grpc.method} in a service ${grpc.service}`);
    }
    methods.set(methodKey(grpc), method);
  }
  return methods;
}

/** Unary gRPC to one twin. */
export async function grpcLane(address: Address, methods: GrpcMethods): Promise<Lane<GrpcMessage>> {
  const grpc = await import("@grpc/grpc-js");
  const target = `${address.host}:${address.port}`;
  const clients: readonly Client[] = Array.from(
    { length: CHANNELS },
    () => new grpc.Client(target, grpc.credentials.createInsecure(), CHANNEL_OPTIONS),
  );
  return {
    send: (message, flight) => {
      const client = clients[flight.slot.sequence % CHANNELS];
      const method = methods.get(methodKey(message));
      if (client === undefined || method === undefined) throw invalid(`no gRPC method ${methodKey(message)}`);
      return callUnary(client, method, message.message, flight, new grpc.Metadata());
    },
    close: async () => {
      for (const client of clients) client.close();
    },
  };
}

function callUnary(client: Client, method: Unary, request: unknown, flight: Flight, metadata: Metadata): () => void {
  let headers: Metadata | undefined;
  let raw: Buffer | undefined;
  const deserialize = (bytes: Buffer): object => {
    raw = bytes;
    return method.responseDeserialize(bytes);
  };
  const call = client.makeUnaryRequest(
    method.path,
    method.requestSerialize,
    flight.slot.sampled ? deserialize : method.responseDeserialize,
    Object(request),
    metadata,
    {},
    (error, answer) => {
      flight.land(error === null ? answered(flight, { message: answer, headers, raw }) : failed(error, flight));
    },
  );
  call.on("metadata", (received: Metadata) => {
    headers = received;
  });
  return () => call.cancel();
}

interface Received {
  readonly message: object | undefined;
  readonly headers: Metadata | undefined;
  /** The message as it came, where somebody compares it. */
  readonly raw: Buffer | undefined;
}

function answered(flight: Flight, received: Received): Landing {
  const answer: Answer = {
    header: (name) => received.headers?.get(name)[0]?.toString(),
    json: () => received.message,
  };
  const { call, sampled } = flight.slot;
  const captured = (): ReturnType<typeof captureAnswer> => captureAnswer(call.capture, answer);
  const kept = sampled ? { sampled: () => sampleOf(received) } : {};
  return { kind: "answer", status: STATUS_BASE, ok: true, captured, ...kept };
}

/** A message that is short enough as JSON, a longer one by its first bytes. */
function sampleOf({ message, headers, raw = Buffer.alloc(0) }: Received): SampledAnswer {
  const entries = Object.keys(headers?.getMap() ?? {}).map((name) => [name, (headers?.get(name) ?? []).map(String)]);
  const text = raw.length > LIMITS.sampledBodyBytesMax ? undefined : Buffer.from(JSON.stringify(message, base64));
  const whole = text !== undefined && text.length <= LIMITS.sampledBodyBytesMax ? text : undefined;
  return {
    status: STATUS_BASE,
    headers: Object.fromEntries(entries),
    body: whole ?? raw.subarray(0, LIMITS.sampledBodyBytesMax),
    bodyBytes: whole?.length ?? raw.length,
  };
}

/** Bytes of a message as gRPC's own JSON writes them. */
function base64(_key: string, value: unknown): unknown {
  const isBytes = value !== null && typeof value === "object" && "type" in value && value.type === "Buffer";
  return isBytes && "data" in value && Array.isArray(value.data) ? Buffer.from(value.data).toString("base64") : value;
}

/** grpc-js reports a refused or broken connection with the status a server could also send; the details tell them apart. */
function failed(error: ServiceError, { slot }: Flight): Landing {
  const local = /^(No connection established|Connection dropped|Failed to connect)|ECONN|EPIPE|RST_STREAM/;
  if (error.code === UNAVAILABLE && local.test(error.details)) return { kind: "no-answer", cause: "connection" };
  const status = STATUS_BASE + error.code;
  const body = (): Buffer => Buffer.from(error.details).subarray(0, LIMITS.sampledBodyBytesMax);
  const sampled = (): SampledAnswer => ({ status, headers: {}, body: body(), bodyBytes: error.details.length });
  return { kind: "answer", status, ok: false, ...(slot.sampled ? { sampled } : {}) };
}

function methodKey(call: { readonly proto: string; readonly service: string; readonly method: string }): string {
  return `${call.proto}:${call.service}/${call.method}`;
}

function readProto<T>(load: () => T, proto: string): T {
  try {
    return load();
  } catch (cause) {
    throw invalid(`${proto} cannot be read`, cause);
  }
}

function invalid(problem: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "SCENARIO_INVALID",
    message: problem,
    hint: "Check `proto`, `service` (with its package) and `method` of the traffic's grpc routes; only unary methods are sent.",
    cause,
  });
}
