import { invariant } from "../../core/invariant.ts";
import { raiseProxies } from "../proxy/raise-proxies.ts";
import type { Role } from "../twin.ts";
import type { DependencyLink } from "../twin-faults.ts";
import type { ResolvedImage } from "./container-options.ts";
import { beginIngress } from "./ingress.ts";
import type { TwinNetwork } from "./networks.ts";
import { admitReplica, createReplica, type RaisedTwin, type Replica, startReplica } from "./replicas.ts";
import type { TwinContext } from "./run-context.ts";
import { startInOrder } from "./service-order.ts";
import { listenForStubs, type StubListener } from "./stubs.ts";
import { usageMeter, usageReader } from "./usage-meter.ts";

/** What both twins are raised from. */
export interface TwinParts {
  readonly images: ReadonlyMap<string, ResolvedImage>;
  readonly ingressImageId: string;
  /** Loopback ports of each twin, chosen together so that the two never want the same one. */
  readonly ports: Readonly<Record<Role, readonly number[]>>;
  /** Network that publishes the ingress; absent when the twin's own network does. */
  readonly front?: TwinNetwork;
  /** Proxies of the dependencies, where something is to be broken. */
  readonly proxied?: { readonly imageId: string; readonly links: readonly DependencyLink[] };
}

/** A twin whose services answer. Disposing ends the stubs; containers belong to the run. */
export interface RaisedWithStubs extends AsyncDisposable {
  readonly raised: RaisedTwin;
  readonly stubs?: StubListener;
}

/**
 * Creates all containers of a twin at once, then starts each as soon as what it depends on is ready.
 * The ingress starts meanwhile; it is told of a replica when that answers.
 */
export async function raiseTwin(twin: TwinContext, parts: TwinParts, signal: AbortSignal): Promise<RaisedWithStubs> {
  await using opened = new AsyncDisposableStack();
  const stubs = twin.spec.stubs.length === 0 ? undefined : opened.use(await listenOutside(twin, parts));
  const front = parts.front === undefined ? {} : { front: parts.front };
  const listener = stubs === undefined ? {} : { stubs };
  const services = twin.spec.services.map((spec) => [spec.name, { spec, image: imageOf(parts, spec.name) }] as const);
  const reader = await usageReader(twin.engine);
  const proxies = parts.proxied === undefined ? undefined : await raiseProxies(twin, parts.proxied, signal);
  const raised: RaisedTwin = {
    twin,
    ingress: beginIngress(
      twin,
      { imageId: parts.ingressImageId, ports: parts.ports[twin.role], ...front, ...listener },
      signal,
    ),
    stubHosts: [...new Set(twin.spec.stubs.map((stub) => `${stub.host}:${twin.subnet.ingress}`))],
    services: new Map(services),
    frozen: new Set(),
    counts: new Map(twin.spec.services.map(({ name, replicas }) => [name, replicas])),
    admitted: new Map(),
    usage: usageMeter(
      twin.spec.services.map((service) => service.name),
      reader,
    ),
    ...(proxies === undefined ? {} : { proxies }),
  };
  await Promise.all([raised.ingress.ready, startServices(raised, signal)]);
  const kept = opened.move();
  return { raised, ...listener, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

async function startServices(raised: RaisedTwin, signal: AbortSignal): Promise<void> {
  const created = new Map<string, Promise<readonly Replica[]>>();
  for (const { name, replicas } of raised.twin.spec.services) {
    const slots = Array.from({ length: replicas }, (_, index) => index + 1);
    const creating = Promise.all(slots.map((slot) => createReplica(raised, { service: name, slot }, signal)));
    creating.catch(() => undefined);
    created.set(name, creating);
  }
  const each = async (name: string, work: (replica: Replica) => Promise<void>): Promise<void> => {
    await Promise.all(((await created.get(name)) ?? []).map(work));
  };
  await startInOrder(raised.twin.spec.services, {
    start: ({ name }) => each(name, (replica) => startReplica(raised, replica, signal)),
    ready: ({ name }) => each(name, (replica) => admitReplica(raised, replica, signal)),
  });
}

/** On the host's side of the network that publishes: only containers of this run can reach it. */
async function listenOutside(twin: TwinContext, parts: TwinParts): Promise<StubListener> {
  const { gateway } = parts.front?.subnet ?? twin.subnet;
  const { spec, role, runId, clock } = twin;
  return await listenForStubs({ stubs: spec.stubs, address: gateway, role, runId, clock });
}

function imageOf(parts: TwinParts, service: string): ResolvedImage {
  const image = parts.images.get(service);
  invariant(image !== undefined, `the image of ${service} was resolved`);
  return image;
}
