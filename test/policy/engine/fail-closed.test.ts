import type { ServerResponse } from "node:http";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import { policyEngine } from "../../../src/policy/engine/policy-engine.ts";
import type { PolicyQuestion } from "../../../src/policy/engine/question.ts";
import type { RuleAnswer } from "../../../src/policy/engine/rule-evaluator.ts";
import { fakeOpa, type Trouble } from "../../support/fake-opa.ts";
import { dataWith, FACTS, policyWith, QUESTION, SHIPPED } from "../../support/policy-question.ts";
import { ASKING } from "../../support/shipped-policy.ts";

const { data, engine } = ASKING.policy;

test("the question that every test here starts from is allowed", async () => {
  expect(await engine.decide(QUESTION)).toMatchObject({ allow: true, reasons: [], decidedBy: ["promotion"] });
});

describe("an engine without an answer refuses, and asks for everything", () => {
  const decide = async (evaluate: () => Promise<RuleAnswer>, monotonicMs = () => 0) =>
    await policyEngine({
      data,
      rules: { engine: "cedar", withinMs: 2000, evaluate },
      policy: engine.policy,
      monotonicMs,
    }).decide(QUESTION);

  test("when it throws", async () => {
    const decision = await decide(async () => {
      throw new Error("no idea");
    });
    expect(decision).toMatchObject({
      allow: false,
      decidedBy: ["POLICY_ERROR"],
      obligations: { approvals: { k: 20 } },
    });
    expect(decision.reasons[0]?.message).toBe("the rules could not be evaluated: no idea");
  });

  test("when its answer comes too late, although it allows", async () => {
    let nowMs = 0;
    const decision = await decide(
      async () => ({ allow: true, permittedBy: ["promotion"] }),
      () => (nowMs += 2001),
    );
    expect(decision).toMatchObject({ allow: false, decidedBy: ["POLICY_TIMEOUT"] });
  });

  test("when it refuses without saying why", async () => {
    const decision = await decide(async () => ({ allow: false, refusals: [] }));
    expect(decision).toMatchObject({ allow: false, decidedBy: ["POLICY_SILENT"] });
  });

  test("when there are more earlier plans than it looks at", async () => {
    const one = {
      atEpochMs: 0,
      planSha256: "",
      agent: "",
      environment: "",
      tier: 0,
      changes: [],
      confidence: 1,
    } as const;
    const past = Array.from({ length: LIMITS.pastPlansMax + 1 }, () => ({ ...one, outcome: "done" as const }));
    expect(await engine.decide({ ...QUESTION, past })).toMatchObject({ allow: false, decidedBy: ["POLICY_ERROR"] });
  });
});

