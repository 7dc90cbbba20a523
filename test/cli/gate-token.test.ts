import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
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

test("a token that is written to a file is printed nowhere, is its owner's alone, and is not written over another", () => {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-gate-token-"));
  try {
    const file = path.join(folder, "token");
    const printed = made("--out", file);
    const token = readFileSync(file, "utf8");
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(printed).not.toContain(token);
    expect(printed).toContain(sha256Hex(token));
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => made("--out", file)).toThrow();
    expect(readFileSync(file, "utf8")).toBe(token);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
