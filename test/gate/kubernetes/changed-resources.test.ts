import fc from "fast-check";
import { expect, test } from "vitest";
import type { AdmissionRequest } from "../../../src/gate/kubernetes/admission-review.ts";
import { changedResources } from "../../../src/gate/kubernetes/changed-resources.ts";
import { isExempt } from "../../../src/gate/kubernetes/cluster.ts";
import { namedPlan } from "../../../src/gate/kubernetes/named-plan.ts";
import { PLAN_ANNOTATION, withoutServerFields } from "../../../src/gate/kubernetes/server-fields.ts";
import { admissionRequest, CLUSTER, containerOf, deployment, type Loose, scaleRequest } from "./admission-builder.ts";

/** What a change of the deployment is called in plans. */
function checkChange(change: (object: Loose) => void, expected: Readonly<Record<string, unknown>>): void {
  checkRequest(admissionRequest(change), expected);
}

function checkRequest(request: AdmissionRequest, expected: Readonly<Record<string, unknown>>): void {
  const resources = changedResources(request, CLUSTER);
  expect(Object.fromEntries(resources.map(({ path, to }) => [path, to]))).toEqual(expected);
}

test("what plans have names for is called by them", () => {
  checkChange((object) => (object.spec.replicas = 3), { "service/worker/replicas": 3 });
  checkChange((object) => (containerOf(object).image = "worker:2"), { "service/worker/image": "worker:2" });
  checkChange((object) => (containerOf(object).env[0].value = "5"), { "service/worker/env/DB_POOL_MAX": "5" });
  checkChange((object) => containerOf(object).env.push({ name: "DEBUG", value: "1" }), {
    "service/worker/env/DEBUG": "1",
  });
  checkChange((object) => containerOf(object).env.shift(), { "service/worker/env/DB_POOL_MAX": null });
  checkChange((object) => (containerOf(object).resources.limits.memory = "1Gi"), { "service/worker/memory": 2 ** 30 });
  checkChange((object) => (containerOf(object).resources.limits.cpu = "1500m"), { "service/worker/cpus": 1.5 });
  checkChange((object) => delete containerOf(object).resources.limits.cpu, { "service/worker/cpus": null });
  checkChange((object) => delete containerOf(object).env, {
    "service/worker/env/DB_POOL_MAX": null,
    "service/worker/env/DB_PASSWORD": null,
  });
  checkChange((object) => (containerOf(object).command = ["sh"]), { "service/worker/command": ["sh"] });
  checkChange(
    (object) =>
      (object.spec.template.metadata.annotations = { "kubectl.kubernetes.io/restartedAt": "2026-11-30T07:00:00Z" }),
    { "service/worker/(restart)": true },
  );
});

test("the scale subresource is the number of replicas, and what else hides in it has no name", () => {
  checkRequest(scaleRequest(1, 3), { "service/worker/replicas": 3 });
  const request = scaleRequest(1, 3);
  checkRequest(
    { ...request, object: { ...request.object, spec: { replicas: 3, template: {} } } },
    { "service/worker/replicas": 3, "kubernetes/batch/deployments/shop-worker/spec/template": {} },
  );
});

test("flags of a known ConfigMap are called by their names, other keys and other maps are not", () => {
  const flags = (variant: string, extra = ""): string =>
    `{ "flags": { "page": { "state": "ENABLED", "variants": { "a": 1, "b": 2 }, "defaultVariant": "${variant}" } }${extra} }`;
  const request = (name: string, before: Loose, after: Loose): AdmissionRequest => ({
    ...admissionRequest(() => undefined),
    resource: { group: "", version: "v1", resource: "configmaps" },
    name,
    oldObject: { metadata: { name }, data: before },
    object: { metadata: { name }, data: after },
  });
  checkRequest(request("shop-flags", { "flags.json": flags("a") }, { "flags.json": flags("b") }), {
    "flags/api/page/defaultVariant": "b",
  });
  checkRequest(request("shop-flags", { "flags.json": flags("a") }, { "flags.json": ` ${flags("a")}` }), {});
  checkRequest(request("shop-flags", { "flags.json": flags("a") }, { "flags.json": flags("a", ', "x": 1') }), {
    "flags/api/(file)/x": 1,
  });
  const twice = '{ "flags": {}, "flags": {} }';
  checkRequest(request("shop-flags", { "flags.json": flags("a") }, { "flags.json": twice }), {
    "kubernetes/batch/configmaps/shop-flags/data/flags.json": twice,
  });
  checkRequest(request("other", { "flags.json": flags("a") }, { "flags.json": flags("b") }), {
    "kubernetes/batch/configmaps/other/data/flags.json": flags("b"),
  });
});

