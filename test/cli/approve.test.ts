import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signer } from "../support/signers.ts";

const ROOT = process.cwd();
const PLAN = path.join(ROOT, "scenarios/plans/scale-batch-workers.yaml");
const ENVIRONMENT = "production/eu-west";
const PEOPLE = [signer("ada@example.com", "approver"), signer("ben@example.com", "approver")] as const;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-approve-"));
  const keys = PEOPLE.map(({ entry: { identity, role, publicPem } }) => ({ identity, role, publicKey: publicPem }));
  writeFileSync(path.join(folder, "trust.yaml"), JSON.stringify({ schema: "canary.trust/v1", keys }));
  for (const [index, { privatePem }] of PEOPLE.entries())
    writeFileSync(path.join(folder, `${index}.key`), privatePem, { mode: 0o600 });
});
afterEach(() => rmSync(folder, { recursive: true }));

/** The command as its user would type it, where the keys lie. */
function approve(...args: readonly string[]) {
  return spawnSync(process.execPath, [path.join(ROOT, "bin/canary.js"), "approve", ...args, "--json"], {
    encoding: "utf8",
    cwd: folder,
  });
}

test("two people approve, one of them takes it back, and the count says so", () => {
  for (const key of ["0.key", "1.key"])
    expect(approve(PLAN, "--environment", ENVIRONMENT, "--key", key)).toMatchObject({ status: 0 });
  const files = () => readdirSync(path.join(folder, ".canary/approvals")).map((name) => `.canary/approvals/${name}`);
  const count = () =>
    approve(
      "count",
      PLAN,
      "--environment",
      ENVIRONMENT,
      "--trust",
      "trust.yaml",
      "--need",
      "2",
      "--approval",
      ...files(),
    );
  expect(count()).toMatchObject({ status: 0 });
  const [first = ""] = files();
  for (const key of ["0.key", "1.key"]) {
    const out = ["--out", `.canary/approvals/${key}.revoked.json`];
    expect(approve("revoke", first, "--reason", "wrong region", "--key", key, ...out)).toMatchObject({ status: 0 });
  }
  const after = count();
  expect(after.status).toBe(31);
  expect(JSON.parse(after.stdout)).toMatchObject({ counted: [{}], refused: [{ code: "REVOKED" }], exitCode: 31 });
});

test("a plan is approved only for the environment that it is for", () => {
  const { status, stdout } = approve(PLAN, "--environment", "staging", "--key", "0.key");
  expect(status).toBe(2);
  expect(JSON.parse(stdout).message).toMatch(/is for production\/eu-west, not for staging/);
});

test("nobody approves without a key of their own", () => {
  expect(approve(PLAN, "--environment", ENVIRONMENT)).toMatchObject({ status: 2 });
});
