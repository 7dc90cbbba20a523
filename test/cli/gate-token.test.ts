import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/core/sha256.ts";

function made(...options: readonly string[]): string {
  return execFileSync(process.execPath, ["bin/canary.js", "gate", "token", ...options], { encoding: "utf8" });
}

test("a token is printed whole for whoever makes it, to people and to machines, with the digest that the gate holds", () => {
  const { token, tokenSha256 } = JSON.parse(made("--json"));
  expect(token).toMatch(/^[\w-]{43}$/);
  expect(sha256Hex(token)).toBe(tokenSha256);
  const [, shown = "", digest] = /^token\s+(\S+)\ntokenSha256\s+(\S+)\n$/.exec(made()) ?? [];
  expect(sha256Hex(shown)).toBe(digest);
});
