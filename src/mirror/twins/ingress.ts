import { pollUntil } from "../../core/clock.ts";
import { CanaryError } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { MirrorSpec, ServicePort } from "../mirror-spec.ts";
import type { Address, IngressHarm } from "../twin.ts";
import { lastLines } from "./container-io.ts";
import type { ContainerOptions } from "./engine.ts";
import { unavailable } from "./failures.ts";
import { askHaproxy } from "./haproxy-admin.ts";
import { haproxyConfig } from "./haproxy-config.ts";
import { HARM_FILES, HARM_OFF, HARM_SCRIPT, harmCommand } from "./ingress-harm.ts";
import { ADMIN_PORT, backendName, type IngressRoute, planRoutes } from "./ingress-plan.ts";
import { LABEL } from "./labels.ts";
import type { TwinNetwork } from "./networks.ts";
import { resourceName, type TwinContext } from "./run-context.ts";
import type { StubListener } from "./stubs.ts";

/** The balancing front of one twin. */
export interface Ingress {
  /** Resolves when the ingress runs. @throws CanaryError MIRROR_UNAVAILABLE when it does not start */
  readonly ready: Promise<void>;
  /** @throws CanaryError REPLAY_FAILED for a port that the mirror does not declare */
  address(at: ServicePort): Address;
  routesOf(service: string): readonly IngressRoute[];
  /** Resolves when new requests to the service may go to this replica. */
  add(service: string, slot: number, replicaAddress: string, signal: AbortSignal): Promise<void>;
  /** Sends a replica no new requests, waits for those under way (at most `drainMsMax`), then forgets it. */
  remove(service: string, slot: number, drainMsMax: number, signal: AbortSignal): Promise<void>;
  /** Plants a harm in place of the one before, or takes it away. */
  plant(harm: IngressHarm | undefined, signal: AbortSignal): Promise<void>;
}

const IMAGE = "haproxy:2.6";
/** The configuration travels in the environment, so that no file has to be visible to the engine. */
const START = [
  'printf %s "$CANARY_INGRESS" > /tmp/ingress.cfg',
  `printf %s "$CANARY_HARM_OFF" > ${HARM_FILES.map}`,
  `printf %s "$CANARY_HARM_SCRIPT" > ${HARM_FILES.script}`,
  "exec haproxy -f /tmp/ingress.cfg",
].join(" && ");
const START_TIMEOUT_MS = 15_000;

/** What the ingress of one twin is started with. */
export interface IngressStart {
  readonly imageId: string;
  /** Free loopback ports, as many as `portsNeeded` says; they stay the same for the twin's whole life. */
  readonly ports: readonly number[];
  readonly front?: TwinNetwork;
  readonly stubs?: StubListener;
}

/** Loopback ports of one twin: one per route and one for the ingress itself. */
export function portsNeeded(spec: MirrorSpec): number {
  return planRoutes(spec).length + 1;
}

/** Begins to start the ingress. Services start meanwhile; `add` and `remove` wait for it. */
export function beginIngress(twin: TwinContext, settings: IngressStart, signal: AbortSignal): Ingress {
  const routes = planRoutes(twin.spec);
  const { ports } = settings;
  invariant(ports.length === portsNeeded(twin.spec), "every route and the runtime API have a port");
  const front = settings.front ?? { name: twin.network, subnet: twin.subnet };
  const frontAddress = settings.front === undefined ? twin.subnet.ingress : twin.addressOnFront(front.subnet);
  const config = haproxyConfig({
    routes,
    frontAddress,
    ...(settings.stubs === undefined ? {} : { stubs: { innerAddress: twin.subnet.ingress, listener: settings.stubs } }),
  });
  const options = ingressOptions(twin, { imageId: settings.imageId, front, frontAddress, routes, ports, config });
  const admin = loopback(ports.at(-1));
  const ready = startContainer(twin, { options, admin, inner: settings.front !== undefined }, signal);
  // Whoever awaits it first reports the failure; until then it must not count as unhandled.
  ready.catch(() => undefined);
  return ingressOver({ twin, admin, routes, ports, ready });
}

/** Takes hold of an ingress that runs already, by the ports it was started with. */
export function attachIngress(twin: TwinContext, ports: readonly number[]): Ingress {
  const routes = planRoutes(twin.spec);
  invariant(ports.length === portsNeeded(twin.spec), "every route and the runtime API have a port");
  return ingressOver({ twin, admin: loopback(ports.at(-1)), routes, ports, ready: Promise.resolve() });
}

async function startContainer(
  twin: TwinContext,
  made: { readonly options: ContainerOptions; readonly admin: Address; readonly inner: boolean },
  signal: AbortSignal,
): Promise<void> {
  const container = await twin.engine.change("creating the ingress", signal, (docker) =>
    docker.createContainer(made.options),
  );
  if (made.inner) {
    await twin.engine.change("connecting the ingress", signal, (docker) =>
      docker.getNetwork(twin.network).connect({
        Container: container.id,
        EndpointConfig: { IPAMConfig: { IPv4Address: twin.subnet.ingress } },
      }),
    );
  }
  await twin.engine.change("starting the ingress", signal, () => container.start());
  await waitForAdmin(twin, container.id, made.admin, signal);
}

/** The ingress's image: the one thing a mirror needs without naming it. */
export const INGRESS_IMAGE = IMAGE;

