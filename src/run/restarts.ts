import type { Twin } from "../mirror/twin.ts";
import type { Plan } from "../plan/plan.ts";
import type { RunJob } from "./run-job.ts";

/** Which services of the shadow run in other processes than before: witnessed, not read from the plan alone. */
export interface Restarts {
  /** All that is known so far, sorted; never fewer than before. */
  services(): readonly string[];
  /** Remembers the processes that run now: what is missing of them later was restarted. */
  remember(signal: AbortSignal): Promise<void>;
  /** Looks for them again; answers the services that were not known to be restarted before this look. */
  witness(signal: AbortSignal): Promise<readonly string[]>;
}

type Planned = Pick<RunJob, "plan" | "restarted">;

/** @param planned - services that count as restarted whatever is seen (`plannedRestarts`) */
export function watchRestarts(shadow: Pick<Twin, "processes">, planned: readonly string[]): Restarts {
  const known = new Set(planned);
  let remembered: Awaited<ReturnType<Twin["processes"]>> = [];
  return {
    services: () => [...known].sort(),
    remember: async (signal) => {
      remembered = await shadow.processes(signal);
    },
    witness: async (signal) => {
      const now = new Set((await shadow.processes(signal)).map(({ id }) => id));
      const gone = remembered.filter(({ id }) => !now.has(id)).map(({ service }) => service);
      const fresh = [...new Set(gone)].filter((service) => !known.has(service));
      for (const service of fresh) known.add(service);
      return fresh.sort();
    },
  };
}

/** Services of which the plan's words alone say so: an `exec` may reload what no identity of a container shows. */
export function plannedRestarts(plan: Pick<Plan, "actions">): readonly string[] {
  const services = plan.actions.flatMap(({ step }) =>
    step.uses === "update" || step.uses === "exec" || step.uses === "restart" ? [step.with.service] : [],
  );
  return [...new Set(services)].sort();
}

/** For people who watch. */
export function restartedWords(services: readonly string[]): string {
  return `the plan restarts ${services.join(", ")}: the twins' own difference is drawn anew`;
}

/** Services whose processes are others with the plan, so that their part of the bias is drawn anew: as witnessed, else as planned. */
export function replacedServices({ plan, restarted }: Planned): readonly string[] {
  return restarted ?? plannedRestarts(plan);
}

/** Whether the bias between the twins is drawn anew by the plan (STATISTICS.md 3.2). */
export function replacesProcesses(job: Planned): boolean {
  return replacedServices(job).length > 0;
}
