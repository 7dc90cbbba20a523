import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grantsRequest, readScope, scopesOf } from "../../src/plan/scope.ts";

test.each<[string, ReturnType<typeof readScope>]>([
  [
    "postgres:update@public.products",
    { kind: "rows", schema: "public", table: "products", privileges: ["select", "update"] },
  ],
  ["postgres:insert@audit.*", { kind: "rows", schema: "audit", table: "*", privileges: ["insert"] }],
  ["postgres:write@shop", { kind: "database", database: "shop", verb: "rows" }],
  ["postgres:ddl@shop", { kind: "database", database: "shop", verb: "ddl" }],
  ["http:post@api/jobs/**", { kind: "http", method: "post", service: "api", path: "/jobs/**" }],
  ["containers:scale@batch", "words"],
  ["postgres:drop@shop", "malformed"],
  ["postgres:update@shop", "malformed"],
  ["postgres:ddl@public.products", "malformed"],
  ["postgres:update@a.b.c", "malformed"],
  ["postgres:update@*.products", "malformed"],
  ["postgres:constructor@public.products", "malformed"],
  ["postgres:write", "malformed"],
  ["http:trace@api/x", "malformed"],
  ["http:post@api", "malformed"],
  ["http:post@/x", "malformed"],
])("%s is read as it is meant", (text, scope) => expect(readScope(text)).toEqual(scope));

test("no text is too odd to be read", () => {
  const odd = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `postgres:${rest}`),
    fc.string().map((rest) => `http:${rest}`),
  );
  fc.assert(fc.property(fc.array(odd), (requires) => void scopesOf(requires)));
});

describe("a scope for requests", () => {
  const granted = (scope: string, method: string, path: string, service = "api"): boolean =>
    scopesOf([scope]).some((one) => grantsRequest(one, { method, service, path }));

  test.each([
    ["http:post@api/jobs/*/retry", "POST", "/jobs/7/retry"],
    ["http:post@api/jobs/*/retry", "POST", "/jobs/7/retry?by=canary"],
    ["http:delete@api/jobs/**", "DELETE", "/jobs/7/of/many"],
  ])("%s covers %s %s", (scope, method, path) => expect(granted(scope, method, path)).toBe(true));

  test.each([
    ["http:post@api/jobs/*", "DELETE", "/jobs/7"],
    ["http:post@api/jobs/*", "POST", "/admin"],
    ["http:post@api/jobs/*", "POST", "/jobs/7/retry"],
    ["http:post@api/jobs/**", "POST", "/jobs/../admin"],
    ["http:post@api/jobs/**", "POST", "/jobs/%2e%2e/admin"],
    ["http:post@api/jobs/**", "POST", "/jobs/..%2Fadmin"],
    ["http:post@api/jobs/**", "POST", "/jobs\\..\\admin"],
    ["postgres:write@shop", "POST", "/jobs"],
  ])("%s does not cover %s %s", (scope, method, path) => expect(granted(scope, method, path)).toBe(false));

  test("covers no other service", () => expect(granted("http:post@api/**", "POST", "/x", "worker")).toBe(false));
});
