import { z } from "zod";

const Name = z.string().max(500);
/** An object of any kind; what is compared of it is found by name. */
const KubernetesObject = z.record(z.string(), z.unknown());
const GroupVersionResource = z.looseObject({ group: z.string().max(253), version: Name, resource: Name });

/**
 * As much of an `AdmissionReview` (admission.k8s.io/v1) as is decided by; members that later versions add are no objection.
 * Source: kubernetes/api admission/v1/types.go, `AdmissionRequest`.
 */
export const AdmissionReviewSchema = z.looseObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({
    uid: z.string().min(1).max(200),
    resource: GroupVersionResource,
    subResource: Name.default(""),
    name: Name.default(""),
    namespace: Name.default(""),
    operation: z.enum(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    userInfo: z.looseObject({ username: Name.default(""), groups: z.array(Name).max(500).default([]) }),
    object: KubernetesObject.nullish(),
    oldObject: KubernetesObject.nullish(),
    options: KubernetesObject.nullish(),
    dryRun: z.boolean().nullish(),
  }),
});
export type AdmissionRequest = z.infer<typeof AdmissionReviewSchema>["request"];

/** What is answered: HTTP 200, the request's uid, and in a refusal the reason a person reads. */
export interface AdmissionResponse {
  readonly uid: string;
  readonly allowed: boolean;
  readonly status?: { readonly code: 403; readonly reason: "Forbidden"; readonly message: string };
  readonly warnings?: readonly string[];
  readonly auditAnnotations?: Readonly<Record<string, string>>;
}