describe("Cedar", () => {
  test("refuses when a rule that forbids can not be evaluated, which Cedar itself would leave out", async () => {
    const overflow = `@id("overflow") @message("m") @remedy("r")
      forbid(principal, action, resource) when { context.plan.actions * 9223372036854775807 > 0 };`;
    const { engine: broken } = await policyWith({ rules: `${SHIPPED.rules}\n${overflow}` });
    const two = { ...FACTS, actions: [...FACTS.actions, ...FACTS.actions] };
    const decision = await broken.decide({ ...QUESTION, plan: two });
    expect(decision).toMatchObject({ allow: false, decidedBy: ["POLICY_ERROR"] });
    expect(decision.reasons[0]?.message).toMatch(/rule overflow/);
  });

  test("refuses what its schema does not know", async () => {
    const schema = JSON.parse(SHIPPED.schema);
    delete schema[""].commonTypes.Plan.attributes.tags;
    const { engine: narrow } = await policyWith({ schema: JSON.stringify(schema) });
    expect(await narrow.decide(QUESTION)).toMatchObject({ allow: false, decidedBy: ["POLICY_ERROR"] });
  });

  test("refuses facts of another type", async () => {
    const wrong = { ...QUESTION, approvals: { count: 1.5, strong: 1 } };
    expect(await engine.decide(wrong)).toMatchObject({ allow: false, decidedBy: ["POLICY_ERROR"] });
    const unsure = { ...QUESTION, plan: { ...FACTS, confidence: Number.NaN } };
    expect(await engine.decide(unsure)).toMatchObject({ allow: false, decidedBy: ["POLICY_ERROR"] });
  });

  test.each([
    [
      "a fact that does not exist",
      `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { context.plan.nothing };`,
      /nothing/,
    ],
    [
      "a condition of the wrong type",
      `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { context.plan.tier == "3" };`,
      /rule a/,
    ],
    [
      "a rule that can never hold",
      `@id("a") @message("m") @remedy("r") forbid(principal, action == Action::"promote", resource) when { principal is Environment };`,
      /rule a/,
    ],
    [
      "an optional fact without `has`",
      `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { context.plan.namespace == "x" };`,
      /namespace/,
    ],
    [
      "a fact of the gate before a rehearsal",
      `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { context.given.approvals < 1 };`,
      /given/,
    ],
    ["a rule without an id", `@message("m") @remedy("r") forbid(principal, action, resource);`, /needs @id/],
    ["a rule without a remedy", `@id("a") @message("m") forbid(principal, action, resource);`, /needs @id/],
    [
      "a message that shows no fact",
      `@id("a") @message("{plan.nothing}") @remedy("r") forbid(principal, action, resource);`,
      /plan\.nothing/,
    ],
    ["two rules of one id", `@id("withheld") @message("m") @remedy("r") forbid(principal, action, resource);`, /twice/],
    ["a template", `@id("a") @message("m") permit(principal == ?principal, action, resource);`, /template/],
    ["what is no Cedar", "forbid everything", /rules\.cedar/],
    [
      "nesting without end",
      `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { ${"(".repeat(50_000)}true${")".repeat(50_000)} };`,
      /./,
    ],
  ])("does not load %s", async (_what, rule, why) => {
    await expect(policyWith({ rules: `${SHIPPED.rules}\n${rule}` })).rejects.toMatchObject({
      code: "POLICY_INVALID",
      hint: expect.stringMatching(why),
    });
    expect(await engine.decide(QUESTION), "the engine survives").toMatchObject({ allow: true });
  });

  test("loads a rule that nests as deep as one may", async () => {
    const deep = `@id("a") @message("m") @remedy("r") forbid(principal, action, resource) when { ${"(".repeat(110)}true${")".repeat(110)} };`;
    const { engine: refusing } = await policyWith({ rules: `${SHIPPED.rules}\n${deep}` });
    expect(await refusing.decide(QUESTION)).toMatchObject({ allow: false, decidedBy: ["a"] });
  });

  test("does not load without rules", async () => {
    await expect(policyWith({ rules: "" })).rejects.toMatchObject({
      hint: expect.stringMatching(/nothing would ever/),
    });
  });

  test("takes names as they are: no quote ends one, and no name is a rule", async () => {
    const hostile = fc.constantFrom(
      'a" || true || "',
      '"); permit(principal, action, resource); //',
      'Agent::"root"',
      "__proto__",
      "constructor",
      "{found.destructive}",
      "\u0000\u202e\ud800",
      "%s%n${x}",
      "\\",
      "é\n\t",
    );
    const { engine: strict } = ASKING.policy.withData({ ...data, agents: { unlisted: "refuse", listed: [] } });
    await fc.assert(
      fc.asyncProperty(fc.oneof(hostile, fc.string({ unit: "binary", maxLength: 200 })), async (name) => {
        const plan = {
          ...FACTS,
          name,
          namespace: name,
          evidence: [name],
          agent: { ...FACTS.agent, id: name, version: name },
        };
        const asked: PolicyQuestion = { ...QUESTION, plan, environment: { ...QUESTION.environment, id: name } };
        const decision = await strict.decide(asked);
        expect(decision.allow).toBe(false);
        if (decision.decidedBy.includes("agent-not-allowed"))
          expect(decision.reasons.find(({ rule }) => rule === "agent-not-allowed")?.message).toContain(name);
      }),
    );
  });

  test("answers huge questions: fifty actions with a hundred long paths each", async () => {
    const changes = Array.from({ length: 100 }, (_, index) => `db/${"x".repeat(490)}/${index}`);
    const actions = Array.from({ length: 50 }, (_, index) => ({ ...FACTS.actions[0], id: `a${index}`, changes }));
    const asked = { ...QUESTION, plan: { ...FACTS, actions } } as PolicyQuestion;
    const tagged = ASKING.policy.withData({
      ...data,
      tags: [{ name: "all", resources: ["**/*a*a*a*a*a*a*"], floor: 0, approvals: 0, offLimits: true }],
    });
    expect((await engine.decide(asked)).decidedBy).toEqual(["too-many-actions"]);
    expect((await tagged.engine.decide(asked)).decidedBy).toContain("resource-off-limits");
  });
});

