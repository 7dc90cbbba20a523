import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { policyDigest } from "../../../src/policy/engine/load-policy.ts";
import { mergePatch } from "../../../src/policy/engine/merge-patch.ts";
import { floorsOf, parsePolicyData } from "../../../src/policy/engine/policy-data.ts";
import { dataWith, policyWith, QUESTION, SHIPPED } from "../../support/policy-question.ts";
import { ASKING } from "../../support/shipped-policy.ts";

const parse = (text: string) => parsePolicyData(text, "policy.yaml");

describe("what no operator can configure away", () => {
  test.each([
    ["a floor", "capabilities: [loss]", "capabilities: []", /loss must stand in exactly one tier/],
    [
      "a deed in two tiers",
      "capabilities: [loss]",
      "capabilities: [loss, read]",
      /read must stand in exactly one tier/,
    ],
    ["the people at tier 3", "approvals: { k: 2, strong: 2 }", "approvals: { k: 0, strong: 0 }", /needs a person/],
    [
      "more strong people than people",
      "approvals: { k: 2, strong: 2 }",
      "approvals: { k: 1, strong: 2 }",
      /more strong/,
    ],
    [
      "a pattern at tier 3",
      "approvals: { k: 2, strong: 2 }",
      "approvals: { k: 2, strong: 2, preauthorised: true }",
      /no pattern/,
    ],
    [
      "the snapshot",
      "{ verdict: true, rollback: true, snapshot: true }",
      "{ verdict: true, rollback: true, snapshot: false }",
      /snapshot/,
    ],
    [
      "the rollback",
      "{ verdict: true, rollback: true, snapshot: false }",
      "{ verdict: true, rollback: false, snapshot: false }",
      /proven rollback/,
    ],
    [
      "the verdict",
      "{ verdict: true, rollback: true, snapshot: false }",
      "{ verdict: false, rollback: true, snapshot: false }",
      /verdict/,
    ],
    ["the dry run", "dryRun: required", "dryRun: none", /tried first/],
    ["the way back", "untried: [schema, rebuild], rollBack: must", "rollBack: may-stop", /half done/],
    ["a verdict of more than a day", "verdictHours: 24", "verdictHours: 25", /verdictHours/],
  ])("%s", (_what, from, to, why) => {
    expect(() => parse(dataWith(from, to))).toThrow(
      expect.objectContaining({ code: "POLICY_INVALID", hint: expect.stringMatching(why) }),
    );
  });

  test.each([
    [
      "a deed",
      "capabilities: [proposal]\n",
      "capabilities: [proposal, scale]\n",
      "capabilities: [maintenance, scale,",
      "capabilities: [maintenance,",
      /scale is tier 2, not 1/,
    ],
    [
      "a class",
      "restart: 3, flag: 3",
      "flag: 3",
      "name: default",
      "name: own",
      /restart in production is tier 3, not 2/,
    ],
    [
      "a namespace",
      '{ pattern: "kube-*", floor: 3 }, ',
      "",
      "name: default",
      "name: own",
      /namespaces kube-\* are tier 3/,
    ],
    [
      "a namespace's floor",
      '"kube-*", floor: 3',
      '"kube-*", floor: 2',
      "name: default",
      "name: own",
      /namespaces kube-\* are tier 3/,
    ],
  ])("the shipped floor of %s", async (_what, from, to, alsoFrom, alsoTo, why) => {
    const data = dataWith(from, to).replace(alsoFrom, alsoTo);
    await expect(policyWith({ data })).rejects.toMatchObject({
      code: "POLICY_INVALID",
      hint: expect.stringMatching(why),
    });
  });

  test("raising floors is always possible", async () => {
    const data = dataWith('"kube-*", floor: 3', '"*", floor: 4').replace("{ restart: 3,", "{ scale: 3, restart: 4,");
    expect((await policyWith({ data })).data.raised.production).toMatchObject({ restart: 4, scale: 3 });
  });
});

