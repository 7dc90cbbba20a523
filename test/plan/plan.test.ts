import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { parsePlan } from "../../src/plan/plan.ts";

const FLAGSHIP = readFileSync("scenarios/plans/scale-batch-workers.yaml", "utf8");

function hintOf(text: string): string {
  try {
    parsePlan(text, "plan.yaml");
  } catch (error) {
    if (error instanceof CanaryError && error.code === "PLAN_INVALID") return error.hint;
    throw error;
  }
  return "accepted";
}

const changed = (from: string, to: string): string => {
  expect(FLAGSHIP).toContain(from);
  return FLAGSHIP.replace(from, to);
};

test("a plan is identified by the digest of its very bytes", () => {
  const plan = parsePlan(FLAGSHIP, "plan.yaml");
  expect(plan.sha256).toBe(sha256Hex(FLAGSHIP));
  expect(parsePlan(`${FLAGSHIP}\n`, "plan.yaml").sha256).not.toBe(plan.sha256);
});

test("an action keeps what it says and what it does apart", () => {
  const [action] = parsePlan(FLAGSHIP, "plan.yaml").actions;
  expect(action).toMatchObject({
    id: "more-workers",
    step: { uses: "scale", with: { service: "worker", replicas: 3 } },
    rollback: { uses: "scale", with: { service: "worker", replicas: 1 } },
    timeoutSeconds: 30,
  });
});

describe("what is refused, with its line", () => {
  test.each([
    ["another schema", "canary.plan/v1", "canary.plan/v2", /plan\.yaml:1:9 `schema`/],
    ["an unknown kind of action", "uses: scale\n", "uses: shell\n", /actions\[0\]\.uses/],
    ["a parameter out of bounds", "replicas: 3", "replicas: 3000", /plan\.yaml:22:\d+ `actions\[0\]\.with\.replicas`/],
    [
      "an unknown parameter",
      "replicas: 3 }",
      "replicas: 3, force: true }",
      /`actions\[0\]\.with`: Unrecognized key "force"/,
    ],
    ["an unknown key of an action", "timeoutSeconds: 30", "sudo: true", /`actions\[0\]`: Unrecognized key "sudo"/],
    ["a broken rollback", "replicas: 1 } }", "replicas: -1 } }", /actions\[0\]\.rollback\.with\.replicas/],
    ["a delta that is none", 'to: "+0.5pp"', 'to: "a bit"', /expects\[2\]\.delta/],
    ["a confidence beyond certainty", "confidence: 0.91", "confidence: 1.91", /confidence/],
    ["an identifier with a path in it", "id: more-workers", "id: ../more", /actions\[0\]\.id/],
  ])("%s", (_what, from, to, hint) => expect(hintOf(changed(from, to))).toMatch(hint));

  test("an action identifier that is used twice", () => {
    const block = /\nactions:\n([\s\S]*?)expects:/.exec(FLAGSHIP)?.[1] ?? "";
    expect(hintOf(FLAGSHIP.replace(block, block + block))).toContain('"more-workers" is used twice');
  });

  test("an SLO that is expected twice", () => {
    expect(hintOf(changed("slo: errors", "slo: jobs-done"))).toContain('"jobs-done" is expected twice');
  });
});
