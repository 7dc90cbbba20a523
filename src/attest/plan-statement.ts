import { z } from "zod";
import type { Plan } from "../plan/plan.ts";
import { canonicalJson } from "./canonical-json.ts";
import { type Keyring, sameIdentity, type TrustedKey } from "./keyring.ts";
import type { SigningKey } from "./keys.ts";
import { type DocumentRefusalCode, openDocument, STATEMENT_TYPE, signDocument } from "./signed-document.ts";
import { CLOCK_SKEW_MS_MAX, Instant, Name, Sha256, statementAbout } from "./statement-words.ts";

/** Type of the statement by which an agent says that a plan is its own. */
export const PLAN_PREDICATE_TYPE = "https://canary-harness.dev/attestation/plan/v1";

const PlanStatementSchema = statementAbout(
  PLAN_PREDICATE_TYPE,
  z.strictObject({
    plan: Name,
    agent: z.strictObject({ id: Name, version: Name }),
    environment: Name,
    runbook: z.strictObject({ name: Name, sha256: Sha256, step: Name }).optional(),
    signedAt: Instant,
  }),
);

export type PlanRefusalCode = DocumentRefusalCode | "OTHER_PLAN" | "OTHER_AGENT" | "NOT_YET_VALID";

export type PlanSignature =
  | { readonly kind: "signed"; readonly signer: TrustedKey; readonly signedAt: string }
  | { readonly kind: "refused"; readonly code: PlanRefusalCode; readonly message: string };

/** Signs a plan's bytes, by their digest, with what a reader wants to know of it; the text of `<plan>.sigstore.json`. */
export function signPlan(plan: Plan, key: SigningKey, nowEpochMs: number): string {
  const statement = {
    _type: STATEMENT_TYPE,
    subject: [{ name: `plan/${plan.name}`, digest: { sha256: plan.sha256 } }],
    predicateType: PLAN_PREDICATE_TYPE,
    predicate: { ...saidOf(plan), signedAt: new Date(nowEpochMs).toISOString() },
  };
  return signDocument(statement, PlanStatementSchema, key);
}

/** Whether a bundle is the signature of this plan, by a key of the very agent that the plan names, trusted at this instant. */
export function verifyPlanSignature(options: {
  readonly bundleText: string;
  /** As `parsePlan` read it: its digest is the one that must be signed. */
  readonly plan: Plan;
  readonly keyring: Keyring;
  /** Milliseconds since the epoch, see `findKey`. */
  readonly at: number;
}): PlanSignature {
  const { plan, keyring, at } = options;
  const asked = { keyring, role: "agent", at, schema: PlanStatementSchema, what: "signature of a plan" } as const;
  const opened = openDocument(options.bundleText, asked);
  if (opened.kind === "refused") return opened;
  const { signer, statement } = opened;
  const [{ digest }] = statement.subject;
  if (digest.sha256 !== plan.sha256)
    return refused("OTHER_PLAN", `what was signed is plan ${digest.sha256}, not ${plan.sha256}`);
  const { signedAt, ...said } = statement.predicate;
  if (canonicalJson(said) !== canonicalJson(saidOf(plan)))
    return refused("OTHER_PLAN", "the signature says something else of the plan than the plan itself");
  if (!sameIdentity(signer.identity, plan.agent.id))
    return refused("OTHER_AGENT", `it is signed by ${signer.identity}, but says that it is ${plan.agent.id}'s`);
  if (!(Date.parse(signedAt) <= at + CLOCK_SKEW_MS_MAX))
    return refused("NOT_YET_VALID", `it says that it was signed at ${signedAt}, which is yet to come`);
  return { kind: "signed", signer, signedAt };
}

function saidOf({ name, agent, target, runbook }: Plan): object {
  return {
    plan: name,
    agent: { id: agent.id, version: agent.version },
    environment: target.environment,
    ...(runbook === undefined ? {} : { runbook: { ...runbook } }),
  };
}

function refused(code: PlanRefusalCode, message: string): PlanSignature {
  return { kind: "refused", code, message };
}
