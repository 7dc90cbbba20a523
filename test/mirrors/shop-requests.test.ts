import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { wantedLines, wholeNumberText } from "../../mirrors/shop/src/api/parse-input.ts";
import { readJsonBody } from "../../mirrors/shop/src/api/read-body.ts";
import { matchRoute, type Route } from "../../mirrors/shop/src/api/route.ts";
import { sessionToken } from "../../mirrors/shop/src/api/sessions.ts";
import { titleRange } from "../../mirrors/shop/src/api/title-prefix.ts";

const bytesOf = (text: string): Buffer => Buffer.from(text, "utf8");
const isWithin = (title: string, range: { from: string; below: string }): boolean =>
  Buffer.compare(bytesOf(title), bytesOf(range.from)) >= 0 && Buffer.compare(bytesOf(title), bytesOf(range.below)) < 0;

test("a search range holds exactly the titles that start with what was typed", () => {
  const printable = fc.string({ unit: "grapheme", minLength: 2, maxLength: 8 });
  fc.assert(
    fc.property(printable, fc.string({ unit: "grapheme" }), (typed, rest) => {
      const prefix = typed.trim().toLowerCase();
      fc.pre([...prefix].length >= 2 && [...prefix].length <= 40 && !/\p{Cc}/u.test(prefix));
      const range = titleRange(typed);
      expect(isWithin(prefix + rest, range)).toBe(true);
      expect(isWithin(rest, range)).toBe(rest.startsWith(prefix));
    }),
  );
});

test.each([
  ["ab\u{d7ff}", "ab\u{e000}"],
  ["ab\u{10ffff}", "ac"],
])("the end of the range of %j skips what is not a character", (typed, below) => {
  expect(titleRange(typed).below).toBe(below);
});

test.each(["", "w", " w ", "x".repeat(41), "wal\u0000nut", "\ud800x"])("%j is not searched for", (typed) => {
  expect(() => titleRange(typed)).toThrow("q must be");
});

test.each([
  [undefined, "must be a JSON object"],
  [[], "must be a JSON object"],
  [{ lines: [] }, "list of 1 to 20"],
  [{ lines: [{ sku: "P-42", quantity: 1 }] }, "sku must look like"],
  [{ lines: [{ sku: "P-000042", quantity: 0 }] }, "from 1 to 100"],
  [{ lines: [{ sku: "P-000042", quantity: 1.5 }] }, "from 1 to 100"],
  [
    {
      lines: [
        { sku: "P-000042", quantity: 1 },
        { sku: "P-000042", quantity: 1 },
      ],
    },
    "only once",
  ],
])("the checkout %j is refused with a reason", (body, reason) => {
  expect(() => wantedLines(body)).toThrow(reason);
});

test("what stands in a path or query must be digits", () => {
  expect(wholeNumberText("17", "page", { min: 1, max: 500 })).toBe(17);
  for (const text of ["", "-1", "1e2", "0x10", "501", "9999999999"]) {
    expect(() => wholeNumberText(text, "page", { min: 1, max: 500 })).toThrow("page must be");
  }
});

const routes: readonly Route[] = ["/orders/:id", "/products"].map((path) => ({
  method: "GET",
  path,
  handle: async () => ({ status: 200, body: path }),
}));

test("a path finds its route and its one variable part", () => {
  expect(matchRoute(routes, "GET", "/orders/12")).toMatchObject({ route: { path: "/orders/:id" }, parameter: "12" });
  expect(matchRoute(routes, "GET", "/products").parameter).toBe("");
});

test.each([
  ["GET", "/orders/", 404],
  ["GET", "/orders/1/2", 404],
  ["GET", "/products/", 404],
  ["POST", "/products", 405],
])("%s %s answers %i", (method, path, status) => {
  expect(() => matchRoute(routes, method, path)).toThrow(expect.objectContaining({ status }));
});

const requestOf = (body: string): IncomingMessage => Readable.from([Buffer.from(body)]) as IncomingMessage;

test("a body beyond 64 KiB is refused, and so is one that is not JSON", async () => {
  await expect(readJsonBody(requestOf(`"${"x".repeat(70_000)}"`))).rejects.toMatchObject({ status: 413 });
  await expect(readJsonBody(requestOf("{"))).rejects.toMatchObject({ status: 400 });
  expect(await readJsonBody(requestOf('{"count":3}'))).toEqual({ count: 3 });
});

test("the n-th session has the same token on two copies that share the secret, and on no other", () => {
  expect(sessionToken("secret", 5)).toBe(sessionToken("secret", 5));
  expect(sessionToken("secret", 5)).not.toBe(sessionToken("secret", 6));
  expect(sessionToken("secret", 5)).not.toBe(sessionToken("other", 5));
  expect(sessionToken("secret", 5)).toMatch(/^[\w-]{32}$/);
});
