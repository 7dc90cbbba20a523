import { harmGlobals, harmRules } from "./ingress-harm.ts";
import { ADMIN_PORT, backendName, type IngressRoute, SLOTS } from "./ingress-plan.ts";

/** What the ingress of one twin has to know when it starts. */
export interface IngressSettings {
  readonly routes: readonly IngressRoute[];
  /** The ingress's own address on the network whose ports are published; nothing listens on the services' side. */
  readonly frontAddress: string;
  /** Where calls to third parties arrive inside the twin, and who answers them outside. */
  readonly stubs?: {
    readonly innerAddress: string;
    readonly listener: { readonly host: string; readonly port: number };
  };
}

/** Header by which a scrape asks for one replica. */
export const REPLICA_HEADER = "x-canary-replica";

/**
 * HAProxy's configuration, version 2.6 or newer.
 *
 * Servers are empty slots that the runtime API fills with a replica's address: no name resolution while samples count,
 * and a change has taken effect when the command has answered. No health checks, no retries: what a service refuses is
 * an outcome of that twin. The number of connections is what the engine's file limit allows. Time-outs are longer than any request we send, so that the ingress never ends one.
 */
export function haproxyConfig(settings: IngressSettings): string {
  return [
    ...globalSection(settings.frontAddress),
    ...settings.routes.flatMap((route) => routeSection(route, settings.frontAddress)),
    ...(settings.stubs === undefined ? [] : stubSection(settings.stubs)),
    "",
  ].join("\n");
}

function globalSection(frontAddress: string): readonly string[] {
  return [
    "global",
    "  nbthread 1",
    `  stats socket ipv4@${frontAddress}:${ADMIN_PORT} level admin`,
    "  stats timeout 1m",
    "  tune.h2.max-concurrent-streams 1000",
    "  tune.h2.initial-window-size 1048576",
    ...harmGlobals(),
    "",
    "defaults",
    "  mode tcp",
    "  timeout connect 3s",
    "  timeout client 24h",
    "  timeout server 24h",
    "  timeout tunnel 24h",
    "  timeout http-keep-alive 24h",
    "  timeout http-request 24h",
    "  timeout queue 3s",
    "  retries 0",
    "  balance roundrobin",
    "  option clitcpka",
    "  option srvtcpka",
  ];
}

function routeSection(route: IngressRoute, frontAddress: string): readonly string[] {
  const listener = `  bind ${frontAddress}:${route.listenPort}`;
  // Idle connections to a replica are dropped before the service does it: Node closes them after 5 s, and a request
  // sent into that moment would be an error of ours.
  const server = `  server-template s 1-${SLOTS} 127.0.0.1:${route.port} disabled pool-purge-delay 1s`;
  const section = ["", `listen ${backendName(route)}`];
  if (route.mode === "tcp") return [...section, listener, server];
  const grpc = route.mode === "grpc";
  return [
    ...section,
    "  mode http",
    grpc ? `${listener} proto h2` : listener,
    ...(route.perReplica ? perReplicaRules() : []),
    // Who asks one replica for its metrics is us and not the traffic.
    ...harmRules(route.perReplica ? "var(txn.replica) -m found" : undefined),
    ...(route.perReplica ? ["  use-server s%[var(txn.replica)] if { var(txn.replica) -m found }"] : []),
    "  http-reuse safe",
    grpc ? `${server} proto h2` : server,
  ];
}

function perReplicaRules(): readonly string[] {
  return [
    `  http-request set-var(txn.replica) req.hdr(${REPLICA_HEADER}) if { req.hdr(${REPLICA_HEADER}) -m found }`,
    `  http-request del-header ${REPLICA_HEADER}`,
  ];
}

function stubSection(stubs: NonNullable<IngressSettings["stubs"]>): readonly string[] {
  return [
    "",
    "listen stubs_80",
    "  mode http",
    `  bind ${stubs.innerAddress}:80`,
    "  http-reuse safe",
    `  server listener ${stubs.listener.host}:${stubs.listener.port} pool-purge-delay 1s`,
  ];
}
