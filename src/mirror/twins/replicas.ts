import { messageOf } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { ServiceSpec } from "../mirror-spec.ts";
import type { TwinProxies } from "../proxy/raise-proxies.ts";
import { containerOptions, type ResolvedImage } from "./container-options.ts";
import type { ContainerSummary } from "./engine.ts";
import { isGone } from "./engine-errors.ts";
import type { Ingress } from "./ingress.ts";
import { SLOTS } from "./ingress-plan.ts";
import { LABEL } from "./labels.ts";
import { type WaitingFor, waitUntilCompleted, waitUntilReady } from "./readiness.ts";
import type { TwinContext } from "./run-context.ts";
import { isOneShot } from "./service-order.ts";
import type { UsageMeter } from "./usage-meter.ts";

/** A service as it should be now, after whatever `update` changed. */
export interface WantedService {
  readonly spec: ServiceSpec;
  readonly image: ResolvedImage;
}

/** A twin that is up, as the operations on it see it. */
export interface RaisedTwin {
  readonly twin: TwinContext;
  readonly ingress: Ingress;
  readonly stubHosts: readonly string[];
  readonly services: Map<string, WantedService>;
  readonly frozen: Set<string>;
  /** How many replicas each service is meant to have: what `scale` asked for last. */
  readonly counts: Map<string, number>;
  /** Replicas that were ready once and that the ingress knows: container id to service and slot. */
  readonly admitted: Map<string, { readonly service: string; readonly slot: number }>;
  readonly usage: UsageMeter;
  /** Stand between the services and their dependencies, in twins that are raised to be broken. */
  readonly proxies?: TwinProxies;
}

/** One container of a service, as the engine lists it. */
export interface Replica {
  readonly service: string;
  readonly slot: number;
  readonly containerId: string;
  readonly address: string;
  readonly state: "created" | "running" | "paused" | "ended";
  /** Engine names of the volumes that exist for this replica alone. */
  readonly ownVolumes: readonly string[];
}

/** Waiting longer for open requests would only delay what a real orchestrator would do by then. */
const DRAIN_MS_MAX = 5_000;

/** Replicas of the twin, or of one of its services, by service and slot. */
export async function listReplicas(
  raised: { readonly twin: Pick<TwinContext, "engine" | "runId" | "role"> },
  signal: AbortSignal,
  service?: string,
): Promise<readonly Replica[]> {
  const { twin } = raised;
  const label = [`${LABEL.run}=${twin.runId}`, `${LABEL.role}=${twin.role}`, LABEL.slot];
  if (service !== undefined) label.push(`${LABEL.service}=${service}`);
  const containers = await twin.engine.read("listing the twin's containers", signal, (docker) =>
    docker.listContainers({ all: true, filters: { label } }),
  );
  return containers
    .map(replicaOf)
    .sort((a, b) => (a.service === b.service ? a.slot - b.slot : a.service < b.service ? -1 : 1));
}

function replicaOf(container: ContainerSummary): Replica {
  const state = container.State;
  return {
    service: container.Labels[LABEL.service] ?? "",
    slot: Number(container.Labels[LABEL.slot]),
    containerId: container.Id,
    address: container.Labels[LABEL.address] ?? "",
    state: state === "created" || state === "running" || state === "paused" ? state : "ended",
    ownVolumes: container.Mounts.map((mount) => mount.Name ?? "").filter((name) => name.includes("-anonymous-")),
  };
}

/** The service as it should be. @throws InvariantViolation for a name that the mirror does not have */
export function wantedService(raised: RaisedTwin, service: string): WantedService {
  const wanted = raised.services.get(service);
  invariant(wanted !== undefined, `the mirror has no service ${service}`);
  return wanted;
}

/** Lowest slots that no replica holds. */
export function freeSlots(taken: readonly { readonly slot: number }[], count: number): readonly number[] {
  const all = Array.from({ length: SLOTS }, (_, index) => index + 1);
  return all.filter((slot) => !taken.some((replica) => replica.slot === slot)).slice(0, count);
}

