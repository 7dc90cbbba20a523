import { z } from "zod";
import { sha256Hex } from "../../core/sha256.ts";
import { decisionText, type GateService } from "../gate-service.ts";
import { type Exchange, problem, type Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import { type Cluster, seriesOf } from "../kubernetes/cluster.ts";
import type { Answered } from "../promote.ts";
import { requestKey } from "../read-evidence.ts";
import { COMMON_REPLIES, Digest } from "./words.ts";

const BODY_BYTES_MAX = 64 * 1024;
const Name = z.string().min(1).max(253);

/**
 * What Flagger posts to a webhook.
 * Source: fluxcd/flagger pkg/apis/flagger/v1beta1/canary.go, `CanaryWebhookPayload`; docs/gitbook/usage/webhooks.md.
 */
const PayloadSchema = z.looseObject({
  name: Name,
  namespace: Name,
  phase: z.string().max(100),
  /** Of the canary's spec: the same for every question about one rollout. */
  checksum: z.string().max(200).default(""),
  metadata: z.record(z.string().max(253), z.string().max(4000)).default({}),
});
type Payload = z.infer<typeof PayloadSchema>;

/** How Flagger is answered: the status is all that it looks at, and what is not above 202 is a yes. */
const GO = 200;
const STOP = 403;
/** Of rollback hooks, where a yes means "roll back now"; a gate that knows nothing must not roll anything back. */
const LEAVE_ALONE = 403;

/**
 * Flagger's hooks. `gate` is for confirm-rollout, pre-rollout, rollout, confirm-traffic-increase and confirm-promotion;
 * `rollback` is for the hook of type rollback, which Flagger reads the other way round.
 */
export function flaggerRoutes(service: GateService, cluster: Cluster): readonly Route[] {
  const hook = {
    method: "POST",
    access: "admission",
    bodyBytesMax: BODY_BYTES_MAX,
    request: PayloadSchema,
    replies: {
      ...COMMON_REPLIES,
      200: { description: "Go on; of the rollback hook: roll back now." },
      403: { description: "Wait or stop, with the reason as text; of the rollback hook: leave it alone." },
    },
  } as const;
  return [
    {
      ...hook,
      path: "/v1/hooks/flagger/{key}/gate",
      summary: "Flagger webhook: may this rollout go on.",
      handle: (exchange) => gate(exchange, service, cluster),
    },
    {
      ...hook,
      path: "/v1/hooks/flagger/{key}/rollback",
      summary: "Flagger rollback webhook, inverted: 200 rolls back.",
      handle: (exchange) => rollback(exchange, service, cluster),
    },
  ];
}

async function gate(exchange: Exchange, service: GateService, cluster: Cluster): Promise<Reply> {
  const read = readRequest(exchange.body, PayloadSchema);
  if (read.kind === "refused") return read.reply;
  const answered = await ask(read.value, "promote", exchange, service, cluster);
  // Never 5xx: Flagger's client tries those again and loses the text, which it would show in the events.
  return { status: answered.decision.kind === "admit" ? GO : STOP, body: `${decisionText(answered)}\n` };
}

/**
 * Rolls back only when somebody said so: promotions are stopped here, or the plan or its verdict was taken back. That the gate
 * cannot read its evidence is no such word.
 */
async function rollback(exchange: Exchange, service: GateService, cluster: Cluster): Promise<Reply> {
  const read = readRequest(exchange.body, PayloadSchema);
  // Every other answer to an unreadable request would be above 202 as well; this says so with certainty.
  if (read.kind === "refused")
    return problem(LEAVE_ALONE, "REQUEST_INVALID", "The request cannot be read", "left alone");
  const { decision } = await ask(read.value, "check", exchange, service, cluster);
  const stopping = decision.kind === "admit" ? [] : decision.reasons.filter(({ code }) => STOPPED.has(code));
  const [first] = stopping;
  return first === undefined
    ? { status: LEAVE_ALONE, body: "nothing says that it should be rolled back\n" }
    : { status: GO, body: `roll back: ${first.message}\n` };
}

const STOPPED: ReadonlySet<string> = new Set(["KILL_SWITCH_ENGAGED", "REVOKED"]);

async function ask(
  { name, namespace, checksum, metadata }: Payload,
  mode: "promote" | "check",
  { caller }: Exchange,
  service: GateService,
  cluster: Cluster,
): Promise<Answered> {
  const plan = Digest.safeParse(metadata["plan"]);
  const environment = Object.hasOwn(cluster.environments, namespace) ? cluster.environments[namespace] : undefined;
  const rollout = [cluster.name, namespace, name, checksum];
  return await service.answer({
    adapter: "flagger",
    mode,
    request: {
      ...(plan.success ? { plan: plan.data } : {}),
      environment: environment ?? `namespace ${namespace}`,
      caller: { name: `flagger ${namespace}/${name}`, environments: caller?.environments ?? [] },
      // Flagger tells that something changes, not what; admission sees it (docs/gate.md).
      change: { kind: "not-shown" },
      key: requestKey("flagger", rollout),
      step: { series: seriesOf(cluster), part: sha256Hex(JSON.stringify(["flagger", ...rollout])) },
    },
  });
}
