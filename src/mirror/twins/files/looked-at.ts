import type { ContainerDetails } from "../engine.ts";
import { listReplicas, type Replica } from "../replicas.ts";
import type { TwinContext } from "../run-context.ts";
import { type HostView, hostViewOf } from "./host-files.ts";

/** A replica with everything that a look at its files needs. */
export interface LookedAt {
  readonly replica: Replica;
  readonly details: ContainerDetails;
  /** Absent where its files can only be seen through the engine. */
  readonly view: HostView | undefined;
}

/** What a look at a twin's files needs of it. */
export interface TwinWithFiles {
  readonly twin: Pick<TwinContext, "engine" | "runId" | "role" | "spec" | "clock" | "ownership">;
}

/** `throughEngine`: as if nothing of the engine could be read on this machine. */
export interface LookOptions {
  readonly throughEngine?: boolean;
}

/** Replicas with a process. One that was never started holds what its image holds; one that ended is no part of the twin. */
export async function livingReplicas(
  raised: TwinWithFiles,
  signal: AbortSignal,
  options: LookOptions = {},
): Promise<readonly LookedAt[]> {
  const all = await listReplicas(raised, signal);
  const living = all.filter(({ state }) => state === "running" || state === "paused");
  return await Promise.all(
    living.map(async (replica) => {
      const details = await raised.twin.engine.read(`inspecting ${replica.service}`, signal, (docker) =>
        docker.getContainer(replica.containerId).inspect(),
      );
      return { replica, details, view: options.throughEngine === true ? undefined : await hostViewOf(details) };
    }),
  );
}

/** The engine notes the start of a process a little after the process itself began to write. */
const START_TOLERANCE_MS = 2_000;

/** When the process of a container started, with what the clocks may be apart. */
export function startedMs(details: ContainerDetails): number {
  return Date.parse(details.State.StartedAt) - START_TOLERANCE_MS;
}