describe("the lineage of models", () => {
  const listed = (...models: readonly string[]): string =>
    dataWith("  listed: []\n\n# Whom", `  listed: [${models.join(", ")}]\n\n# Whom`);
  const model = (version: string, from: string): string =>
    `{ provider: acme, name: ops, version: "${version}", from: "${from}" }`;

  test("leads to the first of its line", () => {
    expect(parse(listed(model("2", "acme/ops@1"), model("1", "none"))).models.listed).toHaveLength(2);
  });

  test.each([
    ["ends in the dark", [model("2", "acme/ops@1")], /ends in the dark/],
    ["goes in a circle", [model("2", "acme/ops@1"), model("1", "acme/ops@2")], /in a circle/],
    ["is its own", [model("1", "acme/ops@1")], /in a circle/],
    ["is told twice", [model("1", "none"), model("1", "none")], /listed twice/],
  ])("is refused where it %s", (_what, models, why) => {
    expect(() => parse(listed(...models))).toThrow(expect.objectContaining({ hint: expect.stringMatching(why) }));
  });
});

describe("data that mean harm", () => {
  test.each([
    ["a prototype", "withheld: []", "withheld: []\n__proto__: { polluted: true }"],
    ["a constructor", "withheld: []", "withheld: []\nconstructor: { prototype: { polluted: true } }"],
    ["a key twice", "withheld: []", "withheld: []\nwithheld: [read]"],
    ["a network that is none", "127.0.0.0/8", "127.0.0.0/33"],
    ["a tier that is none", "floor: 3", "floor: 5"],
  ])("%s is refused", (_what, from, to) => {
    expect(() => parse(dataWith(from, to))).toThrow(expect.objectContaining({ code: "POLICY_INVALID" }));
    expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
  });

  test("a prototype among floors changes none", () => {
    const data = parse(dataWith("raised:\n", "raised:\n  __proto__: { read: 4 }\n"));
    expect(floorsOf(data)).toEqual(floorsOf(ASKING.policy.data));
  });

  test("a megabyte, and nesting without end, are refused", () => {
    expect(() => parse(`${SHIPPED.data}\n# ${"x".repeat(1024 * 1024)}`)).toThrow(
      expect.objectContaining({ code: "POLICY_INVALID" }),
    );
    expect(() => parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)).toThrow();
  });
});

test("a merged document never reaches a prototype, and merging nothing changes nothing", () => {
  const merged = mergePatch(
    { a: { b: 1 } },
    JSON.parse('{"__proto__":{"polluted":1},"a":{"__proto__":{"x":2},"b":null}}'),
  );
  expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
  expect(JSON.stringify(merged)).toBe('{"a":{"__proto__":{"x":2}},"__proto__":{"polluted":1}}');
  fc.assert(
    fc.property(fc.jsonValue(), (document) => {
      fc.pre(typeof document === "object" && document !== null && !Array.isArray(document));
      expect(mergePatch(document, {})).toEqual(document);
    }),
  );
});

describe("the digest of a policy", () => {
  test("is what `sha256sum * | sha256sum` prints in its folder, whatever the order of reading", () => {
    const hash = (text: string): string => createHash("sha256").update(text).digest("hex");
    const files = [
      { name: "rules.cedar", text: SHIPPED.rules },
      { name: "policy.yaml", text: SHIPPED.data },
    ];
    const printed = `${hash(SHIPPED.data)}  policy.yaml\n${hash(SHIPPED.rules)}  rules.cedar\n`;
    expect(policyDigest(files)).toBe(hash(printed));
    expect(policyDigest(files.toReversed())).toBe(policyDigest(files));
    expect(ASKING.policy.engine.policy.sha256).toBe(policyDigest(files));
  });

  test("changes with one byte of data or rules, and stands in every decision", async () => {
    const digests = await Promise.all(
      [{}, { data: `${SHIPPED.data}\n` }, { rules: `${SHIPPED.rules}\n` }].map(async (texts) => {
        const { engine } = await policyWith(texts);
        expect((await engine.decide(QUESTION)).policy).toEqual(engine.policy);
        return engine.policy.sha256;
      }),
    );
    expect(new Set(digests).size).toBe(3);
  });
});
