import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { openPolicy } from "../../src/cli/open-policy.ts";
import { explainPlan, testPolicy } from "../../src/cli/policy-check.ts";
import { policyExplainLines, policyTestLines } from "../../src/report/terminal/policy-block.ts";

const folder = mkdtempSync(path.join(tmpdir(), "canary-policy-"));
afterAll(() => rmSync(folder, { recursive: true }));
const RESTART = "scenarios/plans/rolling-restart.yaml";
const AT = Date.parse("2026-12-01T12:00:00Z");

/** The command as its user would type it, from the root of the project. */
function canary(...args: readonly string[]) {
  return spawnSync(process.execPath, ["bin/canary.js", ...args], { encoding: "utf8" });
}

function written(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

const table = (cases: string): string =>
  `schema: canary.policy-cases/v1\nplan: ${path.resolve(RESTART)}\ncases:\n${cases}`;

test("a table whose answers are not as expected ends with 40 and says what was", () => {
  const file = written(
    "bad.yaml",
    table(
      [
        '  - { name: "may \\e[31mpass", expect: { allow: false, rules: [withheld] } }',
        "  - { name: may pass, expect: { allow: true } }",
        "  - { name: no plan, change: { tier: 9 }, expect: { allow: true } }",
      ].join("\n"),
    ),
  );
  const { status, stdout } = canary("policy", "test", file, "--policy", "policies/default");
  expect(stdout).toContain("refused by none; expected withheld");
  expect(stdout).toContain("1 of 3 cases are as expected");
  expect(stdout).not.toContain("\u001b");
  expect(status).toBe(40);
  const asJson = canary("policy", "test", file, "--json");
  expect(JSON.parse(asJson.stdout)).toMatchObject({
    kind: "policy-test",
    exitCode: 40,
    cases: [{}, { findings: [] }, {}],
  });
});

test("the table that ships passes", async () => {
  const tested = await testPolicy("policies/cases.yaml", "policies/default");
  expect(policyTestLines(tested).at(-1)).toMatch(/^(\d+) of \1 cases are as expected$/);
});

test("a table or a policy that is none ends with 3", async () => {
  const none = canary("policy", "test", "nowhere.yaml");
  expect(none).toMatchObject({ status: 3, stderr: expect.stringContaining("POLICY_INVALID") });
  await expect(openPolicy(folder)).rejects.toMatchObject({ code: "POLICY_INVALID", exitCode: 3 });
  await expect(openPolicy("nowhere")).rejects.toMatchObject({ code: "POLICY_INVALID" });
});

test("an explanation names the rules that decide, and what would change them", async () => {
  const scenario = "scenarios/rolling-restart.yaml";
  const explained = await explainPlan(RESTART, { scenario, policy: "policies/default", atEpochMs: AT });
  const lines = policyExplainLines(explained).map((line) => line.replace(/sha256 [0-9a-f]+/, "sha256 …"));
  await expect(`${lines.join("\n")}\n`).toMatchFileSnapshot("golden/policy-explain.txt");
});

test("what would change an answer was asked: waiting opens a window, and only approvals are approvals", async () => {
  const own = mkdtempSync(path.join(folder, "own-"));
  const shipped = readFileSync("policies/default/policy.yaml", "utf8");
  const window = '{ name: night, environments: ["**"], zone: Europe/Berlin, days: [sat], from: "22:00", to: "04:00" }';
  writeFileSync(path.join(own, "policy.yaml"), shipped.replace(/ {2}- \{ name: .*24:00" \}/, `  - ${window}`));
  writeFileSync(path.join(own, "rules.cedar"), readFileSync("policies/default/rules.cedar", "utf8"));
  const { gate, wouldChange, stands } = await explainPlan(RESTART, { policy: own, atEpochMs: AT });
  expect(gate.decidedBy).toEqual(["approvals-missing", "strong-approvals-missing", "outside-window"]);
  expect(wouldChange).toEqual([
    { what: expect.stringContaining("2 approvals"), takesAway: ["approvals-missing", "strong-approvals-missing"] },
    { what: expect.stringContaining("2026-12-05T21:00:00.000Z"), takesAway: ["outside-window"] },
  ]);
  expect(stands).toEqual([]);
});

test("what no approval and no waiting changes is said to stand", async () => {
  const { admission, stands } = await explainPlan("test/cli/fixtures/bad-plan.yaml", { atEpochMs: AT });
  expect(admission.kind).toBe("refused");
  expect(stands).toContain("never-unattended");
});

test("explain ends with 12 where a rehearsal is refused, and refuses an instant that is none", () => {
  const refused = canary("policy", "explain", "test/cli/fixtures/bad-plan.yaml", "--json");
  expect(JSON.parse(refused.stdout)).toMatchObject({ kind: "policy-explanation", exitCode: 12 });
  expect(refused.status).toBe(12);
  expect(canary("policy", "explain", RESTART, "--at", "tomorrow").status).toBe(2);
});

test("help costs no engine", () => {
  const traced = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `
      import { registerHooks } from "node:module";
      registerHooks({ load: (url, context, next) => { if (/cedar|libpg/.test(url)) console.log("loaded", url); return next(url, context); } });
      const { main } = await import("./src/cli/main.ts");
      await main(["policy", "--help"]);`,
    ],
    { encoding: "utf8" },
  );
  expect(traced.stdout).toContain("Ask a policy what it would answer");
  expect(traced.stdout).not.toContain("loaded");
});