function ingressOptions(
  twin: TwinContext,
  made: {
    readonly imageId: string;
    readonly front: TwinNetwork;
    readonly frontAddress: string;
    readonly routes: readonly IngressRoute[];
    readonly ports: readonly number[];
    readonly config: string;
  },
): ContainerOptions {
  const inside = [...made.routes.map((route) => route.listenPort), ADMIN_PORT];
  const bindings = inside.map((port, index) => [
    `${port}/tcp`,
    [{ HostIp: "127.0.0.1", HostPort: String(made.ports[index]) }],
  ]);
  return {
    name: resourceName(twin.runId, twin.role, "ingress"),
    Image: made.imageId,
    Entrypoint: ["/bin/sh", "-c"],
    Cmd: [START],
    Env: [`CANARY_INGRESS=${made.config}`, `CANARY_HARM_OFF=${HARM_OFF}`, `CANARY_HARM_SCRIPT=${HARM_SCRIPT}`],
    Healthcheck: { Test: ["NONE"] },
    Labels: { ...twin.ownership, [LABEL.role]: twin.role },
    ExposedPorts: Object.fromEntries(inside.map((port) => [`${port}/tcp`, {}])),
    HostConfig: {
      NetworkMode: made.front.name,
      PortBindings: Object.fromEntries(bindings),
      // Stubs are called on port 80, and HAProxy's image does not run as root.
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      RestartPolicy: { Name: "no" },
      ...(twin.pinned === undefined ? {} : { CpusetCpus: twin.pinned.cpuset }),
    },
    NetworkingConfig: {
      EndpointsConfig: { [made.front.name]: { IPAMConfig: { IPv4Address: made.frontAddress } } },
    },
  };
}

async function waitForAdmin(twin: TwinContext, id: string, admin: Address, signal: AbortSignal): Promise<void> {
  await pollUntil({
    clock: twin.clock,
    everyMs: 20,
    timeoutMs: START_TIMEOUT_MS,
    signal,
    probe: async () => {
      const answer = await askHaproxy(admin, ["show info"], signal).catch(() => "");
      return answer.includes("HAProxy") ? true : undefined;
    },
    onTimeout: async () => unavailable("the ingress did not start", await lastLines(twin.engine, id, 20, signal)),
  });
}

function ingressOver(made: {
  readonly twin: TwinContext;
  readonly ready: Promise<void>;
  readonly admin: Address;
  readonly routes: readonly IngressRoute[];
  readonly ports: readonly number[];
}): Ingress {
  const { admin, routes, twin } = made;
  const portOf = new Map(routes.map((route, index) => [backendName(route), made.ports[index]]));
  const routesOf = (service: string): readonly IngressRoute[] => routes.filter((route) => route.service === service);
  return {
    ready: made.ready,
    routesOf,
    address(at) {
      const port = portOf.get(backendName(at));
      if (port !== undefined) return loopback(port);
      throw new CanaryError({
        code: "REPLAY_FAILED",
        message: `${at.service} has no port ${at.port} in this mirror`,
        hint: `Add it to \`ports\` or \`expose\` of ${at.service} in the Compose file.`,
      });
    },
    async add(service, slot, replicaAddress, signal) {
      const commands = routesOf(service).flatMap((route) => {
        const server = `${backendName(route)}/s${slot}`;
        return [`set server ${server} addr ${replicaAddress} port ${route.port}`, `set server ${server} state ready`];
      });
      await made.ready;
      if (commands.length > 0) await askHaproxy(admin, commands, signal);
    },
    async remove(service, slot, drainMsMax, signal) {
      const routes = routesOf(service);
      const servers = routes.map((route) => `${backendName(route)}/s${slot}`);
      if (servers.length === 0) return;
      await made.ready;
      await askHaproxy(
        admin,
        servers.map((server) => `set server ${server} state drain`),
        signal,
      );
      // Plain connections belong to pools that never close them: there is no quiet moment to wait for.
      const counted = routes.filter((route) => route.mode !== "tcp").map((route) => `${backendName(route)}/s${slot}`);
      await waitUntilIdle({ admin, servers: counted, drainMsMax, twin }, signal);
      const forget = servers.flatMap((it) => [`set server ${it} state maint`, `shutdown sessions server ${it}`]);
      await askHaproxy(admin, forget, signal);
    },
    async plant(harm, signal) {
      await made.ready;
      await askHaproxy(admin, [harmCommand(harm)], signal);
    },
  };
}

async function waitUntilIdle(
  wait: {
    readonly admin: Address;
    readonly servers: readonly string[];
    readonly drainMsMax: number;
    readonly twin: TwinContext;
  },
  signal: AbortSignal,
): Promise<void> {
  const deadlineMs = wait.twin.clock.monotonicMs() + wait.drainMsMax;
  for (;;) {
    const busy = sessionsByServer(await askHaproxy(wait.admin, ["show stat -1 4 -1"], signal));
    if (wait.servers.every((server) => (busy.get(server) ?? 0) === 0)) return;
    if (wait.twin.clock.monotonicMs() >= deadlineMs) return;
    await wait.twin.clock.sleep(20, signal);
  }
}

/** Current sessions per `backend/server` out of HAProxy's CSV statistics (columns pxname, svname, qcur, qmax, scur). */
export function sessionsByServer(csv: string): ReadonlyMap<string, number> {
  const rows = csv.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    rows.map((row) => {
      const [proxy = "", server = "", , , sessions = "0"] = row.split(",");
      return [`${proxy}/${server}`, Number(sessions)];
    }),
  );
}

function loopback(port: number | undefined): Address {
  invariant(port !== undefined, "every route has a loopback port");
  return { host: "127.0.0.1", port };
}
