import type { ServiceSpec } from "../mirror-spec.ts";
import type { ServiceChange } from "../twin.ts";
import { imageByReference } from "./images.ts";
import {
  freeSlots,
  listReplicas,
  type RaisedTwin,
  type Replica,
  retireReplica,
  type WantedService,
  wantedService,
} from "./replicas.ts";
import { join } from "./scale-service.ts";
import { isOneShot } from "./service-order.ts";

/** Listing containers after an abort, under a signal of its own. */
const LOOK_MS_MAX = 5_000;

/**
 * Replaces every replica of a service, one after the other, by one with the changed configuration.
 * A service without data of its own gets the new one first and loses the old one when it is ready (a rolling update); a
 * service with a writable volume is stopped first, because two servers on one folder would destroy it. Afterwards the
 * service has as many replicas as it is meant to have, whatever an aborted change before this one left.
 */
export async function updateService(
  raised: RaisedTwin,
  service: string,
  change: ServiceChange,
  signal: AbortSignal,
): Promise<void> {
  const before = wantedService(raised, service);
  raised.services.set(service, await changed(raised, before, change, signal));
  const present = await listReplicas(raised, signal, service);
  try {
    await bringTo(raised, { service, present }, signal);
  } catch (cause) {
    await forgetUnbegun(raised, { service, present, before }).catch(() => undefined);
    throw cause;
  }
}

/** An update that was stopped before it had replaced anything is none: replicas that join later are as they were. */
async function forgetUnbegun(
  raised: RaisedTwin,
  stopped: { readonly service: string; readonly present: readonly Replica[]; readonly before: WantedService },
): Promise<void> {
  await raised.twin.engine.settled();
  const idsOf = (replicas: readonly Replica[]): string => replicas.map(({ containerId }) => containerId).join();
  const now = await listReplicas(raised, AbortSignal.timeout(LOOK_MS_MAX), stopped.service);
  if (idsOf(now) === idsOf(stopped.present)) raised.services.set(stopped.service, stopped.before);
}

async function bringTo(
  raised: RaisedTwin,
  { service, present }: { readonly service: string; readonly present: readonly Replica[] },
  signal: AbortSignal,
): Promise<void> {
  const standing = present.filter((replica) => hasPlace(raised, replica));
  const count = isOneShot(service, raised.twin.spec.services) ? standing.length : (raised.counts.get(service) ?? 0);
  const kept = standing.slice(0, count);
  for (const replica of present) {
    if (!kept.includes(replica)) await retireReplica(raised, replica, { volumes: "remove" }, signal);
  }
  const dataFirst = hasOwnData(raised, service) || raised.frozen.has(service);
  for (const replica of kept) {
    if (dataFirst) await replaceInPlace(raised, replica, signal);
    else await replaceRolling(raised, replica, signal);
  }
  for (const slot of freeSlots(await listReplicas(raised, signal, service), count - kept.length)) {
    await join(raised, { service, slot }, signal);
  }
}

/**
 * A replica that served keeps its place, also when it was killed meanwhile: a crash must not cost the service a replica.
 * What was never admitted is what an aborted change left, but for a frozen service, whose replicas wait to be started.
 */
function hasPlace(raised: RaisedTwin, replica: Replica): boolean {
  return raised.admitted.has(replica.containerId) || (raised.frozen.has(replica.service) && replica.state !== "ended");
}

/** Replaces a replica by a fresh one that keeps its volumes; of a frozen service it does not run yet. */
export async function replaceInPlace(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  await retireReplica(raised, replica, { volumes: "keep" }, signal);
  await join(raised, { service: replica.service, slot: replica.slot }, signal);
}

async function replaceRolling(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  const present = await listReplicas(raised, signal, replica.service);
  const [slot = replica.slot] = freeSlots(present, 1);
  await join(raised, { service: replica.service, slot }, signal);
  await retireReplica(raised, replica, { volumes: "remove" }, signal);
}

function hasOwnData(raised: RaisedTwin, service: string): boolean {
  const { spec, image } = wantedService(raised, service);
  const flags = raised.twin.spec.flags.filter((file) => file.service === service);
  // A volume with flags is configuration that all replicas read; two of them at once harm nothing.
  const writable = spec.mounts.some(
    (mount) =>
      mount.kind !== "tmpfs" && !mount.readOnly && !flags.some(({ path }) => path.startsWith(`${mount.target}/`)),
  );
  return writable || image.preparedDataDir !== undefined || image.volumes.length > 0;
}

async function changed(
  raised: RaisedTwin,
  before: WantedService,
  change: ServiceChange,
  signal: AbortSignal,
): Promise<WantedService> {
  const image = change.image === undefined ? before.image : await otherImage(raised, before, change.image, signal);
  const { memoryBytes, cpus, ...unlimited } = before.spec;
  const memory = change.memoryBytes === undefined ? memoryBytes : change.memoryBytes;
  const cores = change.cpus === undefined ? cpus : change.cpus;
  const spec: ServiceSpec = {
    ...unlimited,
    environment: mergedEnvironment(before.spec.environment, change.environment ?? {}),
    ...(change.image === undefined ? {} : { image: { kind: "image", reference: change.image } }),
    ...(memory === undefined || memory === null ? {} : { memoryBytes: memory }),
    ...(cores === undefined || cores === null ? {} : { cpus: cores }),
  };
  return { spec, image };
}

/** Data that was prepared into the old image lies in a volume by now, which the new container mounts as well. */
async function otherImage(
  raised: RaisedTwin,
  { image: before }: WantedService,
  reference: string,
  signal: AbortSignal,
): Promise<WantedService["image"]> {
  if (reference === before.baseImageId) return { ...before, imageId: before.baseImageId };
  const image = await imageByReference(raised.twin, reference, signal);
  const { preparedDataDir } = before;
  return preparedDataDir === undefined ? image : { ...image, preparedDataDir };
}

/** `null` removes a variable. */
export function mergedEnvironment(
  before: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string | null>>,
): Readonly<Record<string, string>> {
  const merged = Object.entries({ ...before, ...change });
  return Object.fromEntries(merged.flatMap(([name, value]) => (value === null ? [] : [[name, value]])));
}
