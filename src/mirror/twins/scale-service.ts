import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import {
  admitReplica,
  createReplica,
  freeSlots,
  listReplicas,
  type RaisedTwin,
  type Replica,
  retireReplica,
  startReplica,
  wantedService,
} from "./replicas.ts";

/**
 * Brings a service to `replicas` containers, whatever is there now: ended ones and left-overs of an aborted change are
 * removed, the highest slots leave first, the lowest free ones are filled.
 *
 * A frozen service gets containers that do not run yet: even the first milliseconds of a worker could change state that
 * has to stand still. They start when the service is thawed.
 * @throws CanaryError REPLAY_FAILED for a database, whose data folder has room for one server
 */
export async function scaleService(
  raised: RaisedTwin,
  service: string,
  replicas: number,
  signal: AbortSignal,
): Promise<void> {
  refuseSecondDatabase(raised, service, replicas);
  raised.counts.set(service, replicas);
  const present = await listReplicas(raised, signal, service);
  const usable = present.filter((replica) => isUsable(raised, replica));
  const kept = usable.slice(0, replicas);
  const leaving = present.filter((replica) => !kept.includes(replica));
  const slots = freeSlots(present, replicas - kept.length);
  const joining = await Promise.allSettled(slots.map((slot) => join(raised, { service, slot }, signal)));
  const failed = joining.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  await Promise.all(kept.map((replica) => admitIfNeeded(raised, replica, signal)));
  await Promise.all(leaving.map((replica) => retireReplica(raised, replica, { volumes: "remove" }, signal)));
}

/** Created but never started is right for a frozen service only; elsewhere it is what an abort left. */
function isUsable(raised: RaisedTwin, replica: Replica): boolean {
  if (replica.state === "created") return raised.frozen.has(replica.service);
  return replica.state !== "ended";
}

/** Creates, starts and admits one replica, or removes it again when it does not become ready. */
export async function join(
  raised: RaisedTwin,
  at: { readonly service: string; readonly slot: number },
  signal: AbortSignal,
): Promise<Replica> {
  const replica = await createReplica(raised, at, signal);
  if (raised.frozen.has(at.service)) return replica;
  try {
    await startReplica(raised, replica, signal);
    await admitReplica(raised, replica, signal);
    return { ...replica, state: "running" };
  } catch (cause) {
    // After an abort the next change, usually the undo, removes it: see `isUsable`.
    if (!signal.aborted) await retireReplica(raised, replica, { volumes: "remove" }, signal).catch(() => undefined);
    throw cause;
  }
}

async function admitIfNeeded(raised: RaisedTwin, replica: Replica, signal: AbortSignal): Promise<void> {
  if (replica.state !== "running" || raised.admitted.has(replica.containerId)) return;
  await admitReplica(raised, replica, signal);
}

function refuseSecondDatabase(raised: RaisedTwin, service: string, replicas: number): void {
  const { spec, image } = wantedService(raised, service);
  if (replicas > LIMITS.replicasMax) throw refused(`${replicas} replicas are more than ${LIMITS.replicasMax}`);
  const isPostgres = raised.twin.spec.state.some((store) => store.service === spec.name && store.kind === "postgres");
  if (replicas > 1 && (image.preparedDataDir !== undefined || isPostgres))
    throw refused(`${service} is a database: a second server on the same data folder would destroy it`);
}

function refused(message: string): CanaryError {
  return new CanaryError({ code: "REPLAY_FAILED", message, hint: "Change `replicas` in the plan." });
}
