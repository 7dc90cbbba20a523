import { LIMITS } from "../../core/limits.ts";
import type { MirrorSpec, ServicePort } from "../mirror-spec.ts";

/** How the ingress treats a port: requests, gRPC streams, or plain connections. */
export type RouteMode = "http" | "grpc" | "tcp";

/** One service port as the ingress offers it. */
export interface IngressRoute extends ServicePort {
  /** Port inside the ingress container; the loopback port is chosen at start. */
  readonly listenPort: number;
  readonly mode: RouteMode;
  /** One replica can be asked by number, so that each one's metrics are read. */
  readonly perReplica: boolean;
}

/** Port of HAProxy's runtime API inside the ingress container. */
export const ADMIN_PORT = 19_999;
const FIRST_LISTEN_PORT = 20_000;
/** One more than replicas: a rolling update starts the new one before it stops the old one. */
export const SLOTS = LIMITS.replicasMax + 1;

/**
 * Every port that the run may need: declared ones, entries, stores, metrics; sorted, each once.
 * A port that is both entry and store keeps the stricter mode of the entry.
 */
export function planRoutes(spec: MirrorSpec): readonly IngressRoute[] {
  const wanted = new Map<string, ServicePort & { mode: RouteMode; perReplica: boolean }>();
  const want = (at: ServicePort, mode: RouteMode, perReplica = false): void => {
    const key = `${at.service}:${at.port}`;
    const known = wanted.get(key);
    const strongest = known === undefined || known.mode === "tcp" ? mode : known.mode;
    wanted.set(key, {
      service: at.service,
      port: at.port,
      mode: strongest,
      perReplica: perReplica || (known?.perReplica ?? false),
    });
  };
  if (spec.entry.grpc !== undefined) want(spec.entry.grpc, "grpc");
  if (spec.entry.http !== undefined) want(spec.entry.http, "http");
  for (const metrics of spec.metrics) want(metrics, "http", true);
  for (const state of spec.state) want(state, "tcp");
  for (const service of spec.services) for (const port of service.ports) want({ service: service.name, port }, "tcp");
  return [...wanted.values()]
    .sort((a, b) => (a.service === b.service ? a.port - b.port : a.service < b.service ? -1 : 1))
    .map((route, index) => ({ ...route, listenPort: FIRST_LISTEN_PORT + index }));
}

/** Name of a route's section in the configuration and in the runtime API. */
export function backendName(at: ServicePort): string {
  return `${at.service}_${at.port}`;
}
