import { invariant } from "../../core/invariant.ts";
import { isGone } from "./engine-errors.ts";
import { LABEL } from "./labels.ts";
import type { RaisedTwin } from "./replicas.ts";

/**
 * Gives each twin the other one's cores while it runs: what one core has and the other has not (a neighbour, the driver,
 * interrupts) then falls on both alike. The twins' contexts change first, so that a replica created meanwhile is right.
 */
export async function swapCores(twins: readonly [RaisedTwin, RaisedTwin], signal: AbortSignal): Promise<void> {
  const [first, second] = twins.map(({ twin }) => twin.pinned);
  invariant(first !== undefined && second !== undefined, "only twins with cores of their own can swap them");
  [first.cpuset, second.cpuset] = [second.cpuset, first.cpuset];
  await Promise.all(twins.map((raised) => moveContainers(raised, signal)));
}

async function moveContainers({ twin }: RaisedTwin, signal: AbortSignal): Promise<void> {
  const { pinned } = twin;
  invariant(pinned !== undefined, "the twin has cores of its own");
  const label = [`${LABEL.run}=${twin.runId}`, `${LABEL.role}=${twin.role}`];
  const containers = await twin.engine.read("listing the twin's containers", signal, (docker) =>
    docker.listContainers({ all: true, filters: { label } }),
  );
  await Promise.all(
    containers.map((container) =>
      twin.engine.change("moving a container to other cores", signal, async (docker) => {
        await docker.getContainer(container.Id).update({ CpusetCpus: pinned.cpuset }).catch(ignoreGone);
      }),
    ),
  );
}

function ignoreGone(cause: unknown): void {
  if (!isGone(cause)) throw cause;
}
