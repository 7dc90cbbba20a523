import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { responseDifferences } from "../../src/measure/response-difference.ts";
import type { SampledAnswer } from "../../src/replay/sampled-pair.ts";

const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };

function answer(body: unknown, more: Partial<SampledAnswer> = {}): SampledAnswer {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  return { status: 200, headers: JSON_TYPE, body: bytes, bodyBytes: bytes.length, ...more };
}

const seen = (control: SampledAnswer, shadow: SampledAnswer): readonly string[] =>
  responseDifferences(control, shadow).map(({ path, kind }) => `${kind} ${path}`);
const between = (control: unknown, shadow: unknown): readonly string[] => seen(answer(control), answer(shadow));

describe("the body of JSON", () => {
  test.each([
    ["the order of members says nothing", { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }, []],
    ["a member that the shadow lacks", { a: 1, b: { c: 1 } }, { a: 1 }, ["missing body/b"]],
    ["a member that the shadow has more", { a: 1 }, { a: 1, b: [] }, ["extra body/b"]],
    ["another type", { a: 1, b: null }, { a: "1", b: {} }, ["type body/a", "type body/b"]],
    ["another value, deep inside", { a: { b: { c: true } } }, { a: { b: { c: false } } }, ["value body/a/b/c"]],
    ["the order of a list", [1, 2, 3], [3, 1, 2], ["order body"]],
    ["one element more is one difference, wherever it stands", { l: [2, 3, 4] }, { l: [1, 2, 3, 4] }, ["size body/l"]],
    [
      "one element that changed",
      [
        { p: 1, q: 1 },
        { p: 2, q: 1 },
      ],
      [
        { p: 1, q: 1 },
        { p: 3, q: 1 },
      ],
      ["value body/[]/p"],
    ],
    [
      "members named by ids are one place",
      { "8f3a99c0d1": { n: 1 } },
      { "77aa41be02": { n: 1 } },
      ["missing body/{}", "extra body/{}"],
    ],
    ["years and versions are names", { v2: 1, line10: 1 }, { v2: 2, line10: 1 }, ["value body/v2"]],
    ["names with slashes and stars", { "a/b*": 1 }, { "a/b*": 2 }, ["value body/a%2Fb%2A"]],
    [
      "many elements that differ are one place",
      Array.from({ length: 500 }, (_, i) => ({ i })),
      Array.from({ length: 500 }, (_, i) => ({ i: -1 - i })),
      ["value body/[]/i"],
    ],
    ["a number that only looks different", { a: 10 }, { a: 10.0 }, []],
  ])("%s", (_name, control, shadow, differences) => expect(between(control, shadow)).toEqual(differences));

  test("a document nested beyond reason is compared as bytes", () => {
    const deep = (inner: string): string => `${"[".repeat(30_000)}${inner}${"]".repeat(30_000)}`;
    expect(between(deep("1"), deep("2"))).toEqual(["value body"]);
    expect(between(deep("1"), deep("1"))).toEqual([]);
  });

  test("brackets inside strings nest nothing", () => {
    expect(between({ a: `${"[".repeat(100)}\\"`, b: 1 }, { a: `${"[".repeat(100)}\\"`, b: 2 })).toEqual([
      "value body/b",
    ]);
  });

  test("more places than can be told are told as one more", () => {
    const wide = (value: number) => Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`m${i}`, value]));
    const differences = between(wide(1), wide(2));
    expect(differences).toHaveLength(101);
    expect(differences.at(-1)).toBe("value body/(more)");
  });
});

