import { z } from "zod";
import { LIMITS } from "../core/limits.ts";

const Service = z.string().regex(/^[a-z0-9][a-z0-9_.-]{0,62}$/i, "a service name");
const Port = z.number().int().min(1).max(65_535);

/** One row whose first column is true, on a state database; read-only, whatever it says. */
const SqlProbe = z.strictObject({ service: Service, query: z.string().min(1).max(LIMITS.textCharsMax) });

const HttpProbe = z.strictObject({
  service: Service,
  port: Port,
  path: z.string().max(LIMITS.textCharsMax).startsWith("/").default("/"),
  expectStatus: z.number().int().min(100).max(599).default(200),
});

/** The standard health service of gRPC (grpc.health.v1); an empty name asks for the server as a whole. */
const GrpcProbe = z.strictObject({ service: Service, port: Port, name: z.string().max(200).default("") });

/** As many replicas run as there should be. */
const UpProbe = z.strictObject({
  service: Service,
  replicasMin: z.number().int().min(1).max(LIMITS.replicasMax).default(1),
});

/** A question to a twin that has yes or no for an answer; exactly one of them. */
export const HealthProbeSchema = z.union([
  z.strictObject({ sql: SqlProbe }),
  z.strictObject({ http: HttpProbe }),
  z.strictObject({ grpc: GrpcProbe }),
  z.strictObject({ up: UpProbe }),
]);

export type HealthProbe = z.infer<typeof HealthProbeSchema>;

/** What a probe asks, in a few words for people. */
export function probeWords(probe: HealthProbe): string {
  if ("sql" in probe) return `SQL on ${probe.sql.service}`;
  if ("http" in probe) return `GET ${probe.http.service}:${probe.http.port}${probe.http.path}`;
  if ("grpc" in probe) return `gRPC health of ${probe.grpc.service}:${probe.grpc.port}`;
  return `${probe.up.replicasMin} of ${probe.up.service} up`;
}
