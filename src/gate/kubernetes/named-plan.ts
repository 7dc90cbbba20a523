import type { AdmissionRequest } from "./admission-review.ts";
import { PLAN_ANNOTATION } from "./server-fields.ts";

const DIGEST = /^sha256:([0-9a-f]{64})$/;
/** A scale request has no annotations; it says its plan as the manager of the field that it sets, which the API server keeps. */
const FIELD_MANAGER = /^canary-plan\.([0-9a-f]{64})$/;

/** The plan that a request says it carries out; undefined where it says none or says it wrongly. */
export function namedPlan({ object, oldObject, options }: AdmissionRequest): string | undefined {
  const annotation = annotationOf(object ?? oldObject);
  const manager = options?.["fieldManager"];
  const byAnnotation = typeof annotation === "string" ? DIGEST.exec(annotation)?.[1] : undefined;
  const byManager = typeof manager === "string" ? FIELD_MANAGER.exec(manager)?.[1] : undefined;
  if (byManager === undefined) return byAnnotation;
  // An annotation can be left over from an earlier plan; the manager is said anew with every request.
  return byManager;
}

function annotationOf(object: unknown): unknown {
  const at = (value: unknown, name: string): unknown =>
    typeof value === "object" && value !== null && Object.hasOwn(value, name)
      ? (value as Readonly<Record<string, unknown>>)[name]
      : undefined;
  return at(at(at(object, "metadata"), "annotations"), PLAN_ANNOTATION);
}
