import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse as parseYaml } from "yaml";
import { LIMITS } from "../../src/core/limits.ts";
import { namedPlan } from "../../src/gate/kubernetes/named-plan.ts";
import { admissionRequest } from "../gate/kubernetes/admission-builder.ts";

const DIGEST = "48e33d24d3c97ff12a364f64b58402206c8bb6d71e76b592fe2177922499c989";
const GATE = readFileSync("docs/gate.md", "utf8");

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
  const text = GATE.split("```yaml\n").find((block) => block.includes("kind: ValidatingWebhookConfiguration")) ?? "";
  const { apiVersion, webhooks } = parseYaml(text.split("```")[0] ?? "");
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
  const kinds = ["deployments", "deployments/scale", "statefulsets", "statefulsets/scale", "daemonsets"];
  expect(asked).toEqual(
    [...kinds.map((kind) => `apps ${kind}`), " configmaps"].map((kind) => `${kind} CREATE,UPDATE,DELETE`),
  );
});
