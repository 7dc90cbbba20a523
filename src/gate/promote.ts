import { createHmac, type KeyObject } from "node:crypto";
import { canonicalJson } from "../attest/canonical-json.ts";
import { CanaryError, messageOf } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { redactForPeople } from "../core/redact.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Entry, NewEntry } from "../ledger/ledger.ts";
import { type Decision, decidePromotion, refusedUnread } from "./decide-promotion.ts";
import { restsOn } from "./decided-by.ts";
import type { PromotionEvidence, VerdictEvidence } from "./evidence.ts";
import type { InTurn } from "./in-turn.ts";
import type { PromotionRequest, ShownChange } from "./promotion-request.ts";
import { type EvidenceSources, readEvidence } from "./read-evidence.ts";
import { claim, DecisionRecord, recordOf, subject } from "./records.ts";
import { earlierAnswer } from "./verdict-checks.ts";

/** `promote` uses the verdict up and records the answer; `check` only looks. */
export type PromotionMode = "promote" | "check";

/** A decision and what proves it. */
export interface Answered {
  readonly decision: Decision;
  /** Index of the decision's entry in the ledger; absent for a check, and where the ledger could not take it. */
  readonly id?: number;
  /** Lets its bearer act once; only for an admission that was asked for with `promote`. */
  readonly token?: { readonly secret: string; readonly until: string };
  /** The same request was admitted before: this is that answer. */
  readonly isRetry: boolean;
}

/** Made once: an abort without a reason makes an error with a stack for every request. */
const ANSWERED = new Error("answered");
/** How often one request is decided in its turn: only other gates can get in between. */
const DECISIONS_MAX = 10;

interface Asked {
  readonly adapter: string;
  readonly mode: PromotionMode;
  readonly request: PromotionRequest;
}

/**
 * Decides and, for a promotion, records the answer before it is given. Never throws: whatever goes wrong is a refusal. A
 * verdict is used up by a claim that the ledger lets be made once, so that two gates never admit the same one, and an admission
 * is recorded only if nothing came meanwhile that it would have been decided by.
 */
export async function answerPromotion(asked: Asked, sources: EvidenceSources, inTurn: InTurn): Promise<Answered> {
  const late = new AbortController();
  const expiry = sources.clock.sleep(LIMITS.gateDecisionMsMax, late.signal).then(
    () => refused(`no answer within ${LIMITS.gateDecisionMsMax} ms`),
    () => refused("the gate is stopping"),
  );
  try {
    return await Promise.race([decideAndRecord(asked, { sources, inTurn, answered: late.signal }), expiry]);
  } catch (error) {
    return refused(messageOf(error));
  } finally {
    late.abort(ANSWERED);
  }
}

function refused(why: string): Answered {
  return { decision: refusedUnread(why), isRetry: false };
}

async function decideAndRecord(
  asked: Asked,
  {
    sources,
    inTurn,
    answered,
  }: { readonly sources: EvidenceSources; readonly inTurn: InTurn; readonly answered: AbortSignal },
): Promise<Answered> {
  const first = await tryToAnswer(asked, sources);
  if (first !== undefined) return first;
  // One after the other: each admission is something that the next one has to be decided by.
  return await inTurn(asked.request.environment, async () => {
    for (let times = 0; times < DECISIONS_MAX && !answered.aborted; times++) {
      const again = await tryToAnswer(asked, sources);
      if (again !== undefined) return again;
    }
    return refused("something else was recorded before each of its decisions could be");
  });
}

/** `undefined` where a claim was taken or something came since the evidence was read: with it the decision is another. */
async function tryToAnswer(asked: Asked, sources: EvidenceSources): Promise<Answered | undefined> {
  const atEpochMs = sources.clock.epochMs();
  const evidence = await readEvidence(asked.request, sources, atEpochMs);
  const decision = decidePromotion(asked.request, evidence, atEpochMs);
  const before = decision.kind === "admit" ? answeredBefore(decision.verdict, asked.request, atEpochMs) : undefined;
  const again = before === undefined ? undefined : await retried({ asked, decision, id: before }, sources);
  if (asked.mode === "check") return { decision: (again ?? { decision }).decision, isRetry: false };
  if (again !== undefined) return again;
  try {
    return await recorded({ asked, decision, evidence, atEpochMs }, sources);
  } catch (error) {
    const isOutdated =
      error instanceof CanaryError && (error.code === "LEDGER_CLAIMED" || error.code === "LEDGER_MOVED_ON");
    if (!isOutdated) throw error;
    return undefined;
  }
}

function answeredBefore({ usedBy }: VerdictEvidence, request: PromotionRequest, atEpochMs: number): number | undefined {
  const earlier = usedBy === undefined ? undefined : earlierAnswer(usedBy, request, atEpochMs);
  return earlier === undefined ? undefined : Number(earlier.decisionId);
}

/** The answer that was given before; its token is made again, since only its digest was kept. */
async function retried(
  known: { readonly asked: Asked; readonly decision: Decision; readonly id: number },
  sources: EvidenceSources,
): Promise<Answered> {
  const entry = await sources.ledger.entry(known.id);
  const before = entry === undefined ? undefined : recordOf(DecisionRecord, entry);
  if (before === undefined || before.key !== known.asked.request.key || before.change !== changeDigest(known.asked)) {
    return refused("the earlier answer to this request cannot be found, or was about another change");
  }
  const secret = tokenSecret(before, sources.tokenSecret);
  const isSame = before.token !== null && before.token.sha256 === sha256Hex(secret);
  return {
    decision: known.decision,
    id: known.id,
    isRetry: true,
    ...(isSame && before.token !== null ? { token: { secret, until: before.token.until } } : {}),
  };
}