describe("an OPA", () => {
  const answering =
    (status: number, body: string): Trouble =>
    (request, response) => {
      if (request.method === "GET") return undefined;
      response.writeHead(status, { "content-type": "application/json" }).end(body);
      return true;
    };
  const decideWith = async (trouble: Trouble, timeoutMs = 10_000) => {
    await using opa = await fakeOpa(trouble);
    const choice = `{ kind: opa, url: "${opa.url}", timeoutMs: ${timeoutMs} }`;
    const policy = await policyWith({ data: dataWith("{ kind: cedar }", choice), rego: SHIPPED.rego });
    return await policy.engine.decide(QUESTION);
  };

  test.each([
    ["an undefined rule", 200, "{}", "POLICY_ERROR"],
    ["null", 200, '{"result":null}', "POLICY_ERROR"],
    ["the word true", 200, '{"result":"true"}', "POLICY_ERROR"],
    ["one", 200, '{"result":{"allow":1}}', "POLICY_ERROR"],
    ["a list", 200, '{"result":[{"allow":true}]}', "POLICY_ERROR"],
    ["nothing to allow with", 200, '{"result":{"reasons":[]}}', "POLICY_ERROR"],
    ["yes and no", 200, '{"result":{"allow":true,"reasons":["but no"]}}', "POLICY_ERROR"],
    ["half a document", 200, '{"result":{"allow":true}', "POLICY_ERROR"],
    ["nothing", 200, "", "POLICY_ERROR"],
    ["a page", 200, "<html>true</html>", "POLICY_ERROR"],
    ["yes with an error's status", 500, '{"result":true}', "POLICY_ERROR"],
    ["yes with no content", 203, '{"result":true}', "POLICY_ERROR"],
    ["a pollution", 200, '{"__proto__":{"result":true}}', "POLICY_ERROR"],
    ["a plain no", 200, '{"result":false}', "POLICY_SILENT"],
    ["a reason of its own", 200, '{"result":{"allow":false,"reasons":["not today"]}}', "opa"],
  ])("that answers %s refuses", async (_what, status, body, rule) => {
    expect(await decideWith(answering(status, body))).toMatchObject({ allow: false, decidedBy: [rule] });
  });

  test("that answers a plain yes allows", async () => {
    expect(await decideWith(answering(200, '{"result":true,"decision_id":"1"}'))).toMatchObject({ allow: true });
  });

  const neverEnds = (response: ServerResponse, write: () => boolean): void => {
    const more = (): void => {
      while (!response.destroyed && write());
      if (!response.destroyed) response.once("drain", more);
    };
    more();
  };

  test.each<[string, Trouble, string]>([
    ["answers too late", (request) => (request.method === "GET" ? undefined : true), "POLICY_TIMEOUT"],
    [
      "never stops answering",
      (request, response) => {
        if (request.method === "GET") return undefined;
        response.writeHead(200);
        neverEnds(response, () => response.write(" ".repeat(65_536)));
        return true;
      },
      "POLICY_ERROR",
    ],
    [
      "sends us elsewhere",
      (request, response) => {
        if (request.method === "GET") return undefined;
        response.writeHead(307, { location: "http://127.0.0.1:1/v1/data/canary/decision" }).end();
        return true;
      },
      "POLICY_ERROR",
    ],
    [
      "hangs up",
      (request, response) => {
        if (request.method === "GET") return undefined;
        response.destroy();
        return true;
      },
      "POLICY_ERROR",
    ],
  ])("that %s refuses", async (_what, trouble, rule) => {
    expect(await decideWith(trouble, rule === "POLICY_TIMEOUT" ? 4000 : 10_000)).toMatchObject({
      allow: false,
      decidedBy: [rule],
    });
  });

  test("that is not there, or runs other modules, is no policy", async () => {
    const gone = dataWith("{ kind: cedar }", '{ kind: opa, url: "http://127.0.0.1:1" }');
    await expect(policyWith({ data: gone })).rejects.toMatchObject({ code: "POLICY_INVALID" });
    await using opa = await fakeOpa();
    const here = dataWith("{ kind: cedar }", `{ kind: opa, url: "${opa.url}", timeoutMs: 10000 }`);
    await expect(policyWith({ data: here, rego: `${SHIPPED.rego}\n` })).rejects.toMatchObject({
      message: expect.stringMatching(/runs other modules/),
    });
  });

  test.each([
    ["http://opa.example:8181", /neither this machine/],
    ["http://127.0.0.1.evil.example", /neither this machine/],
    ["http://user:secret@127.0.0.1", /more than an address/],
    ["http://127.0.0.1/?x=1", /more than an address/],
    ["http://169.254.169.254", /neither this machine/],
    ["file:///etc/passwd", /engine/],
  ])("is not asked at %s", async (url, why) => {
    const elsewhere = dataWith("{ kind: cedar }", `{ kind: opa, url: "${url}" }`);
    await expect(policyWith({ data: elsewhere })).rejects.toMatchObject({
      code: "POLICY_INVALID",
      hint: expect.stringMatching(why),
    });
  });

  test("elsewhere is asked over TLS only, and only where it is named twice", async () => {
    const clear = dataWith("{ kind: cedar }", '{ kind: opa, url: "http://opa.example", hosts: [opa.example] }');
    await expect(policyWith({ data: clear })).rejects.toMatchObject({ hint: expect.stringMatching(/in the clear/) });
  });
});
