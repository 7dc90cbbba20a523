import { anyMatches } from "../../plan/resource-pattern.ts";

/** A workload and the service of the mirror that stands for it. */
export interface Workload {
  readonly namespace: string;
  /** As in `resource` of a request: `deployments`. */
  readonly resource: string;
  readonly name: string;
  readonly service: string;
  /** Container of the service; absent: the only one, or the one named like the service. */
  readonly container?: string;
}

/** A key of a ConfigMap that is a flagd file, and the service whose flags it holds. */
export interface FlagMap {
  readonly namespace: string;
  readonly name: string;
  readonly key: string;
  readonly service: string;
}

/** How a cluster's objects are called in plans, as the gate's operator wrote it. Names that objects give themselves count for nothing. */
export interface Cluster {
  /** Requests of the cluster and of the delivery tools in it are parts of one promotion. */
  readonly name: string;
  /** Namespace to environment. A namespace that is absent is not guarded, and refused. */
  readonly environments: Readonly<Record<string, string>>;
  readonly workloads: readonly Workload[];
  readonly flagMaps: readonly FlagMap[];
  /** Patterns of users that are let through unasked, and recorded: controllers, people who break the glass. */
  readonly exemptUsers: readonly string[];
}

/** What the parts of a promotion in this cluster have in common. */
export function seriesOf({ name }: Pick<Cluster, "name">): string {
  return `cluster:${name}`;
}

/** Whether a user's requests pass unasked. A name is one segment of a pattern, whatever characters it has. */
export function isExempt({ exemptUsers }: Pick<Cluster, "exemptUsers">, username: string): boolean {
  return username !== "" && anyMatches(exemptUsers, username.replaceAll("/", "%2F"));
}

/** The workload as the operator listed it; one that is not listed is no service, whatever its name. */
export function workloadOf(
  cluster: Pick<Cluster, "workloads">,
  object: Pick<Workload, "namespace" | "resource" | "name">,
): Workload | undefined {
  return cluster.workloads.find(
    (one) => one.namespace === object.namespace && one.resource === object.resource && one.name === object.name,
  );
}
