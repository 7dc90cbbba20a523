import { covers, matches } from "../../plan/resource-pattern.ts";
import type { Tier } from "../tier-table.ts";
import type { PolicyData, TierRow } from "./policy-data.ts";
import type { Escalation, GateQuestion, Obligations, PlanFacts, PolicyQuestion } from "./question.ts";
import type { FactGroup } from "./rule-context.ts";
import { conflictsOf } from "./supervisor.ts";
import type { Tag } from "./tags.ts";

const HOUR_MS = 3_600_000;

/** A question with what has been read of it so far. */
export interface Considered {
  readonly question: PolicyQuestion;
  readonly data: PolicyData;
  readonly tags: readonly Tag[];
  /** The plan's, raised by the tags of what it changes. */
  readonly tier: Tier;
}

/** What the data demand of a plan: as facts for the rules, and as obligations for whoever promotes it. */
export interface Demands {
  readonly row: TierRow;
  readonly needs: FactGroup;
  readonly obligations: Obligations;
  /** Patterns that authorise the plan beforehand. */
  readonly preauthorised: readonly string[];
}

/** Adds up what tier, tags, patterns, scenario and supervisor ask for; the strictest holds. */
export function demandsOf(considered: Considered): Demands {
  const { question, data, tags, tier } = considered;
  const row = data.tiers[tier];
  const { guardrails, shown } = row;
  const preauthorised = row.approvals.preauthorised ? patternsFor(question, data.preauthorised) : [];
  const escalations = escalationsOf(considered, row);
  const ofTier = preauthorised.length > 0 ? 0 : row.approvals.k;
  const k = Math.max(ofTier, escalations.length > 0 ? 1 : 0, ...tags.map(({ approvals }) => approvals));
  const strong = preauthorised.length > 0 ? 0 : row.approvals.strong;
  const untriedRefused = tier === 3 && question.withoutDryRun === "refuse";
  const dryRun = guardrails.dryRun === "required" || untriedRefused;
  const [preauthorisedBy] = preauthorised;
  return {
    row,
    preauthorised,
    needs: {
      actionsMax: guardrails.actionsMax,
      confidence: row.confidenceMin,
      approvals: k,
      strongApprovals: strong,
      dryRun,
      undo: guardrails.rollBack === "must",
      ...shown,
      window: guardrails.window,
      promotionsMax: guardrails.promotions.max,
      promotionMinutes: guardrails.promotions.minutes,
    },
    obligations: {
      approvals: { k, strong },
      ...shown,
      dryRun,
      window: guardrails.window,
      verdictValidForMs: row.verdictHours * HOUR_MS,
      monitoring: row.monitoring,
      escalations,
      ...(preauthorisedBy === undefined ? {} : { preauthorisedBy }),
    },
  };
}

/** Why a human must look, in the order in which a human would ask. */
function escalationsOf({ question, data, tier }: Considered, row: TierRow): readonly Escalation[] {
  const { confidence, evidence } = question.plan;
  const { queues } = data;
  const unsure: readonly Escalation[] =
    confidence < row.confidenceMin
      ? [
          {
            about: "confidence",
            queue: queues.confidence,
            why: `the agent's confidence ${confidence} is below ${row.confidenceMin}, the threshold of tier ${tier}`,
          },
        ]
      : [];
  const bare: readonly Escalation[] =
    evidence.length < row.explained.evidence
      ? [
          {
            about: "evidence",
            queue: queues.evidence,
            why: `the plan brings ${evidence.length} pieces of evidence, and tier ${tier} asks for ${row.explained.evidence}`,
          },
        ]
      : [];
  return [...unsure, ...bare, ...(question.stage === "gate" ? supervised(question, data) : [])];
}

function supervised(question: GateQuestion, { supervisor, queues }: PolicyData): readonly Escalation[] {
  return conflictsOf(question, supervisor).map((why) => ({ about: "supervisor", queue: queues.supervisor, why }));
}

/** Names of the patterns that the whole plan lies within: who, where, how and what. */
function patternsFor({ plan, environment }: PolicyQuestion, patterns: PolicyData["preauthorised"]): readonly string[] {
  const any = (all: readonly string[], text: string): boolean => all.some((pattern) => matches(pattern, text));
  return patterns
    .filter(
      (pattern) =>
        any(pattern.agents, plan.agent.id) &&
        any(pattern.environments, environment.id) &&
        any(pattern.namespaces, plan.namespace ?? "") &&
        plan.actions.length <= pattern.actionsMax &&
        usesOf(plan).every((kind) => pattern.uses.includes(kind)) &&
        plan.actions
          .flatMap(({ changes }) => changes)
          .every((declared) => pattern.changes.some((allowed) => covers(allowed, declared))),
    )
    .map(({ name }) => name);
}

function usesOf({ actions, waysOut }: PlanFacts): readonly string[] {
  return [...actions.flatMap(({ uses }) => uses), ...waysOut.uses];
}
