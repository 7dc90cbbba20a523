import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signApproval } from "../../src/attest/approval-statement.ts";
import { signPlan } from "../../src/attest/plan-statement.ts";
import { verifyBundle } from "../../src/attest/verify.ts";
import { handOver } from "../../src/cli/prepare-handover.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { type Signer, signer } from "../support/signers.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const AGENT = signer("agent-7", "agent", { owner: "grace@example.com" });
const [ADA, BEN, GRACE] = ["ada", "ben", "grace"].map((name) => signer(`${name}@example.com`, "approver")) as [
  Signer,
  Signer,
  Signer,
];
const CANARY = signer("canary", "canary");

const COMPOSE = `
services:
  web: { image: "nginx:1.27", healthcheck: { test: ["CMD", "true"], interval: 10s } }
  db:
    image: postgres:16
    environment: { POSTGRES_USER: shop, POSTGRES_PASSWORD: only-for-the-mirror, POSTGRES_DB: shop }
    healthcheck: { test: ["CMD", "pg_isready"], interval: 10s }
x-canary:
  schema: canary.mirror/v1
  entry: { http: "web:80" }
  state: [{ service: db, kind: postgres, database: shop }]
`;
const SCENARIO = `
schema: canary.scenario/v1
name: drop
mirror: compose.yaml
plan: plan.yaml
environment: { id: production/eu-west, class: production }
traffic: { ratePerSecond: 5, mix: [{ route: home, weight: 1, http: { path: / } }] }
slos: [{ name: errors, measure: { kind: errors }, limit: { to: "+1pp" } }]
mayChange: ["db/**"]
trust: { keys: trust.yaml, require: [plan] }
`;
const planText = (statement: string): string =>
  JSON.stringify({
    schema: "canary.plan/v1",
    name: "drop-audit",
    agent: { id: "agent-7", version: "1.0.0", model: { provider: "acme", name: "ops", version: "1" } },
    target: { environment: "production/eu-west" },
    tier: 3,
    confidence: 1,
    intent: "Ada asked for it: ada@example.com",
    actions: [
      {
        id: "drop",
        what: "Drop the audit table",
        why: "Nobody reads it",
        uses: "sql",
        with: { service: "db", statements: [statement] },
        requires: ["postgres:ddl@shop"],
        changes: ["db/db/shop/**"],
        rollback: { uses: "sql", with: { service: "db", statements: ["SELECT 1"] } },
      },
    ],
    rollback: { withinSeconds: 30 },
  });

let folder: string;
const at = (name: string): string => path.join(folder, name);

function prepare(statement: string): void {
  const text = planText(statement);
  writeFileSync(at("plan.yaml"), text);
  writeFileSync(at("plan.yaml.sigstore.json"), signPlan(parsePlan(text, "plan"), AGENT.key, NOON));
}

function approvedBy(by: Signer, name: string): string {
  const { sha256 } = parsePlan(planText("DROP TABLE audit"), "plan");
  const approval = { planSha256: sha256, environment: "production/eu-west", nonce: "0".repeat(32) };
  const times = { approvedAtEpochMs: NOON, expiresAtEpochMs: NOON + 3_600_000 };
  writeFileSync(at(name), signApproval({ ...approval, ...times }, by.key));
  return at(name);
}

function handedOver(approvals: readonly string[]): ReturnType<typeof handOver> {
  return handOver({
    planFile: at("plan.yaml"),
    scenarioFile: at("scenario.yaml"),
    policyFolder: undefined,
    trustFile: at("trust.yaml"),
    approvals,
    need: 2,
    keyFile: at("canary.key"),
    nowEpochMs: NOON,
  });
}

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-handover-"));
  const keys = [AGENT, ADA, BEN, GRACE].map(({ entry: { identity, role, publicPem, owner } }) => ({
    identity,
    role,
    publicKey: publicPem,
    ...(owner === undefined ? {} : { owner }),
  }));
  writeFileSync(at("trust.yaml"), JSON.stringify({ schema: "canary.trust/v1", keys }));
  writeFileSync(at("compose.yaml"), COMPOSE);
  writeFileSync(at("scenario.yaml"), SCENARIO);
  writeFileSync(at("canary.key"), CANARY.privatePem, { mode: 0o600 });
  prepare("DROP TABLE audit");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("a plan of tier 4 that two people signed off is handed to a person, and is nothing that a gate takes", async () => {
  const made = await handedOver([approvedBy(ADA, "a.json"), approvedBy(BEN, "b.json")]);
  if (made.kind !== "handover") throw new Error(JSON.stringify(made));
  expect(made.handover).toMatchObject({
    tier: 4,
    intent: "Ada asked for it: [email]",
    actions: [{ id: "drop", step: { uses: "sql", with: { statements: ["DROP TABLE audit"] } } }],
    signOffs: [{ person: "ada@example.com" }, { person: "ben@example.com" }],
    expiresAt: "2026-11-23T13:00:00.000Z",
  });
  const trusted = { keys: [CANARY.entry] };
  expect(verifyBundle({ bundleText: made.bundle, trusted, nowEpochMs: NOON })).toMatchObject({
    kind: "invalid",
    problems: [expect.stringMatching(/no canary verdict/)],
  });
});

test("one sign-off too few, or by who answers for the agent, is none", async () => {
  const made = await handedOver([approvedBy(ADA, "a.json"), approvedBy(GRACE, "g.json")]);
  expect(made).toMatchObject({
    kind: "refused",
    counted: [{ person: "ada@example.com" }],
    refused: [{ code: "BY_AUTHOR" }],
  });
});

test("what an agent may do after a rehearsal is not handed over", async () => {
  prepare("CREATE INDEX i ON audit (id)");
  await expect(handedOver([])).rejects.toMatchObject({ code: "POLICY_REFUSED", message: /is of tier 3/ });
});

test("a plan that its agent did not sign is not handed over", async () => {
  rmSync(at("plan.yaml.sigstore.json"));
  await expect(handedOver([])).rejects.toMatchObject({ code: "SIGNATURE_INVALID" });
});
