import fc from "fast-check";
import { expect, test } from "vitest";
import { withMember } from "../../src/core/json-text.ts";

const FLAGS = `{
  "$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "new-search":   { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off" },
    "banner": {
      "state": "ENABLED",
      "variants": { "red": "#f00", "\\"quoted}": "#000" },
      "defaultVariant": "red"
    }
  }
}
`;

test("a changed value is the only change in the text", () => {
  expect(withMember(FLAGS, ["flags", "new-search"], "defaultVariant", "on")).toBe(
    FLAGS.replace('"defaultVariant": "off"', '"defaultVariant": "on"'),
  );
});

test("a new member is laid out like its neighbours, a removed one leaves no comma behind", () => {
  const added = withMember(FLAGS, ["flags", "banner"], "targeting", { if: [true, "red"] });
  expect(added).toContain('"defaultVariant": "red",\n      "targeting": {"if":[true,"red"]}\n    }');
  expect(withMember(added ?? "", ["flags", "banner"], "targeting", undefined)).toBe(FLAGS);
  expect(withMember('{ "a": {} }', ["a"], "b", 1)).toBe('{ "a": {"b": 1} }');
  expect(withMember('{"a":1, "b":2}', [], "a", undefined)).toBe('{"b":2}');
});

test("what is not an object, is not there or stands there twice is left alone", () => {
  expect(withMember("[1]", [], "a", 1)).toBeUndefined();
  expect(withMember(FLAGS, ["flags", "none"], "state", "ENABLED")).toBeUndefined();
  expect(withMember('{"f":{"a":1},"f":{"a":2}}', ["f"], "a", 3)).toBeUndefined();
  expect(withMember('{"a":1,"a":2}', [], "a", 3)).toBeUndefined();
});

test("the text means what was asked for, whatever the document and its layout", () => {
  const layout = fc.constantFrom(undefined, 1, 4, "\t");
  const object = fc.dictionary(fc.string(), fc.jsonValue());
  fc.assert(
    fc.property(
      object,
      object,
      layout,
      fc.string(),
      fc.option(fc.jsonValue(), { nil: undefined }),
      (around, inner, indent, name, value) => {
        const document = { ...around, inner };
        const text = withMember(JSON.stringify(document, null, indent), ["inner"], name, value);
        const entries = Object.entries(inner).filter(([key]) => key !== name);
        const expected = value === undefined ? entries : [...entries, [name, value] as const];
        const { inner: got, ...rest } = JSON.parse(text ?? "null");
        // `__proto__` is a name like any other in JSON, so the entries are compared, not the objects.
        expect(Object.entries(got).sort(byName)).toEqual(
          Object.entries(JSON.parse(JSON.stringify(Object.fromEntries(expected)))).sort(byName),
        );
        expect(JSON.stringify(rest)).toBe(
          JSON.stringify((({ inner: _, ...others }) => others)(JSON.parse(JSON.stringify(document)))),
        );
      },
    ),
  );
});

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
