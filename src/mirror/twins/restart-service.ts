import { unavailable } from "./failures.ts";
import { admitReplica, drainReplica, listReplicas, type RaisedTwin, type Replica, wantedService } from "./replicas.ts";
import { replaceInPlace } from "./update-service.ts";

/** After an abort a replica that was being restarted is still brought back, or nothing would: a restart has no undo. */
const BRING_BACK_MS_MAX = 30_000;

/** Restarts the replicas of a service in their containers, `maxUnavailable` at a time, each ready before the next go. */
export async function restartService(
  raised: RaisedTwin,
  service: string,
  maxUnavailable: number,
  signal: AbortSignal,
): Promise<void> {
  wantedService(raised, service);
  const present = await listReplicas(raised, signal, service);
  const living = present.filter(({ state }) => state !== "ended");
  if (living.length === 0) throw unavailable(`${service} has no replica to restart`, "");
  for (let first = 0; first < living.length; first += maxUnavailable) {
    const together = living.slice(first, first + maxUnavailable);
    const outcomes = await Promise.allSettled(together.map((replica) => restartReplica(raised, replica, signal)));
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) throw failed.reason;
  }
}

async function restartReplica(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  if (replica.state === "created") return;
  // A paused process can not end gracefully, and waking it would move state that has to stand still.
  if (replica.state === "paused") return await replaceInPlace(raised, replica, signal);
  await drainReplica(raised, replica, signal);
  try {
    const t = Math.ceil(wantedService(raised, replica.service).spec.stopGraceMs / 1000);
    // One call of the engine: an abort can not leave the container stopped.
    await raised.twin.engine.change(`restarting ${replica.service}`, signal, (docker) =>
      docker.getContainer(replica.containerId).restart({ t }),
    );
    raised.usage.add(replica.service, replica.containerId);
    await admitReplica(raised, replica, signal);
  } catch (cause) {
    if (signal.aborted) await bringBack(raised, replica).catch(() => undefined);
    throw cause;
  }
}

async function bringBack(raised: RaisedTwin, replica: Replica): Promise<void> {
  const box = AbortSignal.timeout(BRING_BACK_MS_MAX);
  await raised.twin.engine.settled();
  raised.usage.add(replica.service, replica.containerId);
  await admitReplica(raised, replica, box);
}
