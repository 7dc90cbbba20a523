import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Address, ROLES, type Role } from "../../../src/mirror/twin.ts";
import type { DriverPulse, Outcome, PairBatch } from "../../../src/replay/recording.ts";
import { OUTCOMES } from "../../../src/replay/recording.ts";
import type { DriverOptions, DriverTargets } from "../../../src/replay/traffic-driver.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

/** One pair as a test looks at it. */
export interface SeenPair {
  readonly sequence: number;
  readonly route: number;
  readonly intendedMs: number;
  readonly arms: Readonly<
    Record<Role, { outcome: Outcome; status: number; latencyMs: number; serviceMs: number; sendLagMs: number }>
  >;
}

/** A batch's rows. */
export function rowsOf(batch: PairBatch): readonly SeenPair[] {
  return Array.from({ length: batch.size }, (_, row) => {
    const arm = (role: Role): SeenPair["arms"][Role] => {
      const columns = batch.arms[role];
      return {
        outcome: OUTCOMES[columns.outcome[row] ?? -1] ?? "dropped",
        status: columns.status[row] ?? -1,
        latencyMs: columns.latencyMs[row] ?? -1,
        serviceMs: columns.serviceMs[row] ?? -1,
        sendLagMs: columns.sendLagMs[row] ?? -1,
      };
    };
    return {
      sequence: batch.sequence[row] ?? -1,
      route: batch.route[row] ?? -1,
      intendedMs: batch.intendedMs[row] ?? -1,
      arms: { control: arm("control"), shadow: arm("shadow") },
    };
  });
}

/** Driver options that collect what the driver hands on, and a way to wait for it. */
export interface Watched {
  readonly options: DriverOptions;
  readonly pairs: SeenPair[];
  readonly pulses: DriverPulse[];
  /** Resolves when `condition` holds after some batch or pulse. */
  until(condition: () => boolean): Promise<void>;
}

/** Options around a traffic document. */
export function watch(fields: {
  readonly traffic: object;
  readonly targets: DriverTargets;
  readonly dir: string;
  readonly signal?: AbortSignal;
  readonly seed?: number;
  readonly baseDir?: string;
}): Watched {
  const pairs: SeenPair[] = [];
  const pulses: DriverPulse[] = [];
  const waiting: { condition: () => boolean; resolve: () => void }[] = [];
  const wake = (): void => {
    for (const { condition, resolve } of waiting) if (condition()) resolve();
  };
  return {
    pairs,
    pulses,
    until: (condition) =>
      new Promise((resolve) => {
        waiting.push({ condition, resolve });
        wake();
      }),
    options: {
      traffic: TrafficSpecSchema.parse(fields.traffic),
      baseDir: fields.baseDir ?? fields.dir,
      targets: fields.targets,
      seed: fields.seed ?? 1,
      recordingDir: fields.dir,
      signal: fields.signal ?? new AbortController().signal,
      onPairs: (batch) => {
        pairs.push(...rowsOf(batch));
        wake();
      },
      onPulse: (pulse) => {
        pulses.push(pulse);
        wake();
      },
    },
  };
}

/** A folder of the test's own. */
export async function scratchDir(): Promise<{ readonly dir: string } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), "canary-driver-"));
  return { dir, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) };
}

/** Two HTTP services on loopback, told apart by their role. */
export async function httpTwins(
  answer: (role: Role, request: IncomingMessage, response: ServerResponse, body: string) => void,
): Promise<{ readonly targets: DriverTargets } & AsyncDisposable> {
  const servers = ROLES.map((role) =>
    createServer(collectBody((request, response, body) => answer(role, request, response, body))),
  );
  for (const server of servers) {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
  }
  const [control, shadow] = servers.map((server) => portOf(server.address()));
  if (control === undefined || shadow === undefined) throw new Error("two servers expected");
  return {
    targets: { control: { http: control }, shadow: { http: shadow } },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) {
        server.closeAllConnections();
        server.close();
      }
    },
  };
}

/** The address a server listens on. */
export function portOf(address: AddressInfo | string | null): Address {
  if (address === null || typeof address === "string") throw new Error("not listening on TCP");
  return { host: "127.0.0.1", port: address.port };
}

function collectBody(
  then: (request: IncomingMessage, response: ServerResponse, body: string) => void,
): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => then(request, response, Buffer.concat(chunks).toString("utf8")));
  };
}

/** A signal that never aborts. */
export const FOREVER = new AbortController().signal;
