import { readFileSync } from "node:fs";
import path from "node:path";
import { schemaToJson } from "@cedar-policy/cedar-wasm/nodejs";
import { afterAll, describe, expect, test } from "vitest";
import { sha256Hex } from "../../../src/core/sha256.ts";
import { type PolicyCase, parseCases, runCase } from "../../../src/policy/engine/cases.ts";
import { fakeOpa } from "../../support/fake-opa.ts";
import { dataWith, policyWith, SHIPPED } from "../../support/policy-question.ts";
import { ASKING } from "../../support/shipped-policy.ts";

const TABLE = "policies/cases.yaml";
const CASES = parseCases(readFileSync(TABLE, "utf8"), TABLE);
const opa = await fakeOpa();
afterAll(() => opa[Symbol.asyncDispose]());
const ENGINES = {
  cedar: ASKING.policy,
  opa: await policyWith({
    data: dataWith("{ kind: cedar }", `{ kind: opa, url: "${opa.url}", timeoutMs: 10000 }`),
    rego: SHIPPED.rego,
  }),
};

const planOf = (one: PolicyCase): string => readFileSync(path.resolve(path.dirname(TABLE), one.plan), "utf8");

describe.each(["cedar", "opa"] as const)("the rules that ship, asked of %s", (engine) => {
  test.each(CASES)("$name", async (one) => {
    const asked = { policy: ENGINES[engine], parse: ASKING.parse, planText: planOf(one) };
    const { findings, decision } = await runCase(one, asked);
    expect(findings).toEqual([]);
    expect(decision?.policy.engine).toBe(engine);
  });
});

test("every rule has a case in which it refuses, in both languages", () => {
  const ids = [...SHIPPED.rules.matchAll(/@id\("([^"]+)"\)[\s\S]*?(permit|forbid)\(/g)];
  const forbids = ids.filter(([, , effect]) => effect === "forbid").map(([, id]) => id);
  const refused = new Set(CASES.flatMap(({ expect: { rules } }) => rules));
  expect(forbids.toSorted()).toEqual([...refused].toSorted());
  expect([...SHIPPED.rego.matchAll(/reason\("([^"]+)"/g)].map(([, id]) => id).toSorted()).toEqual(forbids.toSorted());
});

test("facts have the same types in the form that people read and in the one that is loaded", () => {
  const answer = schemaToJson(readFileSync("policies/facts.cedarschema", "utf8"));
  expect(JSON.parse(SHIPPED.schema)).toEqual(answer.type === "success" ? answer.json : undefined);
});

test("the compiled rules that stand in for an agent are those of policies/opa", () => {
  const compiled = JSON.parse(readFileSync("test/policy/fixtures/canary-rego.json", "utf8"));
  expect(compiled.regoSha256).toBe(sha256Hex(SHIPPED.rego));
});

test.each(["context", "principal", "resource", "action"])(
  "rules in Rego allow nothing when %s is missing",
  async (part) => {
    const { request } = await questionToOpa();
    const whole = await answer(request);
    expect(whole).toMatchObject({ result: { allow: true } });
    const { [part]: _left, ...rest } = request;
    if (part === "principal" || part === "resource") return expect(rest).not.toHaveProperty(part);
    expect(await answer(rest)).toMatchObject({ result: { allow: false } });
  },
);

test("rules in Rego allow nothing when any fact that a condition looks at is missing", async () => {
  const { request } = await questionToOpa();
  const unused = new Set(["plan.name", "plan.declaredTier", "needs.confidence", "needs.promotionMinutes"]);
  const groups: Readonly<Record<string, Readonly<Record<string, unknown>>>> = request["context"] as never;
  for (const [group, facts] of Object.entries(groups))
    for (const name of Object.keys(facts)) {
      if (unused.has(`${group}.${name}`) || !SHIPPED.rego.includes(`${group}.${name}`)) continue;
      const { [name]: _left, ...rest } = facts;
      const given = { ...request, context: { ...groups, [group]: rest } };
      expect(await answer(given), `${group}.${name}`).toMatchObject({ result: { allow: false } });
    }
});

async function questionToOpa(): Promise<{ readonly request: Readonly<Record<string, unknown>> }> {
  const { QUESTION } = await import("../../support/policy-question.ts");
  const before = opa.asked.length;
  expect(await ENGINES.opa.engine.decide(QUESTION)).toMatchObject({ allow: true, decidedBy: ["promotion"] });
  return { request: JSON.parse(opa.asked[before] ?? "").input };
}

async function answer(input: unknown): Promise<unknown> {
  const response = await fetch(`${opa.url}/v1/data/canary/decision`, {
    method: "POST",
    body: JSON.stringify({ input }),
  });
  return await response.json();
}
