import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { createGzip } from "node:zlib";
import tar from "tar-fs";
import { CanaryError } from "../../core/errors.ts";
import type { ConnectionProbe, DependencyLink, EchoProbe, LinkTraffic } from "../twin-faults.ts";
import type { ContainerOptions } from "../twins/engine.ts";
import { LABEL } from "../twins/labels.ts";
import { resourceName, type TwinContext } from "../twins/run-context.ts";
import type { CarriedLink } from "./fault-proxy.ts";
import { openProxyChannel, type ProxyChannel } from "./proxy-channel.ts";
import { layOut, linkName, sameLink } from "./proxy-layout.ts";
import type { ProxyCommand } from "./proxy-protocol.ts";

/** The proxies of one twin, as replicas and fault switches see them. */
export interface TwinProxies {
  readonly links: readonly DependencyLink[];
  /** `name:address` lines for a caller: under its dependencies' names it finds the proxies. */
  hostsOf(service: string): readonly string[];
  /** Tells the proxies whose address this is; before the container starts. */
  know(address: string, service: string, signal: AbortSignal): Promise<void>;
  /** Sends a command about a link to the proxy that carries it. */
  ask<Op extends keyof LinkAnswers>(
    link: DependencyLink,
    command: Extract<LinkCommand, { op: Op }>,
    signal: AbortSignal,
  ): Promise<LinkAnswers[Op]>;
}

type LinkCommand = ProxyCommand extends infer Each
  ? Each extends { link: string }
    ? Omit<Each, "link">
    : never
  : never;

interface LinkAnswers {
  readonly toxics: null;
  readonly traffic: LinkTraffic;
  readonly probe: ConnectionProbe;
  readonly echo: EchoProbe;
}

interface RaisedProxy {
  readonly links: readonly DependencyLink[];
  readonly address: string;
  readonly channel: ProxyChannel;
}

/** Image that the proxy runs on: any Node that reads TypeScript. */
export const PROXY_IMAGE = "node:24-slim";
const SOURCES = ["mirror/proxy/fault-proxy-main", "mirror/proxy/fault-proxy", "mirror/proxy/proxy-probe"];
const SHARED = ["mirror/proxy/toxic-stream", "core/random"];
const ROOT = "canary";

/**
 * Starts the proxies of a twin, before any of its services. They are in the way from the start: a proxy that came later
 * would not touch the connections that exist by then.
 */
export async function raiseProxies(
  twin: TwinContext,
  made: { readonly imageId: string; readonly links: readonly DependencyLink[] },
  signal: AbortSignal,
): Promise<TwinProxies> {
  const raised = await Promise.all(
    layOut(made.links).map((links, index) => raiseOne(twin, { links, index, imageId: made.imageId }, signal)),
  );
  const carrierOf = (link: DependencyLink): RaisedProxy => {
    const found = raised.find((proxy) => proxy.links.some((one) => sameLink(one, link)));
    if (found !== undefined) return found;
    throw new CanaryError({
      code: "REPLAY_FAILED",
      message: `no proxy stands between ${link.from} and ${link.to}:${link.port}`,
      hint: "Declare it under `x-canary: dependencies:` in the Compose file.",
    });
  };
  return {
    links: made.links,
    hostsOf: (service) =>
      raised.flatMap(({ links, address }) => {
        const names = links.filter((link) => link.from === service).map((link) => link.to);
        return [...new Set(names)].map((name) => `${name}:${address}`);
      }),
    know: async (address, service, waiting) => {
      await Promise.all(raised.map(({ channel }) => channel.ask({ op: "know", address, service }, waiting)));
    },
    ask: async (link, command, waiting) => {
      const asked = { ...command, link: linkName(link) } as ProxyCommand;
      return (await carrierOf(link).channel.ask(asked, waiting)) as LinkAnswers[typeof command.op];
    },
  };
}

async function raiseOne(
  twin: TwinContext,
  made: { readonly imageId: string; readonly links: readonly DependencyLink[]; readonly index: number },
  signal: AbortSignal,
): Promise<RaisedProxy> {
  const address = twin.addresses.take();
  const options = proxyOptions(twin, { ...made, address });
  const container = await twin.engine.change("creating the fault proxy", signal, (docker) =>
    docker.createContainer(options),
  );
  await twin.engine.change("filling the fault proxy", signal, () => container.putArchive(sources(), { path: "/" }));
  // Attached before it starts, so that its first line is not missed.
  const channel = await openProxyChannel(twin.engine, container.id, signal);
  await twin.engine.change("starting the fault proxy", signal, () => container.start());
  await channel.ready(signal);
  return { links: made.links, address, channel };
}

function proxyOptions(
  twin: TwinContext,
  made: {
    readonly imageId: string;
    readonly links: readonly DependencyLink[];
    readonly index: number;
    readonly address: string;
  },
): ContainerOptions {
  const carried = made.links.map(
    (link): CarriedLink => ({
      id: linkName(link),
      from: link.from,
      port: link.port,
      // By name: the engine's own name service knows where the replicas are now, also after an update.
      target: { host: link.to, port: link.port },
    }),
  );
  return {
    name: resourceName(twin.runId, twin.role, "fault-proxy", String(made.index + 1)),
    Image: made.imageId,
    Entrypoint: ["node"],
    Cmd: ["--max-old-space-size=96", "--no-warnings", `/${ROOT}/${SOURCES[0]}${ownExtension()}`],
    Env: [`CANARY_LINKS=${JSON.stringify(carried)}`],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    Healthcheck: { Test: ["NONE"] },
    Labels: { ...twin.ownership, [LABEL.role]: twin.role },
    HostConfig: {
      NetworkMode: twin.network,
      Dns: ["127.0.0.1"],
      DnsOptions: ["timeout:1", "attempts:1"],
      CapDrop: ["ALL"],
      // Dependencies listen on whatever port they like, and the proxy on the same one.
      Sysctls: { "net.ipv4.ip_unprivileged_port_start": "0" },
      RestartPolicy: { Name: "no" },
      ...(twin.pinned === undefined ? {} : { CpusetCpus: twin.pinned.cpuset }),
    },
    NetworkingConfig: {
      EndpointsConfig: { [twin.network]: { IPAMConfig: { IPv4Address: made.address } } },
    },
  };
}

function ownExtension(): string {
  return extname(fileURLToPath(import.meta.url));
}

/** The proxy's few files, laid out as they are here, so that their imports hold. */
function sources(): NodeJS.ReadableStream {
  const src = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
  const pack = tar.pack(src, {
    entries: [...SOURCES, ...SHARED].map((file) => `${file}${ownExtension()}`),
    map: (header) => ({ ...header, name: `${ROOT}/${header.name}`, uid: 0, gid: 0, mode: 0o644 }),
  });
  return pack.pipe(createGzip());
}