const UNNAMED = "kubernetes/batch/deployments/shop-worker";

test.each<[string, (object: Loose) => void, string]>([
  [
    "a second container",
    (object) => object.spec.template.spec.containers.push({ name: "x", image: "y" }),
    `${UNNAMED}/spec/template/spec/containers/x`,
  ],
  [
    "an init container",
    (object) => (object.spec.template.spec.initContainers = [{ name: "x" }]),
    `${UNNAMED}/spec/template/spec/initContainers`,
  ],
  [
    "a service account",
    (object) => (object.spec.template.spec.serviceAccountName = "admin"),
    `${UNNAMED}/spec/template/spec/serviceAccountName`,
  ],
  [
    "a host path",
    (object) => (object.spec.template.spec.volumes = [{ name: "x", hostPath: { path: "/" } }]),
    `${UNNAMED}/spec/template/spec/volumes`,
  ],
  [
    "privileges",
    (object) => (containerOf(object).securityContext = { privileged: true }),
    `${UNNAMED}/spec/template/spec/containers/main/securityContext`,
  ],
  ["a label", (object) => (object.metadata.labels.app = "api"), `${UNNAMED}/metadata/labels/app`],
  ["an annotation", (object) => (object.metadata.annotations.team = "x"), `${UNNAMED}/metadata/annotations/team`],
  ["an owner", (object) => (object.metadata.ownerReferences = []), `${UNNAMED}/metadata/ownerReferences`],
  ["another object under the name", (object) => (object.metadata.uid = "x"), `${UNNAMED}/metadata/uid`],
  [
    "a variable read from a secret",
    (object) => {
      containerOf(object).env[1].valueFrom.secretKeyRef.name = "root";
    },
    `${UNNAMED}/spec/template/spec/containers/main/env/DB_PASSWORD/valueFrom/secretKeyRef/name`,
  ],
  ["variables in another order", (object) => containerOf(object).env.reverse(), "service/worker/env/(order)"],
  [
    "a variable that stands twice",
    (object) => containerOf(object).env.push({ name: "DB_POOL_MAX", value: "99" }),
    `${UNNAMED}/spec/template/spec/containers/main/env`,
  ],
  [
    "a container without a name",
    (object) => object.spec.template.spec.containers.push({ image: "x" }),
    `${UNNAMED}/spec/template/spec/containers`,
  ],
  ["a name with a slash and a star", (object) => (object.spec["**/x"] = 1), `${UNNAMED}/spec/%2A%2A%2Fx`],
  [
    "a prototype's name",
    (object) => Object.defineProperty(object.spec, "__proto__", { value: 1, enumerable: true }),
    `${UNNAMED}/spec/__proto__`,
  ],
])("%s has no name that an ordinary plan declares", (_, change, path) => {
  expect(changedResources(admissionRequest(change), CLUSTER).map((resource) => resource.path)).toContain(path);
});

test("what the server writes and what says how an object came about is no change", () => {
  checkChange((object) => {
    object.metadata.resourceVersion = "9000";
    object.metadata.generation = 5;
    object.metadata.managedFields = [];
    object.metadata.annotations[PLAN_ANNOTATION] = `sha256:${"a".repeat(64)}`;
    object.metadata.annotations["deployment.kubernetes.io/revision"] = "5";
    object.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"] = "{}";
    object.status = {};
  }, {});
});

test("the status of a kind that need not have the subresource is its user's", () => {
  const resource = { group: "ops.example", version: "v1", resource: "queues" };
  const change = (object: Loose): void => {
    object.status.paused = true;
  };
  checkRequest(admissionRequest(change, { resource, name: "jobs" }), {
    "kubernetes/batch/queues/jobs/status/paused": true,
  });
  checkRequest(admissionRequest(change), {});
});

