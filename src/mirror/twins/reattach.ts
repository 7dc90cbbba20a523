import type { Clock } from "../../core/clock.ts";
import type { TwinProxies } from "../proxy/raise-proxies.ts";
import { ROLES, type Role, type TwinPair } from "../twin.ts";
import { type Attachment, loadAttachment } from "./attachment.ts";
import { openEngine } from "./engine.ts";
import type { HeldTwin, Holding } from "./holding.ts";
import { attachIngress } from "./ingress.ts";
import { ownershipLabels } from "./labels.ts";
import { readOwner } from "./owner.ts";
import { removeRun } from "./remove-things.ts";
import { listReplicas, type RaisedTwin } from "./replicas.ts";
import type { RunContext, TwinContext } from "./run-context.ts";
import { stateClients } from "./state-clients.ts";
import { listenForStubs, type StubListener } from "./stubs.ts";
import { addressBook } from "./subnets.ts";
import { swapCores } from "./swap-cores.ts";
import { twinHandle } from "./twin-handle.ts";
import { usageMeter, usageReader } from "./usage-meter.ts";

const READY_TIMEOUT_MS = 60_000;

/** What taking hold of twins needs beside the folder that a dead process left. */
export interface AttachOptions {
  readonly folder: string;
  readonly clock: Clock;
  readonly ownerPid: number;
  readonly dockerHost?: string;
  readonly signal: AbortSignal;
}

/**
 * Takes hold of twins that a dead process left, to finish what it had begun. Disposing removes the run, as the dead one
 * would have.
 * @throws CanaryError MIRROR_UNAVAILABLE when they can not be taken hold of
 */
export async function reattach(options: AttachOptions): Promise<TwinPair> {
  await using opened = new AsyncDisposableStack();
  const { held, run, attachment } = await attachTwins(options);
  opened.defer(async () => void (await removeRun(run.engine, run.runId)));
  opened.use(held);
  const { control, shadow } = held;
  const kept = opened.move();
  return {
    spec: run.spec,
    control: control.twin,
    shadow: shadow.twin,
    facts: {
      isolation: run.isolation,
      cores: attachment.cores,
      images: {},
      engine: run.engine.version,
      raiseMs: 0,
      prepared: true,
    },
    swapCores: (swapSignal) => swapCores([control.raised, shadow.raised], swapSignal),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/**
 * Takes hold of both twins from a folder alone: their containers go on as they are, stubs answer again, and whatever is
 * created belongs to this process.
 * @param proxiesOf - fault proxies that outlive the process that is gone; only a drill, which lets itself die, has them
 * @throws CanaryError MIRROR_UNAVAILABLE when they can not be taken hold of
 */
export async function attachTwins(
  options: AttachOptions,
  proxiesOf: (role: Role) => TwinProxies | undefined = () => undefined,
): Promise<{ readonly held: Holding; readonly run: RunContext; readonly attachment: Attachment }> {
  const { folder, clock, signal, dockerHost } = options;
  const attachment = await loadAttachment(folder);
  const { runId, spec, isolation } = attachment;
  const engine = await openEngine(dockerHost === undefined ? {} : { dockerHost });
  const owner = await readOwner(options.ownerPid);
  const run: RunContext = {
    engine,
    clock,
    random: () => 0,
    spec,
    runId,
    isolation,
    ownership: ownershipLabels({ runId, owner, folder }),
    readyTimeoutMs: READY_TIMEOUT_MS,
  };
  await using opened = new AsyncDisposableStack();
  const [control, shadow] = await Promise.all(
    ROLES.map((role) => attach(run, attachment, { role, opened, signal, proxies: proxiesOf(role) })),
  );
  if (control === undefined || shadow === undefined) throw new TypeError("there are two roles");
  const kept = opened.move();
  return { held: { control, shadow, [Symbol.asyncDispose]: () => kept.disposeAsync() }, run, attachment };
}

interface Attaching {
  readonly role: Role;
  readonly opened: AsyncDisposableStack;
  readonly proxies: TwinProxies | undefined;
  readonly signal: AbortSignal;
}

async function attach(
  run: RunContext,
  attachment: Attachment,
  { role, opened, signal, proxies }: Attaching,
): Promise<HeldTwin> {
  const twin = contextOf(run, attachment, role);
  const { spec } = run;
  const stubs = await stubsOf(run, attachment, role);
  if (stubs !== undefined) opened.use(stubs);
  const raised: RaisedTwin = {
    twin,
    ingress: attachIngress(twin, attachment.ports[role]),
    stubHosts: [...new Set(spec.stubs.map((stub) => `${stub.host}:${twin.subnet.ingress}`))],
    services: new Map(
      spec.services.map((service) => [service.name, { spec: service, image: imageOf(attachment, service.name) }]),
    ),
    frozen: new Set(),
    counts: new Map(spec.services.map(({ name, replicas }) => [name, replicas])),
    admitted: new Map(),
    usage: usageMeter(
      spec.services.map((service) => service.name),
      await usageReader(twin.engine),
    ),
    ...(proxies === undefined ? {} : { proxies }),
  };
  await reserveAddresses(twin, signal);
  for (const { service, slot, containerId, address, state } of await listReplicas(raised, signal)) {
    twin.addresses.reserve(address);
    if (state === "paused" || state === "created") raised.frozen.add(service);
    if (state === "running" || state === "paused") {
      raised.admitted.set(containerId, { service, slot });
      raised.usage.add(service, containerId);
    }
  }
  const clients = opened.use(stateClients(spec, { role, addressOf: (state) => raised.ingress.address(state) }));
  const answering = stubs === undefined ? {} : { stubs };
  return { raised, ...answering, twin: twinHandle(raised, { clients, ...answering }) };
}

/** Whatever stands in the twin's network has its address, also what is no replica: a fault proxy that outlived its process. */
async function reserveAddresses(twin: TwinContext, signal: AbortSignal): Promise<void> {
  const { Containers } = await twin.engine.read(`inspecting network ${twin.network}`, signal, (docker) =>
    docker.getNetwork(twin.network).inspect(),
  );
  const attached: readonly { readonly IPv4Address?: string }[] = Object.values(Containers ?? {});
  for (const { IPv4Address = "" } of attached) twin.addresses.reserve(IPv4Address.replace(/\/\d+$/, ""));
}

function contextOf(run: RunContext, { networks, cores }: Attachment, role: Role): TwinContext {
  const { name, subnet } = networks[role];
  return {
    ...run,
    engine: run.engine.scoped(),
    role,
    network: name,
    subnet,
    addresses: addressBook(subnet),
    addressOnFront: (front) => `${front.prefix}${2 + ROLES.indexOf(role)}`,
    ...(cores.kind === "pinned" ? { pinned: { cpuset: cores[role] } } : {}),
  };
}

/** The ingress still sends the stubs' hosts to the address that the dead process listened on. */
async function stubsOf(run: RunContext, { stubs }: Attachment, role: Role): Promise<StubListener | undefined> {
  if (stubs === undefined) return undefined;
  const { host, port } = stubs[role];
  const { spec, runId, clock } = run;
  return await listenForStubs({ stubs: spec.stubs, address: host, port, role, runId, clock });
}

function imageOf({ images }: Attachment, service: string): Attachment["images"][string] {
  const image = images[service];
  if (image === undefined) throw new TypeError(`the image of ${service} was not kept`);
  return image;
}
