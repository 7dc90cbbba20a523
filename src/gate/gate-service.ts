import { CanaryError } from "../core/errors.ts";
import type { Notice } from "../core/notifier.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { GateReason } from "./gate-reason.ts";
import { problem, type Reply } from "./http/exchange.ts";
import type { GateMetrics } from "./http/gate-metrics.ts";
import { inTurns } from "./in-turn.ts";
import { type Answered, answerPromotion, type PromotionMode } from "./promote.ts";
import type { PromotionRequest } from "./promotion-request.ts";
import type { EvidenceSources } from "./read-evidence.ts";

/** What the routes of a gate work with. */
export interface GateService {
  readonly sources: EvidenceSources;
  readonly metrics: GateMetrics;
  /** Told what went wrong inside; never what a caller sent. */
  readonly report: (message: string) => void;
  /** Never throws, never waits. */
  readonly tell: (notice: Notice) => void;
  answer(asked: {
    readonly adapter: string;
    readonly mode: PromotionMode;
    readonly request: PromotionRequest;
  }): Promise<Answered>;
}

/** The service over its sources: every answer is counted, every recorded one told. */
export function gateService(options: Omit<GateService, "answer">): GateService {
  const { sources, metrics, tell } = options;
  const inTurn = inTurns();
  return {
    ...options,
    answer: async (asked) => {
      const answered = await answerPromotion(asked, sources, inTurn);
      const { decision } = answered;
      const codes = decision.kind === "refuse" ? decision.reasons.map(({ code }) => code) : [];
      metrics.decided({ adapter: asked.adapter, answer: decision.kind, codes });
      metrics.killSwitch(codes.includes("KILL_SWITCH_ENGAGED"));
      if (answered.id !== undefined && !answered.isRetry) {
        tell({
          type: decision.kind === "admit" ? "canary.gate.admitted" : "canary.gate.refused",
          id: `decision-${sha256Hex(`${sources.ledger.origin} ${answered.id}`).slice(0, 32)}`,
          atEpochMs: sources.clock.epochMs(),
          data: {
            decision: String(answered.id),
            adapter: asked.adapter,
            environment: asked.request.environment,
            plan: asked.request.plan ?? null,
            codes,
          },
        });
      }
      return answered;
    },
  };
}

/** What a caller reads of a decision. */
export interface DecisionBody {
  readonly decision: "admit" | "refuse";
  /** Number of its entry in the ledger (`GET /v1/decisions/{id}` proves it); null for a check. */
  readonly id: string | null;
  readonly verdict: string | null;
  readonly expiresAt: string | null;
  readonly token: string | null;
  readonly tokenExpiresAt: string | null;
  readonly isRetry: boolean;
  readonly reasons: readonly GateReason[];
}

export function decisionBody({ decision, id, token, isRetry }: Answered): DecisionBody {
  return {
    decision: decision.kind,
    id: id === undefined ? null : String(id),
    verdict: decision.kind === "admit" ? decision.verdict.digest : null,
    expiresAt: decision.kind === "admit" ? decision.verdict.statement.predicate.expiresAt : null,
    token: token?.secret ?? null,
    tokenExpiresAt: token?.until ?? null,
    isRetry,
    reasons: decision.kind === "refuse" ? decision.reasons : [],
  };
}

/** 200 for an admission, 503 where nothing could be read, else 403: a refusal is never a success. */
export function decisionStatus({ decision }: Answered): 200 | 403 | 503 {
  if (decision.kind === "admit") return 200;
  return decision.reasons.some(({ code }) => code === "EVIDENCE_UNAVAILABLE") ? 503 : 403;
}

/** One line for tools that show a text: the first reasons, in their order. */
export function decisionText({ decision, id }: Answered): string {
  if (decision.kind === "admit") return `admitted by decision ${id ?? "(check)"}`;
  const told = decision.reasons.slice(0, 3).map(({ code, message, remedy }) => `${code}: ${message}. ${remedy}`);
  const more = decision.reasons.length > told.length ? ` (${decision.reasons.length - told.length} more)` : "";
  return `refused${id === undefined ? "" : ` by decision ${id}`}: ${told.join("; ")}${more}`;
}

const STATUS_BY_CODE: Readonly<Record<string, number>> = {
  SIGNATURE_INVALID: 422,
  PLAN_INVALID: 422,
  RUNBOOK_INVALID: 422,
  LEDGER_CLAIMED: 409,
  LEDGER_MOVED_ON: 409,
  LEDGER_LIMIT: 503,
  LEDGER_UNAVAILABLE: 503,
  LEDGER_SLOW: 503,
  LEDGER_READ_ONLY: 503,
  LEDGER_FULL: 503,
  LEDGER_CLOCK_SET_BACK: 503,
  LEDGER_TAMPERED: 503,
};

/** What a caller is told of an error that has a code; undefined for our own bugs, which only the log sees. */
export function replyToError(error: unknown): Reply | undefined {
  if (!(error instanceof CanaryError)) return undefined;
  const status = STATUS_BY_CODE[error.code];
  return status === undefined ? undefined : problem(status, error.code, error.message, error.hint);
}