/** Creates a replica with the service's wanted configuration; it does not run yet. */
export async function createReplica(
  raised: RaisedTwin,
  at: { readonly service: string; readonly slot: number },
  signal: AbortSignal,
): Promise<Replica> {
  const { twin } = raised;
  const wanted = wantedService(raised, at.service);
  const address = twin.addresses.take();
  const options = containerOptions(twin, {
    service: wanted.spec,
    image: wanted.image,
    slot: at.slot,
    address,
    stubHosts: [...raised.stubHosts, ...(raised.proxies?.hostsOf(at.service) ?? [])],
  });
  await raised.proxies?.know(address, at.service, signal);
  const container = await twin.engine.change(`creating ${at.service}`, signal, (docker) =>
    docker.createContainer(options),
  );
  return { ...at, containerId: container.id, address, state: "created", ownVolumes: [] };
}

/** Starts the replica's processes; it counts as used from now on. */
export async function startReplica(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  const { twin } = raised;
  await twin.engine.change(`starting ${replica.service}`, signal, (docker) =>
    docker.getContainer(replica.containerId).start(),
  );
  raised.usage.add(replica.service, replica.containerId);
}

/** Resolves when a started replica answers and the ingress sends it requests; a one-shot when it has ended well. */
export async function admitReplica(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  const { twin, ingress } = raised;
  const { spec } = wantedService(raised, replica.service);
  const target: WaitingFor = {
    service: spec,
    containerId: replica.containerId,
    address: replica.address,
    neededPorts: neededPorts(twin, replica.service),
  };
  if (isOneShot(spec.name, twin.spec.services)) return await waitUntilCompleted(twin, target, signal);
  await waitUntilReady(twin, target, signal);
  await ingress.add(replica.service, replica.slot, replica.address, signal);
  raised.admitted.set(replica.containerId, { service: replica.service, slot: replica.slot });
}

function neededPorts({ spec }: TwinContext, service: string): readonly number[] {
  const named = [spec.entry.http, spec.entry.grpc, ...spec.state, ...spec.metrics];
  const ports = named.filter((at) => at?.service === service).map((at) => at?.port ?? 0);
  return [...new Set(ports)];
}

/** Sends a replica nothing new, lets it finish what it has, and closes its account of use. */
export async function drainReplica(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  const { spec } = wantedService(raised, replica.service);
  const drainMsMax = replica.state === "running" ? Math.min(spec.stopGraceMs, DRAIN_MS_MAX) : 0;
  await raised.ingress.remove(replica.service, replica.slot, drainMsMax, signal);
  raised.admitted.delete(replica.containerId);
  // Its counters vanish with its processes; what it uses while it ends is not counted.
  await raised.usage.retire(replica.containerId, signal);
}

/**
 * Takes a replica out of service and removes its container.
 * A frozen one is killed without waking: its graceful end would act on state that has to stand still.
 */
export async function retireReplica(
  raised: RaisedTwin,
  replica: Replica,
  options: { readonly volumes: "keep" | "remove" },
  signal: AbortSignal,
): Promise<void> {
  const { twin } = raised;
  await drainReplica(raised, replica, signal);
  if (replica.state === "running") {
    const t = Math.ceil(wantedService(raised, replica.service).spec.stopGraceMs / 1000);
    await twin.engine.change(`stopping ${replica.service}`, signal, async (docker) => {
      await docker.getContainer(replica.containerId).stop({ t }).catch(ignoreStopped);
    });
  }
  await twin.engine.change(`removing ${replica.service}`, signal, async (docker) => {
    await docker.getContainer(replica.containerId).remove({ force: true, v: true }).catch(ignoreGone);
    if (options.volumes === "keep") return;
    await Promise.all(
      replica.ownVolumes.map((name) => docker.getVolume(name).remove({ force: true }).catch(ignoreGone)),
    );
  });
  twin.addresses.giveBack(replica.address);
}

function ignoreGone(cause: unknown): void {
  if (!isGone(cause)) throw cause;
}

function ignoreStopped(cause: unknown): void {
  if (!isGone(cause) && !/not running|not modified|already stopped/i.test(messageOf(cause))) throw cause;
}
