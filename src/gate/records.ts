import { z } from "zod";
import { sha256Hex } from "../core/sha256.ts";
import type { Entry } from "../ledger/ledger.ts";
import { GATE_REASON_CODES } from "./gate-reason.ts";

// What a gate writes into the ledger, and reads back. Each body names its schema; a body that cannot be read is an error,
// never skipped: what it would have said could be a refusal.

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Text = z.string().max(4000);

export const PlanRecord = z.strictObject({
  schema: z.literal("canary.gate-plan/v1"),
  plan: Sha256,
  environment: Text,
  /** Of the document that is its signature. */
  signature: Sha256,
  /** Of the document that is the signature of the runbook that the plan names; the runbook's own is in the plan. */
  runbookSignature: Sha256.optional(),
  publishedBy: Text,
});

export const VerdictRecord = z.strictObject({
  schema: z.literal("canary.gate-verdict/v1"),
  /** Of the signed bytes: the same for every spelling of the envelope. */
  verdict: Sha256,
  /** Of the document that holds the bundle. */
  bundle: Sha256,
  plan: Sha256,
  environment: Text,
  answer: z.enum(["promote", "hold", "reject"]),
  publishedBy: Text,
});

export const DrillRecord = z.strictObject({
  schema: z.literal("canary.gate-drill/v1"),
  drill: Sha256,
  bundle: Sha256,
  scenario: Sha256,
  environment: Text,
  publishedBy: Text,
});

export const KillSwitchRecord = z.strictObject({
  schema: z.literal("canary.gate-kill-switch/v1"),
  /** An environment, or `*` for all of them. */
  scope: Text,
  isEngaged: z.boolean(),
  by: Text,
  reason: Text,
  signedAt: z.iso.datetime(),
});

export const TokenRecord = z.strictObject({
  schema: z.literal("canary.gate-token/v1"),
  decision: z.number().int().min(0),
  usedBy: Text,
});

export const DecisionRecord = z.strictObject({
  schema: z.literal("canary.gate-decision/v1"),
  answer: z.enum(["admit", "refuse"]),
  /** Which adapter asked: `promotions`, `kubernetes`, `flagger`, … */
  adapter: Text,
  caller: Text,
  environment: Text,
  plan: Sha256.nullable(),
  verdict: Sha256.nullable(),
  agent: Text.nullable(),
  tier: z.number().int().min(0).max(4).nullable(),
  reasons: z.array(z.strictObject({ code: z.enum(GATE_REASON_CODES), message: Text })).max(60),
  /** Two requests with one key are one promotion. */
  key: Sha256,
  /** The series it is a part of, and which; `openUntil` only with the first part. */
  step: z.strictObject({ series: Text, part: Sha256, openUntil: z.iso.datetime().nullable() }).nullable(),
  /** Of the resources that change, with what they become; `null` where the change was not shown. */
  change: Sha256.nullable(),
  changed: z.array(Text).max(100),
  /** SHA-256 of the single-use token that was handed out, and until when it may be used. */
  token: z.strictObject({ sha256: Sha256, until: z.iso.datetime() }).nullable(),
  policy: Sha256.nullable(),
});
export type DecisionRecord = z.infer<typeof DecisionRecord>;

/** Subjects under which the ledger finds what is about no document. */
export const subject = {
  killSwitch: (scope: string): string => sha256Hex(`canary-gate kill-switch ${scope}`),
  /** Decisions of one hour, so that what happened lately is found without reading what happened ever. */
  decisionsOf: (environment: string, epochMs: number): string =>
    sha256Hex(`canary-gate decisions ${environment} ${new Date(epochMs).toISOString().slice(0, 13)}`),
} as const;

/** Claims: names that the ledger lets be taken once. */
export const claim = {
  promotion: (verdict: string): string => `promotion:${verdict}`,
  /** One part of a promotion that another part has opened. */
  part: (verdict: string, part: string): string => `promotion:${verdict}:${part}`,
  verdict: (verdict: string): string => `verdict:${verdict}`,
  plan: (plan: string, signatures: readonly string[]): string => `plan:${plan}:${signatures.join(":")}`,
  approval: (bundle: string): string => `approval:${bundle}`,
  drill: (drill: string): string => `drill:${drill}`,
  token: (tokenSha256: string): string => `token:${tokenSha256}`,
  delivery: (sender: string, id: string): string => `delivery:${sha256Hex(`${sender} ${id}`)}`,
} as const;

/**
 * The body of an entry as one of the records above.
 * @throws z.ZodError when it is none: whoever asks then has no evidence
 */
export function recordOf<T>(schema: z.ZodType<T>, entry: Entry): T {
  return schema.parse(entry.body);
}
