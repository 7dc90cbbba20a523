import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { redactDeep } from "../core/redact.ts";
import type { Plan } from "../plan/plan.ts";
import type { Approval } from "./approval-statement.ts";
import type { SigningKey } from "./keys.ts";
import { STATEMENT_TYPE, signDocument } from "./signed-document.ts";
import { Instant, Name, Sha256, statementAbout } from "./statement-words.ts";

/** Type of the statement by which a plan of tier 4 is handed to a person. No gate takes it for a verdict. */
export const HANDOVER_PREDICATE_TYPE = "https://canary-harness.dev/attestation/hand-over/v1";

const Sentence = z.string().max(LIMITS.textCharsMax);
const StepSchema = z.strictObject({ uses: Name, with: z.record(z.string(), z.unknown()) });

const HandoverSchema = statementAbout(
  HANDOVER_PREDICATE_TYPE,
  z.strictObject({
    plan: Name,
    agent: z.strictObject({ id: Name, version: Name }),
    environment: Name,
    tier: z.literal(4),
    intent: Sentence,
    /** For whoever reads only this: what the document is, and what it is not. */
    notice: Sentence,
    actions: z.array(
      z.strictObject({
        id: Name,
        what: Sentence,
        why: Sentence,
        step: StepSchema,
        rollback: StepSchema.optional(),
        requires: z.array(Name),
        changes: z.array(z.string()),
      }),
    ),
    evidence: z.array(z.strictObject({ kind: Name, summary: Sentence, ref: Name.optional() })),
    signOffs: z
      .array(z.strictObject({ person: Name, approvalId: Sha256, approvedAt: Instant, expiresAt: Instant }))
      .min(1),
    preparedAt: Instant,
    /** When the first of the sign-offs ends. */
    expiresAt: Instant,
  }),
);

const NOTICE =
  "A person executes this, by hand. It is no verdict: nothing was rehearsed, no agent may act on it, and no gate promotes it. Secrets are masked; the plan's file, by its digest, has every word.";

/** What a person is handed, as it is signed. */
export type Handover = z.infer<typeof HandoverSchema>["predicate"];

/**
 * What a person is handed of a plan of tier 4: the plan and who signed it off.
 * @param signOffs - as `countApprovals` counted them, at least one
 */
export function handoverOf(plan: Plan, signOffs: readonly Approval[], nowEpochMs: number): Handover {
  return redactDeep<Handover>({
    plan: plan.name,
    agent: { id: plan.agent.id, version: plan.agent.version },
    environment: plan.target.environment,
    tier: 4,
    intent: plan.intent,
    notice: NOTICE,
    actions: plan.actions.map(({ id, what, why, step, rollback, requires, changes }) => ({
      id,
      what,
      why,
      step: { ...step },
      ...(rollback === undefined ? {} : { rollback: { ...rollback } }),
      requires,
      changes,
    })),
    evidence: plan.evidence,
    signOffs: signOffs.map(({ person, id, approvedAtEpochMs, expiresAtEpochMs }) => ({
      person,
      approvalId: id,
      approvedAt: instant(approvedAtEpochMs),
      expiresAt: instant(expiresAtEpochMs),
    })),
    preparedAt: instant(nowEpochMs),
    expiresAt: instant(Math.min(...signOffs.map(({ expiresAtEpochMs }) => expiresAtEpochMs))),
  });
}

/** Signs a hand-over; the text of its file. */
export function signHandover(handover: Handover, planSha256: string, key: SigningKey): string {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: `plan/${handover.plan}`, digest: { sha256: planSha256 } }],
    predicateType: HANDOVER_PREDICATE_TYPE,
    predicate: handover,
  };
  return signDocument(statement, HandoverSchema, key);
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
