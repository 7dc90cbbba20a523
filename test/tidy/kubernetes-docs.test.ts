import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { LIMITS } from "../../src/core/limits.ts";
import { changedResources } from "../../src/gate/kubernetes/changed-resources.ts";
import { namedPlan } from "../../src/gate/kubernetes/named-plan.ts";
import { admissionRequest, CLUSTER } from "../gate/kubernetes/admission-builder.ts";

const DIGEST = "48e33d24d3c97ff12a364f64b58402206c8bb6d71e76b592fe2177922499c989";
const GATE = readFileSync("docs/gate.md", "utf8");
const WEBHOOK =
  GATE.split("```yaml\n")
    .find((block) => block.includes("kind: ValidatingWebhookConfiguration"))
    ?.split("```")[0] ?? "";

/** Lines of kubectl in a document, with a digest where they compute one. */
const kubectlLines = (text: string): readonly string[] =>
  text
    .replaceAll(/ \\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.startsWith("kubectl "))
    .map((line) => line.replaceAll(/\$\(sha256sum [^)]*\)/g, DIGEST));

test.each(["docs/gate.md", "docs/interop.md"])(
  "what %s has kubectl say names the plan as the gate reads it",
  (file) => {
    const lines = kubectlLines(readFileSync(file, "utf8"));
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) {
      const [, key = "", value = ""] = /annotate .* (\S+)=(\S+) -o yaml/.exec(line) ?? [];
      const fieldManager = /--field-manager=(\S+)/.exec(line)?.[1];
      const request = admissionRequest(
        (object) => {
          if (key !== "") object.metadata.annotations[key] = value;
        },
        fieldManager === undefined ? {} : { options: { fieldManager } },
      );
      expect(namedPlan(request), line).toBe(DIGEST);
    }
  },
);

test("the webhook that docs/gate.md registers is asked about everything that plans change, and fails closed", () => {
  const { apiVersion, webhooks } = parseYaml(WEBHOOK);
  expect(apiVersion).toBe("admissionregistration.k8s.io/v1");
  const [webhook] = webhooks;
  expect(webhook).toMatchObject({
    admissionReviewVersions: ["v1"],
    failurePolicy: "Fail",
    sideEffects: "NoneOnDryRun",
    clientConfig: { service: { path: "/v1/admission/<token>" } },
  });
  // The API server must not give up on an answer that the gate still has time for.
  expect(webhook.timeoutSeconds * 1000).toBeGreaterThanOrEqual(LIMITS.gateRequestMsMax);
  const asked = webhook.rules.flatMap((rule: { apiGroups: string[]; resources: string[]; operations: string[] }) =>
    rule.resources.map((resource) => `${rule.apiGroups} ${resource} ${rule.operations}`),
  );
  const apps = ["deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets"];
  const guarded = [
    ...[...apps, "replicasets", "replicasets/scale"].map((kind) => `apps ${kind}`),
    ...["rollouts", "rollouts/scale"].map((kind) => `argoproj.io ${kind}`),
    ...["jobs", "cronjobs"].map((kind) => `batch ${kind}`),
    ...["configmaps", "replicationcontrollers", "replicationcontrollers/scale"].map((kind) => ` ${kind}`),
  ];
  const pods = ["pods", "pods/ephemeralcontainers", "pods/resize"];
  expect(asked).toEqual([
    ...guarded.map((kind) => `${kind} CREATE,UPDATE,DELETE`),
    ...pods.map((kind) => ` ${kind} CREATE,UPDATE`),
  ]);
});

test("of what docs/gate.md registers the gate overlooks nothing that somebody makes, changes or takes away", () => {
  const { webhooks } = parseYaml(WEBHOOK);
  for (const { apiGroups, resources, operations } of webhooks[0].rules) {
    for (const [resource = "", subResource = ""] of resources.map((name: string) => name.split("/"))) {
      for (const operation of operations) {
        const changes = { operation, subResource, resource: { group: apiGroups[0], version: "v1", resource } };
        const request = admissionRequest((object) => (object.spec.template.spec.hostNetwork = true), changes);
        const [path = ""] = changedResources(request, CLUSTER).map((changed) => changed.path);
        expect(path, `${operation} ${resource}/${subResource}`).toMatch(/^kubernetes\/batch\//);
      }
    }
  }
});