describe("what is no JSON", () => {
  const text = { headers: { "content-type": "text/html" } };
  test.each([
    ["equal texts", "<p>1</p>", "<p>1</p>", []],
    ["as long, and another", "<p>1</p>", "<p>2</p>", ["value body"]],
    ["longer", "<p>1</p>", "<p>12</p>", ["size body"]],
  ])("%s", (_name, control, shadow, differences) => {
    expect(seen(answer(control, text), answer(shadow, text))).toEqual(differences);
  });

  test("JSON on one side only is another type, and a header that says so", () => {
    expect(seen(answer({ a: 1 }), answer("oops", text))).toEqual(["value header/content-type", "type body"]);
    expect(seen(answer({ a: 1 }), answer("{"))).toEqual(["type body"]);
  });

  test("bodies that were cut are compared by their length and their first bytes", () => {
    const cut = (body: string, bodyBytes: number) => answer(body, { bodyBytes });
    expect(seen(cut('{"a":1', 90_000), cut('{"a":1', 90_000))).toEqual([]);
    expect(seen(cut('{"a":1', 90_000), cut('{"a":2', 90_000))).toEqual(["value body"]);
    expect(seen(cut('{"a":1', 90_000), cut('{"a":1', 90_001))).toEqual(["size body"]);
  });
});

describe("status and headers", () => {
  test("another status is the only difference: everything else follows from it", () => {
    expect(seen(answer({ a: 1 }), answer({ error: "no" }, { status: 404 }))).toEqual(["status".replace(/^/, "value ")]);
  });

  test("headers by name, but for those of the connection", () => {
    const control = { ...JSON_TYPE, etag: "a", connection: "close", "content-length": "3", vary: ["a", "b"] };
    const shadow = { ...JSON_TYPE, "x-new": "1", connection: "keep-alive", "content-length": "4", vary: ["b", "a"] };
    expect(seen(answer(1, { headers: control }), answer(1, { headers: shadow }))).toEqual([
      "missing header/etag",
      "value header/vary",
      "extra header/x-new",
    ]);
  });

  test("a message of gRPC is JSON without saying so", () => {
    const message = (body: unknown) => answer(body, { status: 1000, headers: {} });
    expect(seen(message({ stock: 1 }), message({ stock: "1" }))).toEqual(["type body/stock"]);
  });
});

describe("examples", () => {
  const example = (control: unknown, shadow: unknown, headers: SampledAnswer["headers"] = JSON_TYPE) =>
    responseDifferences(answer(control, { headers }), answer(shadow))[0]?.example();

  test("show short plain values as they are", () => {
    expect(example({ price: 10 }, { price: 12.5 })).toEqual({ control: "10", shadow: "12.5" });
    expect(example({ a: 1 }, {})).toEqual({ control: "1", shadow: "nothing" });
  });

  test.each([
    ["a member with a secret's name", { password: "hunter2" }, { password: "hunter3" }],
    ["anything inside one", { credentials: { user: "anna" } }, { credentials: { user: "bert" } }],
    ["a token under an innocent name", { sid: "a8f3k2m9q1z7x5c4" }, { sid: "b8f3k2m9q1z7x5c4" }],
    ["a long text", { note: "anna ".repeat(20) }, { note: "bert ".repeat(20) }],
    ["an object with a secret in it", { a: { token: "anna" } }, { a: 1 }],
  ])("mask %s, and keep different ones different", (_name, control, shadow) => {
    const shown = example(control, shadow);
    expect(JSON.stringify(shown)).not.toMatch(/hunter|anna|bert|a8f3|b8f3/);
    expect(shown?.control).not.toBe(shown?.shadow);
  });

  test("mask cookies", () => {
    expect(example({}, {}, { ...JSON_TYPE, "set-cookie": "sid=abc" })?.control).not.toContain("abc");
  });
});

describe("laws", () => {
  const document = fc.jsonValue({ maxDepth: 4 });

  test("an answer does not differ from itself, and two documents that differ are told apart", () => {
    fc.assert(
      fc.property(document, document, (a, b) => {
        expect(between(a, JSON.parse(JSON.stringify(a)))).toEqual([]);
        const same = canonical(a) === canonical(b);
        expect(between(a, b).length === 0).toBe(same);
      }),
    );
  });

  test("both ways round the same places differ, with missing and extra exchanged", () => {
    const swapped = (line: string): string =>
      line.replace(/^(missing|extra)/, (kind) => (kind === "missing" ? "extra" : "missing"));
    fc.assert(
      fc.property(document, document, (a, b) => {
        const forth = new Set(between(a, b));
        expect(new Set(between(b, a).map(swapped))).toEqual(forth);
      }),
    );
  });
});

/** Texts that are equal where the documents are, whatever the order of their members. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "";
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`).join()}}`;
}
