import { expect, test } from "vitest";
import { captureAnswer, jsonPointer } from "../../../src/replay/traffic/capture-answer.ts";

test.each([
  ["", { a: 1 }, { a: 1 }],
  ["/a/0/b", { a: [{ b: 7 }] }, 7],
  ["/x~1y/m~0n", { "x/y": { "m~n": "v" } }, "v"],
  ["/a/9", { a: [] }, undefined],
  ["/length", "text", undefined],
  ["/__proto__", {}, undefined],
])("the JSON pointer %s finds what RFC 6901 says", (pointer, document, expected) => {
  expect(jsonPointer(document, pointer)).toEqual(expected);
});

function capture(document: unknown, header?: string) {
  const sources = [["id", { json: "/id" }] as const, ["token", { header: "X-Token" }] as const];
  return Object.fromEntries(
    captureAnswer(sources, { header: (name) => (name === "x-token" ? header : undefined), json: () => document }),
  );
}

test("scalars of the body and headers are captured", () => {
  expect(capture({ id: 12 }, "abc")).toEqual({ id: 12, token: "abc" });
});

test.each([{ id: null }, { id: {} }, { id: "" }, { id: "two\r\nlines" }, { id: "x".repeat(5000) }, undefined, "text"])(
  "%o gives no value",
  (document) => {
    expect(capture(document)).toEqual({});
  },
);

test("a body is only parsed if a value is taken from it", () => {
  const json = (): unknown => {
    throw new Error("parsed");
  };
  expect(captureAnswer([["token", { header: "x-token" }]], { header: () => "t", json })).toEqual(
    new Map([["token", "t"]]),
  );
});
