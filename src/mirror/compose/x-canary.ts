import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { FilePath } from "../../plan/step-words.ts";
import type { MetricsSpec, MirrorSpec, ServicePort, ServiceSpec, StateSpec, StubSpec } from "../mirror-spec.ts";
import { insideMirror, type MirrorScope } from "./mirror-scope.ts";

const Port = z.number().int().min(1).max(65_535);
const Service = z.string().min(1).max(63);
const Setting = z.string().min(1).max(200);

const Endpoint = z.string().transform((written, context): ServicePort => {
  const [, service = "", port] = /^([^:]+):(\d{1,5})$/.exec(written) ?? [];
  if (Port.safeParse(Number(port)).success) return { service, port: Number(port) };
  context.addIssue({ code: "custom", message: `"${written}" is not a service and a port such as api:8080` });
  return z.NEVER;
});

const HostName = z.string().regex(/^(?=.{1,253}$)[a-z0-9-]+(?:\.[a-z0-9-]+)*$/, "must be a lower-case host name");

/** `x-canary` of a Compose file (canary.mirror/v1) as written. */
export const XCanarySchema = z.strictObject({
  schema: z.literal("canary.mirror/v1"),
  entry: z
    .strictObject({ http: Endpoint.optional(), grpc: Endpoint.optional() })
    .refine((entry) => entry.http !== undefined || entry.grpc !== undefined, "needs http or grpc: where traffic goes"),
  state: z
    .array(
      z.discriminatedUnion("kind", [
        z.strictObject({
          service: Service,
          kind: z.literal("postgres"),
          database: Setting.optional(),
          user: Setting.optional(),
          password: z.string().max(200).optional(),
          port: Port.default(5432),
        }),
        z.strictObject({ service: Service, kind: z.literal("redis"), port: Port.default(6379) }),
      ]),
    )
    .max(20)
    .default([]),
  metrics: z
    .array(
      z.strictObject({
        service: Service,
        port: Port.optional(),
        path: z.string().max(400).startsWith("/").default("/metrics"),
      }),
    )
    .max(LIMITS.mirrorServicesMax)
    .default([]),
  stubs: z
    .array(z.strictObject({ host: HostName, handlers: z.string().min(1).max(400) }))
    .max(50)
    .default([]),
  flags: z
    .array(z.strictObject({ service: Service, path: FilePath }))
    .max(20)
    .default([]),
  background: z.array(Service).max(LIMITS.mirrorServicesMax).default([]),
  /** Ways between services that a drill may harm; derived from `depends_on` when absent. */
  dependencies: z
    .array(z.strictObject({ from: Service, to: Service, port: Port }))
    .max(100)
    .default([]),
  fidelity: z.array(z.string().min(1).max(LIMITS.textCharsMax)).max(50).default([]),
});

export type XCanary = z.output<typeof XCanarySchema>;
type Resolved = Pick<
  MirrorSpec,
  "entry" | "state" | "metrics" | "stubs" | "flags" | "background" | "dependencies" | "fidelity"
>;

/** Resolves defaults and paths of `x-canary` against the services; what does not fit is reported. */
export function resolveXCanary(
  written: XCanary,
  services: ReadonlyMap<string, ServiceSpec>,
  scope: MirrorScope,
): Resolved {
  const { http, grpc } = written.entry;
  return {
    entry: { ...(http === undefined ? {} : { http }), ...(grpc === undefined ? {} : { grpc }) },
    state: written.state.map((state, index) => resolveState(state, index, services, scope)),
    metrics: written.metrics.flatMap((metrics, index) => resolveMetrics(metrics, index, written, services, scope)),
    stubs: written.stubs.flatMap((stub, index) => resolveStub(stub, index, scope)),
    flags: written.flags,
    background: written.background,
    ...(written.dependencies.length === 0 ? {} : { dependencies: written.dependencies }),
    fidelity: written.fidelity,
  };
}

function resolveState(
  state: XCanary["state"][number],
  index: number,
  services: ReadonlyMap<string, ServiceSpec>,
  scope: MirrorScope,
): StateSpec {
  const { service, port } = state;
  if (state.kind === "redis") return { kind: "redis", service, port };
  const environment = services.get(service)?.environment ?? {};
  const user = state.user ?? environment["POSTGRES_USER"] ?? "postgres";
  const trusted = environment["POSTGRES_HOST_AUTH_METHOD"] === "trust" ? "" : undefined;
  const password = state.password ?? environment["POSTGRES_PASSWORD"] ?? trusted;
  if (password === undefined && services.has(service)) {
    scope.report(["x-canary", "state", index], `needs a password, and ${service} has no POSTGRES_PASSWORD`);
  }
  const database = state.database ?? environment["POSTGRES_DB"] ?? user;
  return { kind: "postgres", service, port, database, user, password: password ?? "" };
}

function resolveMetrics(
  metrics: XCanary["metrics"][number],
  index: number,
  written: XCanary,
  services: ReadonlyMap<string, ServiceSpec>,
  scope: MirrorScope,
): readonly MetricsSpec[] {
  const { service, path } = metrics;
  const ports = services.get(service)?.ports ?? [];
  const entryPort = written.entry.http?.service === service ? written.entry.http.port : undefined;
  const port = metrics.port ?? entryPort ?? (ports.length === 1 ? ports[0] : undefined);
  if (port !== undefined) return [{ service, port, path }];
  if (services.has(service))
    scope.report(["x-canary", "metrics", index], `needs a port: ${service} does not have just one`);
  return [];
}

function resolveStub(stub: XCanary["stubs"][number], index: number, scope: MirrorScope): readonly StubSpec[] {
  const at = { path: ["x-canary", "stubs", index, "handlers"], kind: "file" } as const;
  const handlersPath = insideMirror(stub.handlers, at, scope);
  return handlersPath === undefined ? [] : [{ host: stub.host, handlersPath }];
}
