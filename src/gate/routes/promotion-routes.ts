import { z } from "zod";
import { LIMITS } from "../../core/limits.ts";
import { GATE_REASON_CODES } from "../gate-reason.ts";
import { decisionBody, decisionStatus, type GateService, replyToError } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import type { PromotionMode } from "../promote.ts";
import type { PromotionRequest } from "../promotion-request.ts";
import { requestKey } from "../read-evidence.ts";
import { useToken } from "../use-token.ts";
import { ChangeSchema, shownChange } from "./requested-change.ts";
import { COMMON_REPLIES, Digest, Environment, ProblemSchema } from "./words.ts";

const PromotionSchema = z.strictObject({
  plan: Digest,
  environment: Environment,
  /** The verdict to use; absent: the newest. */
  verdict: Digest.optional(),
  change: ChangeSchema.optional(),
});

const TokenSchema = z.strictObject({
  token: z.string().regex(/^canary_[A-Za-z0-9_-]{43}$/, "a token of this gate"),
  change: ChangeSchema.optional(),
});

const ReasonSchema = z.strictObject({ code: z.enum(GATE_REASON_CODES), message: z.string(), remedy: z.string() });

/** What is answered to a promotion. */
export const DecisionSchema = z.strictObject({
  decision: z.enum(["admit", "refuse"]),
  id: z.string().nullable(),
  verdict: z.string().nullable(),
  expiresAt: z.string().nullable(),
  token: z.string().nullable(),
  tokenExpiresAt: z.string().nullable(),
  isRetry: z.boolean(),
  reasons: z.array(ReasonSchema),
});

const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;

/** Asking for a promotion, looking whether it would be admitted, and using the token of one that was. */
export function promotionRoutes(service: GateService): readonly Route[] {
  const replies = {
    ...COMMON_REPLIES,
    200: { description: "Admitted.", schema: DecisionSchema },
    403: {
      description: "Refused, with every reason; or the caller may not ask this.",
      schema: z.union([DecisionSchema, ProblemSchema]),
    },
    503: {
      description: "Refused because the gate cannot read what it needs, or cannot take requests.",
      schema: z.union([DecisionSchema, ProblemSchema]),
    },
  };
  return [
    {
      method: "POST",
      path: "/v1/promotions",
      summary:
        "Ask whether a plan may act now. An admission uses its verdict up; a retry with the same Idempotency-Key gets the same answer.",
      access: "promote",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: PromotionSchema,
      replies,
      handle: (exchange) => promotion(exchange, "promote", service),
    },
    {
      method: "POST",
      path: "/v1/promotions/check",
      summary: "Look whether a plan would be admitted now. Nothing is used up or recorded.",
      access: "check",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: PromotionSchema,
      replies,
      handle: (exchange) => promotion(exchange, "check", service),
    },
    {
      method: "POST",
      path: "/v1/tokens/use",
      summary: "Use the token of an admission up, at the instant before acting. Everything is checked again.",
      access: "promote",
      bodyBytesMax: LIMITS.gateDocumentBytesMax,
      request: TokenSchema,
      replies: {
        ...COMMON_REPLIES,
        200: {
          description: "Act now.",
          schema: z.strictObject({ go: z.literal(true), decision: z.string(), entry: z.string(), plan: z.string() }),
        },
        403: {
          description: "Do not act.",
          schema: z.strictObject({ go: z.literal(false), reasons: z.array(ReasonSchema) }),
        },
      },
      handle: (exchange) => tokenUse(exchange, service),
    },
  ];
}

async function promotion(exchange: Exchange, mode: PromotionMode, service: GateService): Promise<Reply> {
  const { caller, headers, body } = exchange;
  const read = readRequest(body, PromotionSchema);
  if (read.kind === "refused") return read.reply;
  const change = shownChange(read.value.change);
  if (change.kind === "problem") return problem(400, "REQUEST_INVALID", "The change cannot be read", change.message);
  const key = headers["idempotency-key"];
  if (mode === "promote" && (key === undefined || !IDEMPOTENCY_KEY.test(key))) {
    const detail = "send one Idempotency-Key: the same for every retry of this promotion, another for every other one";
    return problem(400, "IDEMPOTENCY_KEY_MISSING", "The promotion has no name", detail);
  }
  const { plan, environment, verdict } = read.value;
  const request: PromotionRequest = {
    plan,
    environment,
    ...(verdict === undefined ? {} : { verdict }),
    caller: caller ?? { name: "", environments: [] },
    change: change.change,
    key: requestKey("promotions", [caller?.name ?? "", key ?? ""]),
  };
  const answered = await service.answer({ adapter: "promotions", mode, request });
  return { status: decisionStatus(answered), body: decisionBody(answered) };
}

async function tokenUse({ caller, body }: Exchange, service: GateService): Promise<Reply> {
  const read = readRequest(body, TokenSchema);
  if (read.kind === "refused") return read.reply;
  const change = shownChange(read.value.change);
  if (change.kind === "problem") return problem(400, "REQUEST_INVALID", "The change cannot be read", change.message);
  const by = caller ?? { name: "", environments: [] };
  try {
    const use = { token: read.value.token, caller: by, change: change.change };
    const answer = await useToken(use, service.sources);
    if (answer.kind === "stop") return { status: 403, body: { go: false, reasons: answer.reasons } };
    const { decision, entry, plan } = answer;
    return { status: 200, body: { go: true, decision: String(decision), entry: String(entry), plan } };
  } catch (error) {
    const reply = replyToError(error);
    if (reply === undefined) throw error;
    return reply;
  }
}
