import { z } from "zod";
import { sha256Hex } from "../../core/sha256.ts";
import type { Decision } from "../decide-promotion.ts";
import type { GateReasonCode } from "../gate-reason.ts";
import { decisionText, type GateService } from "../gate-service.ts";
import type { Exchange, Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { type Cluster, seriesOf } from "../kubernetes/cluster.ts";
import type { PromotionMode } from "../promote.ts";
import type { PromotionRequest } from "../promotion-request.ts";
import { requestKey } from "../read-evidence.ts";
import { COMMON_REPLIES, Digest, digestOf, Environment } from "./words.ts";

const BODY_BYTES_MAX = 64 * 1024;
const Name = z.string().min(1).max(253);

/** What the template's `jsonBody` says (docs/gate.md). */
const RolloutSchema = z.strictObject({
  plan: Digest,
  environment: Environment,
  rollout: Name,
  /** `{{args.hash}}` from `podTemplateHashValue: Latest`: one for every revision. */
  podTemplateHash: Name,
});

const MeasuredSchema = z.strictObject({
  verdict: z.enum(["promote", "hold", "reject"]),
  reason: z.string(),
  decision: z.string().nullable(),
});

/** What a person or a moment may still bring: the rollout waits for it, instead of being rolled back. */
const MAY_STILL_COME: ReadonlySet<GateReasonCode> = new Set([
  "EVIDENCE_UNAVAILABLE",
  "KILL_SWITCH_ENGAGED",
  "CLOCK_UNSOUND",
  // Also of every caller while the gate's configuration cannot be read: a slip in that file rolls nothing back.
  "CALLER_NOT_ALLOWED",
  "VERDICT_NOT_YET_VALID",
  "APPROVALS_MISSING",
  "DRILL_STALE",
  "POLICY_ERROR",
]);

/**
 * The web metric of Argo Rollouts. Always 200 with the answer in the body, since every other status is a measurement that
 * failed, which is counted by another rule than an answer. `hold` matches neither condition, so that the rollout pauses.
 * Source: argoproj/argo-rollouts metricproviders/webmetric/webmetric.go, docs/analysis/web.md.
 */
export function argoRoutes(service: GateService, cluster: Cluster): readonly Route[] {
  const replies = { ...COMMON_REPLIES, 200: { description: "promote, hold or reject.", schema: MeasuredSchema } };
  return [
    {
      method: "GET",
      path: "/v1/hooks/argo/verdicts/{plan}",
      summary: "Argo Rollouts web metric that only looks (`?environment=`).",
      access: "check",
      bodyBytesMax: 0,
      replies,
      handle: (exchange) => look(exchange, service),
    },
    {
      method: "POST",
      path: "/v1/hooks/argo/rollouts",
      summary: "Argo Rollouts web metric that promotes: a part of the cluster's promotion, once for every revision.",
      access: "promote",
      bodyBytesMax: BODY_BYTES_MAX,
      request: RolloutSchema,
      replies,
      handle: (exchange) => promote(exchange, service, cluster),
    },
  ];
}

async function look({ params, query, caller }: Exchange, service: GateService): Promise<Reply> {
  const plan = digestOf(params["plan"]);
  const environment = Environment.safeParse(query.get("environment"));
  return await measured(service, "check", {
    ...(plan === undefined ? {} : { plan }),
    environment: environment.success ? environment.data : "(none named)",
    caller: caller ?? { name: "", environments: [] },
    change: { kind: "not-shown" },
    key: requestKey("argo", ["look"]),
  });
}

async function promote({ body, caller }: Exchange, service: GateService, cluster: Cluster): Promise<Reply> {
  const read = readRequest(body, RolloutSchema);
  if (read.kind === "refused") return read.reply;
  const { plan, environment, rollout, podTemplateHash } = read.value;
  const parts = [cluster.name, environment, rollout, podTemplateHash];
  return await measured(service, "promote", {
    plan,
    environment,
    caller: caller ?? { name: "", environments: [] },
    change: { kind: "not-shown" },
    key: requestKey("argo", parts),
    step: { series: seriesOf(cluster), part: sha256Hex(JSON.stringify(["argo", ...parts])) },
  });
}

async function measured(service: GateService, mode: PromotionMode, request: PromotionRequest): Promise<Reply> {
  const answered = await service.answer({ adapter: "argo", mode, request });
  const body = {
    verdict: measuredVerdict(answered.decision),
    reason: decisionText(answered).slice(0, 1000),
    decision: answered.id === undefined ? null : String(answered.id),
  };
  return { status: 200, body };
}

/** A promotion that something else stands in the way of is no promotion: it is a hold where that may still pass. */
export function measuredVerdict(decision: Decision): "promote" | "hold" | "reject" {
  if (decision.kind === "admit") return "promote";
  const waits = decision.reasons.every(
    ({ code, message }) =>
      MAY_STILL_COME.has(code) || (code === "VERDICT_NOT_PROMOTE" && message.startsWith("the newest verdict is hold")),
  );
  return waits ? "hold" : "reject";
}
