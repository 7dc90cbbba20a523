import { admitReplica, listReplicas, type RaisedTwin, type Replica, retireReplica } from "./replicas.ts";
import { join } from "./scale-service.ts";
import { isOneShot } from "./service-order.ts";

/** A process that a lost connection ends does so before its health check answers; one that ends twice will not stay. */
const PASSES_MAX = 2;

/**
 * Starts again what has ended by itself and resolves when every replica that should run answers; frozen ones are left as
 * they are. Containers keep their volumes.
 * @returns services that were started again, sorted
 * @throws CanaryError MIRROR_UNAVAILABLE when one does not stay up
 */
export async function reviveServices(raised: RaisedTwin, signal: AbortSignal): Promise<readonly string[]> {
  const revived = new Set<string>();
  for (let pass = 1; ; pass++) {
    const replicas = (await listReplicas(raised, signal)).filter((replica) => shouldRun(raised, replica));
    const outcomes = await Promise.allSettled(replicas.map((replica) => revive(raised, replica, revived, signal)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed === undefined) return [...revived].sort();
    if (pass === PASSES_MAX) throw failed.reason;
    signal.throwIfAborted();
  }
}

function shouldRun(raised: RaisedTwin, { service, state }: Replica): boolean {
  if (isOneShot(service, raised.twin.spec.services) || raised.frozen.has(service)) return false;
  return state === "running" || state === "ended";
}

async function revive(raised: RaisedTwin, replica: Replica, revived: Set<string>, signal: AbortSignal): Promise<void> {
  if (replica.state === "running") return await admitReplica(raised, replica, signal);
  revived.add(replica.service);
  await retireReplica(raised, replica, { volumes: "keep" }, signal);
  await join(raised, { service: replica.service, slot: replica.slot }, signal);
}
