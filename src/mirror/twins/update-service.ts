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

/**
 * Replaces every replica of a service, one after the other, by one with the changed configuration.
 * A service without data of its own gets the new one first and loses the old one when it is ready (a rolling update); a
 * service with a writable volume is stopped first, because two servers on one folder would destroy it.
 */
export async function updateService(
  raised: RaisedTwin,
  service: string,
  change: ServiceChange,
  signal: AbortSignal,
): Promise<void> {
  raised.services.set(service, await changed(raised, wantedService(raised, service), change, signal));
  const present = await listReplicas(raised, signal, service);
  const living = present.filter((replica) => replica.state !== "ended" && !isLeftOver(raised, replica));
  for (const replica of present) {
    if (!living.includes(replica)) await retireReplica(raised, replica, { volumes: "remove" }, signal);
  }
  const dataFirst = hasOwnData(raised, service) || raised.frozen.has(service);
  for (const replica of living) {
    if (dataFirst) await replaceInPlace(raised, replica, signal);
    else await replaceRolling(raised, replica, signal);
  }
}

function isLeftOver(raised: RaisedTwin, replica: Replica): boolean {
  return replica.state === "created" && !raised.frozen.has(replica.service);
}

async function replaceInPlace(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
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
  const writable = spec.mounts.some((mount) => mount.kind !== "tmpfs" && !mount.readOnly);
  return writable || image.preparedDataDir !== undefined || image.volumes.length > 0;
}

async function changed(
  raised: RaisedTwin,
  before: WantedService,
  change: ServiceChange,
  signal: AbortSignal,
): Promise<WantedService> {
  const image = change.image === undefined ? before.image : await otherImage(raised, before, change.image, signal);
  const spec: ServiceSpec = {
    ...before.spec,
    environment: mergedEnvironment(before.spec.environment, change.environment ?? {}),
    ...(change.image === undefined ? {} : { image: { kind: "image", reference: change.image } }),
    ...(change.memoryBytes === undefined ? {} : { memoryBytes: change.memoryBytes }),
    ...(change.cpus === undefined ? {} : { cpus: change.cpus }),
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
