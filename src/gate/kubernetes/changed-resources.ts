import { resourcePath } from "../../plan/resource-pattern.ts";
import { restartPath } from "../declared-values.ts";
import { flagChange } from "../flag-change.ts";
import type { ChangedResource, JsonValue } from "../promotion-request.ts";
import { type ValueDifference, valueDifferences } from "../value-difference.ts";
import type { AdmissionRequest } from "./admission-review.ts";
import { type Cluster, type Workload, workloadOf } from "./cluster.ts";
import { quantityOf } from "./quantity.ts";
import { withoutServerFields, withoutStatus } from "./server-fields.ts";
import { withEmptyMembers } from "./with-empty-members.ts";

/** Resources whose pods are a service, with their API group: anybody can call a resource of theirs `deployments`. */
const WORKLOADS = new Set(["apps/deployments", "apps/statefulsets", "apps/daemonsets", "argoproj.io/rollouts"]);
const RESTARTED_AT = "kubectl.kubernetes.io/restartedAt";

/**
 * Every resource that a request would change, in the grammar of plans. What has no name there stands under
 * `kubernetes/<namespace>/<resource>/<name>/…`, which no plan may declare: the unknown is refused, not overlooked.
 */
export function changedResources(request: AdmissionRequest, cluster: Cluster): readonly ChangedResource[] {
  const rest = (...names: readonly string[]): string =>
    resourcePath("kubernetes", request.namespace, request.resource.resource, nameOf(request), ...names);
  if (request.operation !== "UPDATE") return [{ path: `${rest()}/(${request.operation.toLowerCase()})`, to: true }];
  if (!isObject(request.object) || !isObject(request.oldObject)) return [{ path: `${rest()}/(unreadable)`, to: true }];
  if (request.subResource !== "" && request.subResource !== "scale") {
    return [{ path: `${rest()}/(${resourcePath(request.subResource)})`, to: true }];
  }
  const isWorkload = WORKLOADS.has(`${request.resource.group}/${request.resource.resource}`);
  const isStatusKept = request.resource.group === "apps" || request.subResource === "scale";
  const compared = (object: Readonly<Record<string, unknown>>): unknown => {
    const decided = withoutServerFields(isStatusKept ? withoutStatus(object) : object);
    return isWorkload ? withEmptyMembers(decided) : decided;
  };
  const differences = valueDifferences(compared(request.oldObject), compared(request.object));
  const workload = workloadOf(cluster, {
    namespace: request.namespace,
    resource: request.resource.resource,
    name: nameOf(request),
  });
  return differences.flatMap((difference) => {
    const named = isWorkload
      ? workload && workloadChange(difference, workload, request)
      : flagMapChange(difference, request, cluster);
    return named ?? [{ path: rest(...difference.place), to: jsonOf(difference.after) }];
  });
}

function nameOf({ name, object, oldObject }: AdmissionRequest): string {
  if (name !== "") return name;
  const metadata = (object ?? oldObject)?.["metadata"];
  const own = isObject(metadata) ? (metadata["name"] ?? metadata["generateName"]) : undefined;
  return typeof own === "string" && own !== "" ? own : "(unnamed)";
}

/** The resource of a service that a difference is, where plans have a name for it. */
function workloadChange(
  { place, after }: ValueDifference,
  workload: Workload,
  request: AdmissionRequest,
): readonly ChangedResource[] | undefined {
  const path = (...names: readonly string[]): string => resourcePath("service", workload.service, ...names);
  if (isAt(place, ["spec", "replicas"])) return [{ path: path("replicas"), to: jsonOf(after) }];
  if (request.subResource === "scale") return undefined;
  if (isAt(place, ["spec", "template", "metadata", "annotations", RESTARTED_AT])) {
    return [{ path: restartPath(workload.service), to: true }];
  }
  const [spec, template, inner, containers, container, ...field] = place;
  const isContainer = isAt([spec, template, inner, containers], ["spec", "template", "spec", "containers"]);
  if (!isContainer || container === undefined || container !== containerOf(workload, request)) return undefined;
  return containerChange(field, after, path);
}

function containerChange(
  [field, name, of, ...deeper]: readonly string[],
  after: unknown,
  path: (...names: readonly string[]) => string,
): readonly ChangedResource[] | undefined {
  if (field === "image" && name === undefined) return [{ path: path("image"), to: jsonOf(after) }];
  if ((field === "command" || field === "args") && name === undefined) {
    return [{ path: path("command"), to: jsonOf(after) }];
  }
  // A variable that comes, and one whose value changes; one that is read from elsewhere is no text that a plan could set.
  if (field === "env" && name !== undefined && deeper.length === 0) {
    if (of === "value") return [{ path: path("env", name), to: jsonOf(after) }];
    if (of === undefined) return [{ path: path("env", name), to: plainVariable(after) }];
  }
  if (field === "resources" && (name === "limits" || name === "requests") && deeper.length === 0) {
    if (of === "memory") return [{ path: path("memory"), to: quantity(after) }];
    if (of === "cpu") return [{ path: path("cpus"), to: quantity(after) }];
  }
  return undefined;
}

function plainVariable(variable: unknown): JsonValue {
  if (variable === undefined) return null;
  const isPlain = isObject(variable) && Object.keys(variable).every((key) => key === "name" || key === "value");
  return isPlain ? jsonOf(variable["value"] ?? "") : jsonOf(variable);
}

function quantity(value: unknown): JsonValue {
  return value === undefined ? null : (quantityOf(value) ?? jsonOf(value));
}

/** The container that is the service: as configured, else the only one, else the one of its name. */
function containerOf({ container, service }: Workload, { object }: AdmissionRequest): string | undefined {
  if (container !== undefined) return container;
  const names = containerNames(object);
  return names.length === 1 ? names[0] : names.find((name) => name === service);
}

function containerNames(object: unknown): readonly string[] {
  const at = (value: unknown, name: string): unknown => (isObject(value) ? value[name] : undefined);
  const containers = ["spec", "template", "spec", "containers"].reduce(at, object);
  return Array.isArray(containers) ? containers.map((one: unknown) => String(at(one, "name"))) : [];
}

/** Flags of a ConfigMap that is known to hold a flagd file. */
function flagMapChange(
  { place, before, after }: ValueDifference,
  request: AdmissionRequest,
  { flagMaps }: Cluster,
): readonly ChangedResource[] | undefined {
  const [data, key, ...deeper] = place;
  const map = flagMaps.find(
    (one) => one.namespace === request.namespace && one.name === request.name && one.key === key,
  );
  const isText = (before === undefined || typeof before === "string") && typeof after === "string";
  if (
    `${request.resource.group}/${request.resource.resource}` !== "/configmaps" ||
    data !== "data" ||
    deeper.length > 0
  )
    return undefined;
  if (map === undefined || !isText) return undefined;
  const change = flagChange(map.service, before, after);
  // Texts that differ in nothing a flag reads (spaces, order) change nothing.
  return change.kind === "problem" ? undefined : change.resources;
}

function isAt(place: readonly (string | undefined)[], names: readonly string[]): boolean {
  return place.length === names.length && names.every((name, index) => place[index] === name);
}

function jsonOf(value: unknown): JsonValue {
  return (value ?? null) as JsonValue;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