async function recorded(
  made: {
    readonly asked: Asked;
    readonly decision: Decision;
    readonly evidence: PromotionEvidence;
    readonly atEpochMs: number;
  },
  sources: EvidenceSources,
): Promise<Answered> {
  const { asked, decision, evidence, atEpochMs } = made;
  const record = recordedDecision(made, sources);
  const secret = decision.kind === "admit" ? tokenSecret(record, sources.tokenSecret) : undefined;
  const until = new Date(atEpochMs + sources.tokenValidForMs).toISOString();
  const token = secret === undefined ? null : { sha256: sha256Hex(secret), until };
  const about = [
    ...(evidence.plan.kind === "plan" ? [evidence.plan.plan.sha256] : []),
    ...(decision.kind === "admit"
      ? [decision.verdict.digest, subject.decisionsOf(asked.request.environment, atEpochMs)]
      : []),
    ...(token === null ? [] : [token.sha256]),
  ];
  const entry: NewEntry = {
    kind: "decision",
    at: new Date(atEpochMs).toISOString(),
    body: { ...record, token },
    about: [...new Set(about)],
    ...(decision.kind === "admit" ? { claim: claimOf(decision.verdict, asked.request) } : {}),
  };
  // A refusal stays one, whatever came since.
  const options =
    decision.kind === "refuse"
      ? {}
      : { unless: restsOn(asked.request, decision.verdict.digest, { size: evidence.ledgerSize, atEpochMs }) };
  const [receipt] = await sources.ledger.append([entry], options);
  if (receipt === undefined) return refused("the ledger gave no receipt");
  return {
    decision,
    id: receipt.index,
    isRetry: false,
    ...(secret === undefined ? {} : { token: { secret, until } }),
  };
}

function claimOf({ digest, usedBy }: VerdictEvidence, { step }: PromotionRequest): string {
  return usedBy === undefined || step === undefined ? claim.promotion(digest) : claim.part(digest, step.part);
}

function recordedDecision(
  {
    asked,
    decision,
    evidence,
    atEpochMs,
  }: {
    readonly asked: Asked;
    readonly decision: Decision;
    readonly evidence: PromotionEvidence;
    readonly atEpochMs: number;
  },
  { tokenValidForMs }: Pick<EvidenceSources, "tokenValidForMs">,
): DecisionRecord {
  const { request, adapter } = asked;
  const opens = decision.kind === "admit" && decision.verdict.usedBy === undefined;
  const openUntil = new Date(atEpochMs + tokenValidForMs).toISOString();
  const predicate = decision.kind === "admit" ? decision.verdict.statement.predicate : undefined;
  return {
    schema: "canary.gate-decision/v1",
    answer: decision.kind,
    adapter,
    caller: request.caller.name.slice(0, TEXT_CHARS_MAX),
    environment: request.environment.slice(0, TEXT_CHARS_MAX),
    plan: request.plan ?? null,
    verdict: decision.kind === "admit" ? decision.verdict.digest : (request.verdict ?? null),
    agent: evidence.plan.kind === "plan" ? evidence.plan.plan.agent.id : null,
    tier: predicate?.trustTier.effective ?? null,
    reasons:
      decision.kind === "admit"
        ? []
        : decision.reasons
            .slice(0, REASONS_MAX)
            .map(({ code, message }) => ({ code, message: redactForPeople(message).slice(0, TEXT_CHARS_MAX) })),
    key: request.key,
    step: request.step === undefined ? null : { ...request.step, openUntil: opens ? openUntil : null },
    change: changeDigest(asked),
    changed: changedPaths(request.change),
    token: null,
    policy: evidence.policy.kind === "answer" ? evidence.policy.policy : null,
  };
}

const TEXT_CHARS_MAX = 500;
const REASONS_MAX = 40;
const CHANGED_MAX = 50;

function changedPaths(change: ShownChange): string[] {
  if (change.kind === "not-shown") return [];
  return change.resources.slice(0, CHANGED_MAX).map(({ path }) => path.slice(0, TEXT_CHARS_MAX));
}

/** SHA-256 of the resources that change, with what they become; `null` where nothing was shown. */
export function changeDigest({ request: { change } }: Pick<Asked, "request">): string | null {
  return change.kind === "not-shown" ? null : sha256Hex(canonicalJson(change.resources));
}

/** Whoever does not hold the secret cannot make it; the same decision always has the same one, so that a retry is answered. */
function tokenSecret({ key, verdict, environment }: DecisionRecord, secret: KeyObject): string {
  const bytes = createHmac("sha256", secret)
    .update(canonicalJson([key, verdict, environment]))
    .digest("base64url");
  return `canary_${bytes}`;
}

/** The decision of an entry, for whoever asks for it by its number. @throws when the entry is none of a gate's */
export function decisionOf(entry: Entry): DecisionRecord {
  return recordOf(DecisionRecord, entry);
}
