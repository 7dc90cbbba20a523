/** Annotation by which an object says under which plan it is changed: `sha256:<64 hex>`. */
export const PLAN_ANNOTATION = "canary-harness.dev/plan";
/** Ours, and those that say how an object came about and nothing about what runs. */
const IGNORED_ANNOTATIONS = new Set([
  PLAN_ANNOTATION,
  "kubectl.kubernetes.io/last-applied-configuration",
  "deployment.kubernetes.io/revision",
]);

/** Written by the API server or its controllers, whatever a request says. */
const SERVER_METADATA = new Set(["managedFields", "resourceVersion", "generation", "creationTimestamp", "selfLink"]);

/**
 * The object without `status`. Only for kinds whose status the API server keeps as it was, whatever an update of the object says:
 * that of a custom resource without the subresource `status` is its user's.
 * Source: kubernetes/kubernetes pkg/registry/apps/deployment/strategy.go, `PrepareForUpdate`.
 */
export function withoutStatus(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { status: _, ...rest } = object;
  return rest;
}

/**
 * The object as far as its user decides about it: without what the API server writes into `metadata`, and our own
 * annotations. `uid` stays: another one is another object.
 */
export function withoutServerFields(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { metadata, ...rest } = object;
  if (!isObject(metadata)) return { ...rest, metadata };
  const { annotations, ...others } = without(metadata, SERVER_METADATA);
  const kept = isObject(annotations) ? without(annotations, IGNORED_ANNOTATIONS) : annotations;
  // No annotations and an empty list of them are the same.
  const isNone = kept === undefined || kept === null || (isObject(kept) && Object.keys(kept).length === 0);
  return { ...rest, metadata: isNone ? others : { ...others, annotations: kept } };
}

function without(
  object: Readonly<Record<string, unknown>>,
  names: ReadonlySet<string>,
): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
