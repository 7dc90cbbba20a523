import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { parseDocument } from "../../src/core/document.ts";
import { CanaryError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { redactForPeople } from "../../src/core/redact.ts";

const SOURCE = { source: "plan.yaml", what: "a test document", code: "PLAN_INVALID" } as const;
const SCHEMA = z.strictObject({ name: z.string(), list: z.array(z.strictObject({ n: z.number() })).default([]) });

function refusal(text: string): CanaryError {
  return refusalOf(() => parseDocument(SCHEMA, text, SOURCE));
}

function refusalOf(parse: () => unknown): CanaryError {
  try {
    parse();
  } catch (error) {
    if (error instanceof CanaryError) return error;
    throw error;
  }
  throw new Error("the document was accepted");
}

test("YAML and JSON are both read", () => {
  expect(parseDocument(SCHEMA, "name: a\nlist:\n  - n: 1\n", SOURCE)).toEqual({ name: "a", list: [{ n: 1 }] });
  expect(parseDocument(SCHEMA, '{"name":"a"}', SOURCE)).toEqual({ name: "a", list: [] });
});

test("JSON means what YAML makes of it, whatever its keys, numbers and texts", () => {
  const anything = z.unknown();
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
      const text = JSON.stringify(value);
      // A comment makes it YAML.
      expect(parseDocument(anything, text, SOURCE)).toEqual(
        parseDocument(anything, `# ${SOURCE.what}\n${text}`, SOURCE),
      );
    }),
    {
      examples: [
        [{ "<<": { a: 1 }, b: 2 }],
        [{ list: [-0, 1e21, 5e-324, 0.1], "": null }],
        [JSON.parse('{"__proto__":{"polluted":true}}') as Record<string, fc.JsonValue>],
      ],
    },
  );
});

describe("what is refused", () => {
  test("every problem at once, each with its line", () => {
    const { hint, code } = refusal("name: 7\nlist:\n  - n: 1\n  - n: two\n    m: 3\n");
    expect(code).toBe("PLAN_INVALID");
    expect(hint).toContain("plan.yaml:1:7 `name`");
    expect(hint).toContain("plan.yaml:4:8 `list[1].n`");
    expect(hint).toMatch(/plan\.yaml:\d+:\d+ `list\[1\]`: Unrecognized key "m"/);
  });

  test("what is wrong is still read when secrets have been masked, also at names that look like one", () => {
    const schema = z.strictObject({ tokens: z.strictObject({ validMinutes: z.number(), keyFile: z.string() }) });
    const parse = (): unknown => parseDocument(schema, "tokens: { validMinutes: x, keyFile: 1, apiKey: 2 }", SOURCE);
    const { hint } = refusalOf(parse);
    expect(hint.split("\n")).toHaveLength(3);
    expect(redactForPeople(hint)).toBe(hint);
  });

  test("an unclosed quote, with its line", () =>
    expect(refusal('name: "a\nlist: []\n').hint).toMatch(/plan\.yaml:\d+:\d+/));
  test("a key that stands twice", () => expect(refusal("name: a\nname: b\n").hint).toContain("plan.yaml:2:1"));
  test("a key that stands twice in JSON, with its place", () =>
    expect(refusal('{"name":"a","name":"b"}').hint).toContain("plan.yaml:1:13"));
  test("what is wrong in JSON, with its place", () =>
    expect(refusal('{"name":"a","list":[{"n":"two"}]}').hint).toContain("plan.yaml:1:26 `list[0].n`"));
  test("JSON that is nested deeper than whoever walks it has stack", () => {
    const deep = (depth: number) => `{"name":"a","list":[],"more":${"[".repeat(depth)}${"]".repeat(depth)}}`;
    const anything = z.looseObject({ name: z.string() });
    expect(parseDocument(anything, deep(100), SOURCE)).toMatchObject({ name: "a" });
    for (const depth of [20_000, 200_000])
      expect(refusalOf(() => parseDocument(anything, deep(depth), SOURCE)).code).toBe("PLAN_INVALID");
  });
  test("a text cut off in the middle", () =>
    expect(refusal('{"name": "a", "list": [{"n"').message).toContain("plan.yaml"));
  test("binary junk", () => expect(refusal("\u0000\u0001\u0002").code).toBe("PLAN_INVALID"));
  test("more bytes than a person reads", () => {
    expect(refusal(`name: ${"a".repeat(LIMITS.documentBytesMax)}`).message).toContain("bytes long");
  });

  test("an alias bomb, before it expands", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ...["b", "c", "d", "e", "f", "g", "h"].map((name, i) => {
        const before = "abcdefgh"[i];
        return `${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(",")}]`;
      }),
    ].join("\n");
    expect(refusal(bomb).message).toContain("aliases");
  });
});
