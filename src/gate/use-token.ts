import { CanaryError } from "../core/errors.ts";
import { sha256Hex } from "../core/sha256.ts";
import { decidePromotion, refusedUnread } from "./decide-promotion.ts";
import { stopping } from "./decided-by.ts";
import type { GateReason } from "./gate-reason.ts";
import { changeDigest } from "./promote.ts";
import type { Caller, ShownChange } from "./promotion-request.ts";
import { type EvidenceSources, readEvidence } from "./read-evidence.ts";
import { claim, DecisionRecord, recordOf } from "./records.ts";

/** Whether the bearer of a token may act now. */
export type TokenAnswer =
  | { readonly kind: "go"; readonly decision: number; readonly entry: number; readonly plan: string }
  | { readonly kind: "stop"; readonly reasons: readonly GateReason[] };

/**
 * Uses a token up, at the instant before its bearer acts: every check is made again, so that a plan that was stopped, taken
 * back or has expired since does not act. The change must be the one that was admitted.
 * @throws what the ledger throws
 */
export async function useToken(
  used: { readonly token: string; readonly caller: Caller; readonly change: ShownChange },
  sources: EvidenceSources,
): Promise<TokenAnswer> {
  const atEpochMs = sources.clock.epochMs();
  const digest = sha256Hex(used.token);
  const [entry] = await sources.ledger.entriesAbout(digest, ["decision"]);
  if (entry === undefined) return stop("the token is unknown");
  const record = recordOf(DecisionRecord, entry);
  if (record.token?.sha256 !== digest || record.answer !== "admit" || record.plan === null || record.verdict === null) {
    return stop("the token is unknown");
  }
  if (!(atEpochMs < Date.parse(record.token.until))) return stop(`the token was good until ${record.token.until}`);
  const request = {
    plan: record.plan,
    verdict: record.verdict,
    environment: record.environment,
    caller: used.caller,
    change: used.change,
    key: record.key,
  };
  if (changeDigest({ request }) !== record.change) return stop("the change is another one than was admitted");
  const evidence = await readEvidence(request, sources, atEpochMs);
  const decision = decidePromotion(request, evidence, atEpochMs);
  if (decision.kind === "refuse") return { kind: "stop", reasons: decision.reasons };
  try {
    const body = { schema: "canary.gate-token/v1", decision: entry.index, usedBy: used.caller.name } as const;
    const at = new Date(atEpochMs).toISOString();
    const use = {
      kind: "token-used",
      at,
      body,
      about: [record.plan, record.verdict],
      claim: claim.token(digest),
    } as const;
    const unless = { size: evidence.ledgerSize, about: stopping(request, record.verdict) };
    const [receipt] = await sources.ledger.append([use], { unless });
    if (receipt === undefined) return stop("the ledger gave no receipt");
    return { kind: "go", decision: entry.index, entry: receipt.index, plan: record.plan };
  } catch (error) {
    if (error instanceof CanaryError && error.code === "LEDGER_CLAIMED") return stop("the token was used before");
    if (error instanceof CanaryError && error.code === "LEDGER_MOVED_ON") return stop(`${error.message}; ask again`);
    throw error;
  }
}

function stop(why: string): TokenAnswer {
  const refusal = refusedUnread(why);
  return { kind: "stop", reasons: refusal.kind === "refuse" ? refusal.reasons : [] };
}
