import fc from "fast-check";
import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { checkNewEntry, entryBytes, parseEntry, toEntry } from "../../src/ledger/entry.ts";
import type { JsonObject, NewEntry } from "../../src/ledger/ledger.ts";

const AT = "2026-11-24T10:00:00.000Z";
const DIGEST = "ab".repeat(32);
const sound: NewEntry = {
  kind: "decision",
  at: AT,
  body: { allow: true },
  about: [DIGEST],
  claim: `promotion:${DIGEST}`,
};
const PLACE = { index: 7, at: AT, documents: [DIGEST], prev: DIGEST };

function refusal(entry: unknown): string {
  try {
    checkNewEntry(entry as NewEntry);
    return "taken";
  } catch (error) {
    return error instanceof CanaryError ? `${error.code} ${error.message}` : String(error);
  }
}

test("the bytes of an entry never change between releases", () => {
  expect(entryBytes(toEntry(sound, PLACE)).toString("utf8")).toBe(
    `{"about":["${DIGEST}"],"at":"${AT}","body":{"allow":true},"claim":"promotion:${DIGEST}","documents":["${DIGEST}"],"index":7,"kind":"decision","prev":"${DIGEST}","schema":"canary.ledger-entry/v1"}`,
  );
});

test("whatever is taken reads back as it was, from the one byte form", () => {
  const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes("__proto__"));
  fc.assert(
    fc.property(fc.dictionary(fc.string({ minLength: 1 }), json), (body) => {
      const entry: NewEntry = { ...sound, body: JSON.parse(JSON.stringify(body)) as JsonObject };
      if (refusal(entry) !== "taken") return;
      const placed = toEntry(entry, PLACE);
      const read = parseEntry(entryBytes(placed));
      expect(read.kind === "entry" && entryBytes(read.entry).equals(entryBytes(placed))).toBe(true);
    }),
  );
});

test.each([
  ["a kind that nobody knows", { kind: "weather" }],
  ["a time without milliseconds", { at: "2026-11-24T10:00:00Z" }],
  ["a time with an offset", { at: "2026-11-24T10:00:00.000+01:00" }],
  ["a day that does not exist", { at: "2026-02-30T10:00:00.000Z" }],
  ["a subject that is no digest", { about: ["../../etc/passwd"] }],
  ["a subject twice", { about: [DIGEST, DIGEST] }],
  ["a claim with a space", { claim: "promotion:a b" }],
  ["a claim without a word", { claim: "promotion" }],
  ["a body that is a list", { body: [] }],
  ["a member more", { actor: "x" }],
  ["a number that readers round", { body: { n: 2 ** 53 } }],
  ["no number", { body: { n: Number.NaN } }],
  ["half a surrogate pair", { body: { text: "\ud800" } }],
  ["something undefined", { body: { n: undefined } }],
  ["a date", { body: { n: new Date(0) } }],
  ["a list with holes", { body: { n: Object.assign([], { length: 2 }) } }],
  ["__proto__", { body: JSON.parse('{"__proto__":{"admin":true}}') }],
  ["more bytes than a tile can count", { body: { text: "x".repeat(LIMITS.ledgerEntryBytesMax) } }],
  ["more depth than a reader takes", { body: { deep: JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`) } }],
])("an entry with %s is refused", (_, change) => {
  expect(refusal({ ...sound, ...change })).toMatch(/^LEDGER_ENTRY_INVALID/);
});

test.each([
  ["another order of keys", (text: string) => text.replace('"allow":true', '"z":1,"allow":true')],
  ["a space", (text: string) => text.replace(":true", ": true")],
  ["a key twice", (text: string) => text.replace('"allow":true', '"allow":false,"allow":true')],
  ["a number written otherwise", (text: string) => text.replace('"index":7', '"index":7.0')],
  ["another schema", (text: string) => text.replace("entry/v1", "entry/v2")],
  ["half a surrogate pair", (text: string) => text.replace('"allow":true', '"allow":"\\ud800"')],
  ["a key that some readers obey", (text: string) => text.replace('"allow":true', '"__proto__":true')],
  ["a number that is rounded", (text: string) => text.replace("true", "9007199254740993")],
  ["more depth than was taken", (text: string) => text.replace("true", `${"[".repeat(20_000)}${"]".repeat(20_000)}`)],
  ["more bytes than a tile counts", (text: string) => text.replace("true", `"${"x".repeat(65_535)}"`)],
  ["something behind it", (text: string) => `${text}\n`],
])("stored bytes with %s are no entry", (_, change) => {
  const text = entryBytes(toEntry(sound, PLACE)).toString("utf8");
  expect(parseEntry(Buffer.from(text)).kind).toBe("entry");
  expect(parseEntry(Buffer.from(change(text))).kind).toBe("problem");
});

test("keys that look like numbers are sorted as text, and read", () => {
  const placed = toEntry({ ...sound, body: { "9": 1, "10": 2, a: [{ "2": 1, "11": 1 }] } }, PLACE);
  expect(entryBytes(placed).toString("utf8")).toContain('{"10":2,"9":1,"a":[{"11":1,"2":1}]}');
  expect(parseEntry(entryBytes(placed)).kind).toBe("entry");
});

test("what is just not too deep is taken and read, also where keys make it slow to compare", () => {
  const nested = (levels: number): JsonObject => JSON.parse(`${'{"9":1,"10":'.repeat(levels)}1${"}".repeat(levels)}`);
  expect(refusal({ ...sound, body: nested(33) })).toContain("nested more than 32 deep");
  const body = nested(32);
  expect(refusal({ ...sound, body })).toBe("taken");
  expect(parseEntry(entryBytes(toEntry({ ...sound, body }, PLACE))).kind).toBe("entry");
});

test("bytes that are no UTF-8 are no entry", () => {
  const bytes = entryBytes(toEntry({ ...sound, body: { text: "ABCD" } }, PLACE));
  bytes[bytes.indexOf("ABCD")] = 0xff;
  expect(parseEntry(bytes).kind).toBe("problem");
});

test("a kind of a later release is read", () => {
  const text = entryBytes(toEntry(sound, PLACE)).toString("utf8").replace('"decision"', '"weather-report"');
  expect(parseEntry(Buffer.from(text))).toMatchObject({ kind: "entry", entry: { kind: "weather-report" } });
});
