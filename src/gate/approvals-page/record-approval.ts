import type { Approval } from "../../attest/approval-statement.ts";
import { countApprovals } from "../../attest/count-approvals.ts";
import { CanaryError } from "../../core/errors.ts";
import type { JsonObject } from "../../ledger/ledger.ts";
import { approvedThing } from "../plan-approvals.ts";
import type { PromotionRequest } from "../promotion-request.ts";
import { type EvidenceSources, readEvidence } from "../read-evidence.ts";
import { claim } from "../records.ts";
import { newestVerdict } from "../verdict-checks.ts";

/** How long an approval that was given at the page may be relied on. */
export const PAGE_APPROVAL_MS = 24 * 3_600_000;

/** A person reads for a while; the answer to what was asked longer ago is none. */
export const CHALLENGE_MS_MAX = 10 * 60_000;

export type PageApproval =
  | { readonly kind: "approved"; readonly person: string; readonly entry: number; readonly expiresAt: string }
  | { readonly kind: "refused"; readonly message: string };

/** What a person was shown, and what they agree to. */
export interface ShownWords {
  readonly plan: string;
  readonly verdict: string;
  readonly environment: string;
  readonly nonce: string;
  readonly untilEpochMs: number;
}

/** What the page asks of a plan: it looks, and shows no change. */
export function pageRequest(plan: string, environment: string): PromotionRequest {
  const caller = { name: "approvals page", environments: [environment] };
  return { plan, environment, caller, change: { kind: "not-shown" }, key: "" };
}

/** Whether the page that asked was open for too long; also for an end that the gate would not have set. */
export function isLate({ untilEpochMs }: Pick<ShownWords, "untilEpochMs">, atEpochMs: number): boolean {
  return !(atEpochMs < untilEpochMs && untilEpochMs <= atEpochMs + CHALLENGE_MS_MAX);
}

/**
 * Why nobody, or not this person, can approve this; undefined where the approval would count. It is asked before anything is
 * recorded, by the rules by which it is counted, so that a person is told at once and in words.
 * @throws what the stores throw
 */
export async function objectionToApproving(
  words: ShownWords,
  approval: Pick<Approval, "person" | "shownBy">,
  sources: EvidenceSources,
  atEpochMs: number,
): Promise<string | undefined> {
  const { plan: planSha256, verdict: verdictSha256, environment, nonce } = words;
  const request = pageRequest(planSha256, environment);
  const evidence = await readEvidence(request, sources, atEpochMs);
  if (evidence.plan.kind === "unknown") return evidence.plan.why;
  const { target } = evidence.plan.plan;
  if (target.environment !== environment) return `the plan is for ${target.environment}, not for ${environment}`;
  const verdict = newestVerdict(request, evidence);
  if (verdict === undefined) return "there is no verdict about this plan";
  if (verdict.digest !== verdictSha256)
    return "there is a newer verdict than the one that was shown; load the page again";
  const keyring = sources.keyring();
  const held: Approval = {
    ...approval,
    id: "",
    keyId: "",
    planSha256,
    environment,
    verdictSha256,
    approvedAtEpochMs: atEpochMs,
    expiresAtEpochMs: atEpochMs + PAGE_APPROVAL_MS,
    nonce,
  };
  const thing = approvedThing({ plan: evidence.plan, verdict, environment }, keyring);
  const { refused } = countApprovals(thing, { approvals: [], revocations: [], held: [held] }, keyring, atEpochMs);
  return refused[0]?.message;
}

/**
 * Writes an approval into the ledger; each answer comes once.
 * @throws what the ledger throws, but for an answer that came before
 */
export async function recordPageApproval(
  given: {
    readonly words: ShownWords;
    readonly person: string;
    readonly shownBy: "passkey" | "single-sign-on";
    readonly body: JsonObject;
    readonly documents?: readonly string[];
    readonly atEpochMs: number;
  },
  { ledger }: Pick<EvidenceSources, "ledger">,
): Promise<PageApproval> {
  const { words, person, body, atEpochMs } = given;
  const entry = {
    kind: "approval",
    at: new Date(atEpochMs).toISOString(),
    body,
    about: [...new Set([words.plan, words.verdict])],
    claim: claim.delivery(given.shownBy, words.nonce),
  } as const;
  try {
    const documents = (given.documents ?? []).map((text) => Buffer.from(text));
    const [receipt] = await ledger.append([entry], { documents });
    if (receipt === undefined) return { kind: "refused", message: "the ledger gave no receipt" };
    const expiresAt = new Date(atEpochMs + PAGE_APPROVAL_MS).toISOString();
    return { kind: "approved", person, entry: receipt.index, expiresAt };
  } catch (error) {
    if (error instanceof CanaryError && error.code === "LEDGER_CLAIMED")
      return { kind: "refused", message: "this answer came before" };
    throw error;
  }
}
