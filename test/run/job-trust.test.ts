import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { signPlan } from "../../src/attest/plan-statement.ts";
import { signRunbook } from "../../src/attest/runbook-statement.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { readJobTrust, type TrustTerms, trustObjections } from "../../src/run/job-trust.ts";
import { parseRunbook } from "../../src/runbook/runbook.ts";
import { signer } from "../support/signers.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { simulateRun } from "../support/simulated-run.ts";

const NOON = Date.parse("2026-11-23T12:00:00Z");
const AGENT = signer("agent-7", "agent");
const AUTHOR = signer("priya@example.com", "runbook-author");
const RUNBOOK_TEXT = JSON.stringify({
  schema: "canary.runbook/v1",
  name: "backlog",
  author: "priya@example.com",
  steps: [
    {
      id: "scale-out",
      what: "add workers",
      actions: [
        {
          uses: "scale",
          with: { service: "worker", replicas: { between: [1, 5] } },
          requires: ["simulated:all", "postgres:ddl@shop"],
        },
      ],
    },
  ],
});
const RUNBOOK = parseRunbook(RUNBOOK_TEXT, "runbook");
const { planText } = simulatedJob({
  seed: 1,
  plan: "scale-one",
  faults: [],
  laidOverPlan: { runbook: { name: "backlog", sha256: RUNBOOK.sha256, step: "scale-out" } },
});
const PLAN = parsePlan(planText, "plan");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "canary-job-trust-"));
  write("trust.yaml", {
    schema: "canary.trust/v1",
    keys: [AGENT, AUTHOR].map(({ entry: { identity, role, publicPem } }) => ({ identity, role, publicKey: publicPem })),
  });
  writeFileSync(at("plan.yaml"), planText);
  writeFileSync(at("runbook.yaml"), RUNBOOK_TEXT);
  writeFileSync(at("plan.yaml.sigstore.json"), signPlan(PLAN, AGENT.key, NOON));
  writeFileSync(at("runbook.yaml.sigstore.json"), signRunbook(RUNBOOK, AUTHOR.key, NOON));
});
afterEach(() => rmSync(folder, { recursive: true }));

const at = (name: string): string => path.join(folder, name);
const write = (name: string, value: object): void => writeFileSync(at(name), JSON.stringify(value));

function trusted(changes: Partial<TrustTerms> = {}, plan = PLAN): ReturnType<typeof readJobTrust> {
  const terms: TrustTerms = {
    keys: at("trust.yaml"),
    runbooks: [at("runbook.yaml")],
    require: ["plan", "runbook"],
    ...changes,
  };
  return readJobTrust({ plan, planFile: at("plan.yaml"), terms, nowEpochMs: NOON });
}

test("a signed plan of a signed runbook is trusted, and says whose they are", async () => {
  const trust = await trusted();
  expect(trust).toMatchObject({ planSigner: { identity: "agent-7" }, runbook: { author: "priya@example.com" } });
  expect(trustObjections(PLAN, trust)).toEqual([]);
});

test("a signature that is demanded and missing is a refusal", async () => {
  rmSync(at("plan.yaml.sigstore.json"));
  await expect(trusted()).rejects.toMatchObject({
    code: "SIGNATURE_INVALID",
    exitCode: 30,
    message: /plan .* is not signed/,
  });
  expect(await trusted({ require: ["runbook"] })).not.toHaveProperty("planSigner");
  rmSync(at("runbook.yaml.sigstore.json"));
  await expect(trusted({ require: [] })).rejects.toMatchObject({ message: /runbook backlog is not signed/ });
});

test("a signature that is there must be right, whether it is demanded or not", async () => {
  writeFileSync(at("plan.yaml.sigstore.json"), signPlan(PLAN, signer("agent-7", "agent").key, NOON));
  await expect(trusted({ require: [] })).rejects.toMatchObject({ code: "SIGNATURE_INVALID", hint: /KEY_UNKNOWN/ });
});

test("a runbook of which one byte was changed is not the one that the plan names", async () => {
  writeFileSync(at("runbook.yaml"), `${RUNBOOK_TEXT}\n`);
  await expect(trusted()).rejects.toMatchObject({ code: "SIGNATURE_INVALID", message: /which nobody gave/ });
  await expect(trusted({ runbooks: [] })).rejects.toMatchObject({ message: /which nobody gave/ });
});

test("a plan without a runbook is refused by policy where one is demanded, and only there", async () => {
  const { runbook: _, ...without } = PLAN;
  rmSync(at("plan.yaml.sigstore.json"));
  const demanded = await trusted({ require: ["runbook"] }, without);
  expect(trustObjections(without, demanded)).toEqual([expect.stringMatching(/names no runbook/)]);
  expect(trustObjections(without, await trusted({ require: [] }, without))).toEqual([]);
  expect(trustObjections(without, undefined)).toEqual([]);
});

test("an action that matches no step of its signed runbook ends a run with 12 before anything is raised", async () => {
  const trust = { runbook: RUNBOOK, runbookRequired: true };
  const laidOverPlan = { runbook: { name: "backlog", sha256: RUNBOOK.sha256, step: "scale-out" } };
  const { end, events, tornDown } = await simulateRun({ seed: 3, plan: "scale-two", laidOverPlan, trust });
  expect(end).toMatchObject({
    kind: "error",
    error: {
      code: "POLICY_REFUSED",
      exitCode: 12,
      hint: expect.stringMatching(/action more-api \(scale\) matches no action/),
    },
  });
  expect(events).toMatchObject([{ kind: "phase", phase: "admit" }]);
  expect(tornDown.times).toBe(0);
});
