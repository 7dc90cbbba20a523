import { verdictStatement } from "../../src/attest/verdict-statement.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { decidePromotion } from "../../src/gate/decide-promotion.ts";
import type { DrillEvidence, GuardedEnvironment, PromotionEvidence, VerdictEvidence } from "../../src/gate/evidence.ts";
import type { GateReasonCode } from "../../src/gate/gate-reason.ts";
import type { PromotionRequest } from "../../src/gate/promotion-request.ts";
import { parsePlan } from "../../src/plan/plan.ts";
import { FINISHED_EPOCH_MS, VERDICT_INPUT } from "../attest/verdict-builder.ts";

/** Everything a decision asks about: one that is admitted, until a test changes something. */
export interface Question {
  readonly request: PromotionRequest;
  readonly evidence: PromotionEvidence;
  readonly atEpochMs: number;
}

export const PLAN_TEXT = JSON.stringify({
  schema: "canary.plan/v1",
  name: "scale-batch-workers",
  agent: { id: "agent-7", version: "1.4.2", model: { provider: "acme", name: "ops-large", version: "2026-10-01" } },
  target: { environment: "production/eu-west", namespace: "batch" },
  tier: 2,
  confidence: 0.91,
  intent: "Drain the import backlog",
  actions: [
    {
      id: "more-workers",
      what: "Scale worker from 1 to 3",
      why: "One worker is too slow",
      uses: "scale",
      with: { service: "worker", replicas: 3 },
      changes: ["service/worker/replicas", "db/db/shop/rows/jobs/**"],
    },
  ],
  rollback: { withinSeconds: 30 },
});
export const PLAN = parsePlan(PLAN_TEXT, "plan.json");
export const POLICY_DIGEST = sha256Hex("policy");
export const MINUTE_MS = 60_000;
export const DAY_MS = 24 * 60 * MINUTE_MS;
const SNAPSHOT = { tookMs: 20, stores: [], restarted: [] };
const TRUSTED_SIGNER = { kind: "trusted", keyId: "k" } as const;

/** The statement of a run of `PLAN` that ended well, at a tier. */
export function statement(
  tier: 0 | 1 | 2 | 3 | 4 = 2,
  changes: Partial<Parameters<typeof verdictStatement>[0]> = {},
): VerdictEvidence["statement"] {
  return verdictStatement({
    ...VERDICT_INPUT,
    plan: { ...VERDICT_INPUT.plan, sha256: PLAN.sha256, tier: { declared: tier, classified: tier, effective: tier } },
    policyInUse: { name: "default", engine: "cedar", sha256: POLICY_DIGEST },
    ...(tier >= 3 ? { snapshot: SNAPSHOT } : {}),
    ...changes,
  });
}

export function verdictEvidence(changes: Partial<VerdictEvidence> = {}): VerdictEvidence {
  return { digest: sha256Hex("bundle"), statement: statement(), signer: TRUSTED_SIGNER, ...changes };
}

export const ENVIRONMENT: GuardedEnvironment = {
  id: "production/eu-west",
  class: "production",
  mirrors: [VERDICT_INPUT.mirror.sha256],
  scenarios: [VERDICT_INPUT.scenario.sha256],
  policies: [POLICY_DIGEST],
  drills: { fromTier: 3, maxAgeMs: 92 * DAY_MS },
  changeMustBeShown: true,
};

export function drillEvidence(changes: Partial<DrillEvidence> = {}): DrillEvidence {
  return {
    digest: sha256Hex("drill"),
    scenarioSha256: VERDICT_INPUT.scenario.sha256,
    environment: ENVIRONMENT.id,
    clean: true,
    startedEpochMs: FINISHED_EPOCH_MS - 10 * DAY_MS,
    signer: TRUSTED_SIGNER,
    ...changes,
  };
}

/** A question that is admitted. */
export function question(tier: 2 | 3 = 2): Question {
  return {
    request: {
      plan: PLAN.sha256,
      environment: ENVIRONMENT.id,
      caller: { name: "ci", environments: ["production/*"] },
      change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
      key: "request-1",
    },
    evidence: {
      killSwitch: { kind: "released" },
      passedEpochMs: FINISHED_EPOCH_MS,
      ledgerSize: 2,
      environment: ENVIRONMENT,
      plan: { kind: "plan", plan: PLAN, signer: TRUSTED_SIGNER },
      verdicts: [verdictEvidence({ statement: statement(tier) })],
      revoked: [],
      approvals:
        tier === 3
          ? {
              people: [
                { name: "ada", strong: true },
                { name: "grace", strong: true },
              ],
              refused: [],
            }
          : { people: [], refused: [] },
      drills: tier === 3 ? [drillEvidence()] : [],
      policy: {
        kind: "answer",
        allow: true,
        approvals: tier === 3 ? { k: 2, strong: 2 } : { k: 0, strong: 0 },
        verdictValidForMs: DAY_MS,
        policy: POLICY_DIGEST,
        reasons: [],
      },
    },
    atEpochMs: FINISHED_EPOCH_MS + MINUTE_MS,
  };
}

/** The same question with other evidence. */
export function withEvidence(asked: Question, changes: Partial<PromotionEvidence>): Question {
  return { ...asked, evidence: { ...asked.evidence, ...changes } };
}

/** The same question with another request. */
export function withRequest(asked: Question, changes: Partial<PromotionRequest>): Question {
  return { ...asked, request: { ...asked.request, ...changes } };
}

/** Codes of what stands against it; none when it is admitted. */
export function refusal({ request, evidence, atEpochMs }: Question): readonly GateReasonCode[] {
  const decision = decidePromotion(request, evidence, atEpochMs);
  return decision.kind === "admit" ? [] : decision.reasons.map(({ code }) => code);
}