test("an object that comes, goes or is connected to, and an unknown subresource, are changes as a whole", () => {
  checkRequest(
    admissionRequest(() => undefined, { operation: "CREATE", oldObject: null }),
    { [`${UNNAMED}/(create)`]: true },
  );
  checkRequest(
    admissionRequest(() => undefined, { operation: "DELETE", object: null }),
    { [`${UNNAMED}/(delete)`]: true },
  );
  checkRequest(
    admissionRequest(() => undefined, { operation: "CONNECT", subResource: "exec" }),
    { [`${UNNAMED}/(connect)`]: true },
  );
  checkRequest(
    admissionRequest(() => undefined, { subResource: "ephemeralcontainers" }),
    { [`${UNNAMED}/(ephemeralcontainers)`]: true },
  );
  checkRequest(
    admissionRequest(() => undefined, { oldObject: null }),
    { [`${UNNAMED}/(unreadable)`]: true },
  );
});

test.each<[string, Partial<AdmissionRequest>]>([
  ["another name", { name: "worker" }],
  ["another namespace", { namespace: "payments" }],
  ["another kind", { resource: { group: "apps", version: "v1", resource: "statefulsets" } }],
])("a workload that nobody listed, of %s, is no service", (_, other) => {
  const change = (object: Loose): void => {
    object.spec.replicas = 3;
    containerOf(object).image = "worker:2";
    object.spec.template.metadata.annotations = { "kubectl.kubernetes.io/restartedAt": "2026-11-30T07:00:00Z" };
  };
  for (const request of [admissionRequest(change, other), scaleRequest(1, 3, other)]) {
    const paths = changedResources(request, CLUSTER).map(({ path }) => path);
    expect(paths).not.toEqual([]);
    expect(paths.filter((path) => !path.startsWith("kubernetes/"))).toEqual([]);
  }
});

test("a resource that only calls itself a deployment is none", () => {
  const group = { group: "evil.example", version: "v1", resource: "deployments" };
  checkRequest(
    admissionRequest((object) => (object.spec.replicas = 3), { resource: group }),
    {
      [`${UNNAMED}/spec/replicas`]: 3,
    },
  );
});

test("a change of any one member of the spec is always seen", () => {
  const leaves = (value: Loose, place: readonly string[] = []): readonly (readonly string[])[] =>
    typeof value === "object" && value !== null
      ? Object.keys(value).flatMap((key) => leaves(value[key], [...place, key]))
      : [place];
  const all = leaves(deployment().spec);
  fc.assert(
    fc.property(fc.constantFrom(...all), fc.jsonValue(), (place, value) => {
      const change = (object: Loose): void => {
        const inner = place.slice(0, -1).reduce((at, key) => at[key], object.spec);
        inner[place.at(-1) ?? ""] = value;
      };
      const [old, young] = [deployment(), deployment(change)];
      fc.pre(JSON.stringify(withoutServerFields(old)) !== JSON.stringify(withoutServerFields(young)));
      expect(changedResources(admissionRequest(change), CLUSTER)).not.toEqual([]);
    }),
  );
});

test("the plan is named by the annotation, or for a scale by the manager of the field", () => {
  const digest = "ab".repeat(32);
  const annotated = (text: unknown): AdmissionRequest =>
    admissionRequest((object) => (object.metadata.annotations[PLAN_ANNOTATION] = text));
  expect(namedPlan(annotated(`sha256:${digest}`))).toBe(digest);
  expect(namedPlan(scaleRequest(1, 3, { options: { fieldManager: `canary-plan.${digest}` } }))).toBe(digest);
  for (const wrong of [digest, `sha256:${digest}0`, `sha256:${digest.toUpperCase()}`, "", 7, null, ["x"]]) {
    expect(namedPlan(annotated(wrong))).toBeUndefined();
  }
  expect(namedPlan(scaleRequest(1, 3, { options: { fieldManager: `canary-plan.${digest}x` } }))).toBeUndefined();
});

test("users are exempt by the operator's patterns only", () => {
  expect(isExempt(CLUSTER, "system:serviceaccount:kube-system:deployment-controller")).toBe(true);
  for (const name of ["", "system:serviceaccount:ops:agent-7", "x/system:serviceaccount:kube-system:y", "**"]) {
    expect(isExempt(CLUSTER, name)).toBe(false);
  }
});
