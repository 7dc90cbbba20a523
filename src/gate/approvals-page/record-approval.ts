import type { Approval } from "../../attest/approval-statement.ts";
import { countApprovals } from "../../attest/count-approvals.ts";
import { sameIdentity } from "../../attest/keyring.ts";
import { CanaryError } from "../../core/errors.ts";
import type { JsonObject } from "../../ledger/ledger.ts";
import { approvedThing } from "../plan-approvals.ts";
import type { PromotionRequest } from "../promotion-request.ts";
import { type EvidenceSources, readEvidence } from "../read-evidence.ts";
import { claim } from "../records.ts";
import { newestVerdict } from "../verdict-checks.ts";
import { PAGE_APPROVAL_MS } from "./passkeys.ts";

/** A person reads for a while; the answer to what was asked longer ago is none. */
export const CHALLENGE_MS_MAX = 10 * 60_000;

export type PageAnswer =
  | { readonly kind: "approved"; readonly person: string; readonly entry: number; readonly expiresAt: string }
  | { readonly kind: "taken-back"; readonly person: string; readonly entry: number }
  | { readonly kind: "refused"; readonly message: string };

/** What a person can do at the page. */
export const PURPOSES = ["approve", "take-back"] as const;

/** What a person was shown, and what they do about it. */
export interface ShownWords {
  readonly purpose: (typeof PURPOSES)[number];
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

/** What was done at the page, by whom, and what is written of it. */
export interface PageRecord {
  readonly words: ShownWords;
  readonly person: string;
  readonly shownBy: "passkey" | "single-sign-on";
  readonly atEpochMs: number;
}

/**
 * Writes an approval into the ledger; each answer comes once.
 * @throws what the ledger throws, but for an answer that came before
 */
export async function recordPageApproval(
  given: PageRecord & { readonly body: JsonObject; readonly documents?: readonly string[] },
  { ledger }: Pick<EvidenceSources, "ledger">,
): Promise<PageAnswer> {
  const entry = await recorded({ kind: "approval", ...given }, ledger);
  if (entry === undefined) return { kind: "refused", message: "this answer came before" };
  const expiresAt = new Date(given.atEpochMs + PAGE_APPROVAL_MS).toISOString();
  return { kind: "approved", person: given.person, entry, expiresAt };
}

/**
 * Writes down that a person takes back what they approved at the page. It only makes decisions more careful, so that it needs no
 * signature beside the log's.
 * @throws what the stores throw, but for an answer that came before
 */
export async function takeBack(given: PageRecord, sources: EvidenceSources): Promise<PageAnswer> {
  const { words, person, shownBy, atEpochMs } = given;
  const { approvals } = await readEvidence(pageRequest(words.plan, words.environment), sources, atEpochMs);
  const theirs = approvals.people.find(({ name }) => sameIdentity(name, person));
  if (theirs === undefined) return { kind: "refused", message: `${person} has not approved it` };
  if (theirs.approval?.shownBy === "key")
    return { kind: "refused", message: "it was signed with a key: take it back with `canary approve revoke`" };
  const { plan, nonce } = words;
  const body = { schema: "canary.gate-approval-taken-back/v1", person, shownBy, plan, nonce };
  const entry = await recorded({ kind: "approval-revoked", ...given, body }, sources.ledger);
  return entry === undefined
    ? { kind: "refused", message: "this answer came before" }
    : { kind: "taken-back", person, entry };
}

/** Number of the entry; undefined where the answer came before. */
async function recorded(
  given: PageRecord & {
    readonly kind: "approval" | "approval-revoked";
    readonly body: JsonObject;
    readonly documents?: readonly string[];
  },
  ledger: EvidenceSources["ledger"],
): Promise<number | undefined> {
  const { kind, words, shownBy, body, documents = [], atEpochMs } = given;
  const entry = {
    kind,
    at: new Date(atEpochMs).toISOString(),
    body,
    about: [...new Set([words.plan, words.verdict])],
    claim: claim.delivery(shownBy, words.nonce),
  };
  try {
    const [receipt] = await ledger.append([entry], { documents: documents.map((text) => Buffer.from(text)) });
    return receipt?.index;
  } catch (error) {
    if (error instanceof CanaryError && error.code === "LEDGER_CLAIMED") return undefined;
    throw error;
  }
}
