import { messageOf } from "../core/errors.ts";
import type { LoadedPolicy } from "../policy/engine/load-policy.ts";
import { ENGINE_RULES, type GateQuestion, type PlanFacts } from "../policy/engine/question.ts";
import type { SqlParser } from "../policy/sql/parse-sql.ts";
import { boundedCache } from "./bounded-cache.ts";
import type { AskPolicy, PolicyAsked } from "./gate-context.ts";
import { isRollbackProven } from "./tier-checks.ts";

const FACTS_KEPT_MAX = 4096;
const MINUTE_MS = 60_000;

/**
 * Asks the policy engine at the gate, with what was shown and what happened lately. Never throws.
 * @param sqlParser - loads the grammar that steps are read with; asked anew for each plan, so that a plan at which it stops is the only one
 */
export function askPolicyEngine(policy: LoadedPolicy, sqlParser: () => Promise<SqlParser>): AskPolicy {
  const kept = boundedCache<PlanFacts>(FACTS_KEPT_MAX);
  const factsOf = (asked: PolicyAsked): Promise<PlanFacts> =>
    kept.get(`${asked.plan.sha256} ${asked.environment.class}`, async () => {
      const operator = { environment: { class: asked.environment.class } };
      const [{ readPlan }, parse] = await Promise.all([planReader(), sqlParser()]);
      return readPlan(asked.plan, operator, { parse, policy }).facts;
    });
  return async (asked) => {
    try {
      const decision = await policy.engine.decide(question(asked, await factsOf(asked)));
      const noAnswer = decision.reasons.find(({ rule }) => Object.hasOwn(ENGINE_RULES, rule));
      if (noAnswer !== undefined) return { kind: "error", why: noAnswer.message };
      return {
        kind: "answer",
        allow: decision.allow,
        approvals: decision.obligations.approvals,
        verdictValidForMs: decision.obligations.verdictValidForMs,
        policy: decision.policy.sha256,
        reasons: decision.reasons,
      };
    } catch (error) {
      return { kind: "error", why: messageOf(error) };
    }
  };
}

/**
 * Whether policy answers now: the grammar is loaded, and the engine says something of a plan that does nothing, be it yes or no.
 * @throws Error with the reason why it does not
 */
export async function expectPolicy(policy: LoadedPolicy, sqlParser: () => Promise<SqlParser>): Promise<void> {
  await Promise.all([planReader(), sqlParser()]);
  const { reasons } = await policy.engine.decide({ stage: "admit", plan: NOTHING, environment: NOWHERE });
  const noAnswer = reasons.find(({ rule }) => rule === "POLICY_ERROR" || rule === "POLICY_TIMEOUT");
  if (noAnswer !== undefined) throw new Error(noAnswer.message);
}

/** What reads the steps of plans is a fifth of a gate's files, and no gate waits for it to listen. */
const planReader = () => import("../policy/admit.ts");

const NOWHERE = { id: "readiness", class: "production" } as const;
const NOTHING: PlanFacts = {
  name: "readiness",
  sha256: "",
  confidence: 1,
  intent: "",
  agent: { id: "readiness", version: "1", model: { provider: "none", name: "none", version: "1" }, inputs: [] },
  tier: { declared: 0, classified: 0, effective: 0 },
  evidence: [],
  actions: [],
  waysOut: { uses: [], deeds: [], destructive: [], hosts: [] },
  stops: [],
};

/** How far back the rules of a policy look. */
export function pastMsOf({ data }: LoadedPolicy): number {
  const { supervisor, tiers } = data;
  const spans = Object.values(tiers).map(({ guardrails }) => guardrails.promotions.minutes);
  const { sameResourceMinutes, writes, failures } = supervisor;
  return Math.max(sameResourceMinutes, writes.minutes, failures.minutes, ...spans) * MINUTE_MS;
}

function question(asked: PolicyAsked, plan: PlanFacts): GateQuestion {
  const { environment, statement, approvals, past, atEpochMs } = asked;
  const predicate = statement?.predicate;
  return {
    stage: "gate",
    plan,
    environment: { id: environment.id, class: environment.class },
    atEpochMs,
    verdict:
      predicate === undefined
        ? { kind: "none", reasons: [] }
        : { kind: predicate.verdict, reasons: predicate.reasons.map(({ code }) => code) },
    shown: {
      // A dry run that fails rejects, and what can not be tried is among the plan's facts.
      dryRun: predicate?.verdict === "promote",
      rollback: predicate !== undefined && isRollbackProven(predicate.rollback),
      snapshot: predicate?.rollback.snapshot?.verified === true,
    },
    approvals: {
      count: approvals.people.length,
      strong: approvals.people.filter(({ strong }) => strong).length,
    },
    past,
  };
}
