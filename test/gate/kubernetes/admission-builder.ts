import type { AdmissionRequest } from "../../../src/gate/kubernetes/admission-review.ts";
import type { Cluster } from "../../../src/gate/kubernetes/cluster.ts";

/** JSON that a test bends out of shape; its type is lost on purpose. */
export type Loose = ReturnType<typeof JSON.parse>;

export const CLUSTER: Cluster = {
  name: "eu",
  environments: { batch: "production/eu-west" },
  workloads: [{ namespace: "batch", resource: "deployments", name: "shop-worker", service: "worker" }],
  flagMaps: [{ namespace: "batch", name: "shop-flags", key: "flags.json", service: "api" }],
  exemptUsers: ["system:serviceaccount:kube-system:*"],
};

/**
 * A Deployment as the API server hands it to admission: defaulted, with what the server itself keeps in it. Members as in
 * kubernetes/api apps/v1/types.go (`DeploymentSpec`), core/v1/types.go (`PodSpec`, `Container`, `EnvVar`) and
 * apimachinery meta/v1/types.go (`ObjectMeta`).
 */
export function deployment(change: (object: Loose) => void = () => undefined): Loose {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {
      name: "shop-worker",
      namespace: "batch",
      uid: "7f0a4f0e-6d2c-4b8e-9a1f-2b6f3c0d5e11",
      resourceVersion: "8812",
      generation: 4,
      creationTimestamp: "2026-10-02T08:00:00Z",
      labels: { app: "worker" },
      annotations: { "deployment.kubernetes.io/revision": "4", team: "batch" },
      managedFields: [{ manager: "kubectl", operation: "Update", apiVersion: "apps/v1", time: "2026-10-02T08:00:00Z" }],
    },
    spec: {
      replicas: 1,
      revisionHistoryLimit: 10,
      progressDeadlineSeconds: 600,
      selector: { matchLabels: { app: "worker" } },
      strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: "25%", maxSurge: "25%" } },
      template: {
        metadata: { creationTimestamp: null, labels: { app: "worker" } },
        spec: {
          containers: [
            {
              name: "main",
              image: "registry.example/shop/worker:1.4",
              imagePullPolicy: "IfNotPresent",
              env: [
                { name: "DB_POOL_MAX", value: "10" },
                { name: "DB_PASSWORD", valueFrom: { secretKeyRef: { name: "db", key: "password" } } },
              ],
              resources: { limits: { memory: "256Mi", cpu: "500m" }, requests: { memory: "256Mi", cpu: "500m" } },
              terminationMessagePath: "/dev/termination-log",
              terminationMessagePolicy: "File",
            },
          ],
          restartPolicy: "Always",
          terminationGracePeriodSeconds: 30,
          dnsPolicy: "ClusterFirst",
          securityContext: {},
          schedulerName: "default-scheduler",
        },
      },
    },
    status: { observedGeneration: 4, replicas: 1, readyReplicas: 1 },
  };
  change(object);
  return object;
}

/** The one container of a deployment. */
export function containerOf(object: Loose): Loose {
  return object.spec.template.spec.containers[0];
}

/** A request to update a deployment; members as in kubernetes/api admission/v1/types.go (`AdmissionRequest`). */
export function admissionRequest(
  change: (object: Loose) => void,
  changes: Partial<AdmissionRequest> = {},
): AdmissionRequest {
  const resource = { group: "apps", version: "v1", resource: "deployments" };
  return {
    uid: "705ab4f5-6393-11e8-b7cc-42010a800002",
    kind: { group: "apps", version: "v1", kind: "Deployment" },
    resource,
    subResource: "",
    requestKind: { group: "apps", version: "v1", kind: "Deployment" },
    requestResource: resource,
    name: "shop-worker",
    namespace: "batch",
    operation: "UPDATE",
    userInfo: {
      username: "system:serviceaccount:ops:agent-7",
      groups: ["system:serviceaccounts", "system:authenticated"],
    },
    object: deployment(change),
    oldObject: deployment(),
    dryRun: false,
    options: { kind: "UpdateOptions", apiVersion: "meta.k8s.io/v1", fieldManager: "kubectl-client-side-apply" },
    ...changes,
  };
}

/** A `Scale` of autoscaling/v1 (kubernetes/api autoscaling/v1/types.go), as the scale subresource is asked with. */
export function scaleRequest(from: number, to: number, changes: Partial<AdmissionRequest> = {}): AdmissionRequest {
  const scale = (replicas: number): Loose => ({
    apiVersion: "autoscaling/v1",
    kind: "Scale",
    metadata: {
      name: "shop-worker",
      namespace: "batch",
      uid: "7f0a4f0e-6d2c-4b8e-9a1f-2b6f3c0d5e11",
      resourceVersion: "8812",
    },
    spec: { replicas },
    status: { replicas: from, selector: "app=worker" },
  });
  return {
    ...admissionRequest(() => undefined),
    kind: { group: "autoscaling", version: "v1", kind: "Scale" },
    subResource: "scale",
    object: scale(to),
    oldObject: scale(from),
    ...changes,
  };
}
