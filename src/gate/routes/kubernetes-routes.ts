import { canonicalJson } from "../../attest/canonical-json.ts";
import { LIMITS } from "../../core/limits.ts";
import { sha256Hex } from "../../core/sha256.ts";
import { decisionText, type GateService } from "../gate-service.ts";
import type { Exchange, Reply } from "../http/exchange.ts";
import type { Route } from "../http/route.ts";
import { readRequest } from "../http/strict-request.ts";
import {
  type AdmissionRequest,
  type AdmissionResponse,
  AdmissionReviewSchema,
} from "../kubernetes/admission-review.ts";
import { changedResources } from "../kubernetes/changed-resources.ts";
import { type Cluster, isExempt, seriesOf } from "../kubernetes/cluster.ts";
import { namedPlan } from "../kubernetes/named-plan.ts";
import { recordExemption } from "../kubernetes/record-exemption.ts";
import type { Answered } from "../promote.ts";
import type { ChangedResource } from "../promotion-request.ts";
import { requestKey } from "../read-evidence.ts";
import { COMMON_REPLIES } from "./words.ts";

const MINUTE_MS = 60_000;
/** Kubernetes may cut warnings beyond this. */
const WARNING_CHARS_MAX = 120;
const MESSAGE_CHARS_MAX = 1000;

/**
 * The validating admission webhook. Answers HTTP 200 with the decision in the body, as the API server expects it; where it
 * cannot read the request it answers another status, which `failurePolicy: Fail` makes a refusal.
 */
export function kubernetesRoutes(service: GateService, cluster: Cluster): readonly Route[] {
  const route = {
    method: "POST",
    summary: "Kubernetes validating admission webhook (AdmissionReview v1).",
    access: "admission",
    bodyBytesMax: LIMITS.gateBodyBytesMax,
    request: AdmissionReviewSchema,
    replies: { ...COMMON_REPLIES, 200: { description: "AdmissionReview with `response`." } },
    handle: (exchange: Exchange) => admission(exchange, service, cluster),
  } as const;
  return [
    { ...route, path: "/v1/admission" },
    { ...route, path: "/v1/admission/{key}", summary: `${route.summary} The token stands in the path.` },
  ];
}

async function admission(exchange: Exchange, service: GateService, cluster: Cluster): Promise<Reply> {
  const read = readRequest(exchange.body, AdmissionReviewSchema);
  if (read.kind === "refused") return read.reply;
  const { request } = read.value;
  const response = await respond(request, exchange, service, cluster);
  return { status: 200, body: { apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", response } };
}

async function respond(
  request: AdmissionRequest,
  { caller }: Exchange,
  service: GateService,
  cluster: Cluster,
): Promise<AdmissionResponse> {
  const { username } = request.userInfo;
  if (isExempt(cluster, username)) {
    const entry = await recordExemption(request, cluster, service);
    const recorded = entry === undefined ? {} : { entry: String(entry) };
    return allowed(request, { exempt: username.slice(0, 200), ...recorded });
  }
  const resources = changedResources(request, cluster);
  if (resources.length === 0) return allowed(request, { change: "none" });
  const environment = Object.hasOwn(cluster.environments, request.namespace)
    ? cluster.environments[request.namespace]
    : undefined;
  const plan = namedPlan(request);
  const answered = await service.answer({
    adapter: "kubernetes",
    // A dry run promises to have no side effects: it uses nothing up and records nothing.
    mode: request.dryRun === true ? "check" : "promote",
    request: {
      ...(plan === undefined ? {} : { plan }),
      environment: environment ?? `namespace ${request.namespace}`,
      caller: { name: username, environments: caller?.environments ?? [] },
      change: { kind: "shown", resources },
      key: keyOf(request, resources, cluster),
      step: { series: seriesOf(cluster), part: partOf(request) },
    },
  });
  return answerOf(request, answered, service.sources.clock.epochMs());
}

/**
 * The API server asks again when somebody else wrote to the object meanwhile. Until what was admitted is stored, `generation`
 * stays; afterwards the same change is another promotion, for instance once it was rolled back. So it is for an object of the
 * same name that was made anew: only its `uid` tells.
 */
function keyOf(request: AdmissionRequest, resources: readonly ChangedResource[], cluster: Cluster): string {
  const metadata = (request.oldObject ?? request.object)?.["metadata"] as Readonly<Record<string, unknown>> | undefined;
  const uid = metadata?.["uid"] ?? null;
  const state = [uid, metadata?.["generation"] ?? metadata?.["resourceVersion"] ?? null];
  const content = sha256Hex(canonicalJson(resources));
  return requestKey("kubernetes", [cluster.name, partOf(request), canonicalJson(state), request.operation, content]);
}

/** Each object is one part of a promotion. */
function partOf({ namespace, resource, subResource, name }: AdmissionRequest): string {
  return sha256Hex(JSON.stringify([namespace, resource.group, resource.resource, subResource, name]));
}

function allowed({ uid }: AdmissionRequest, auditAnnotations: Readonly<Record<string, string>>): AdmissionResponse {
  return { uid, allowed: true, auditAnnotations };
}

function answerOf({ uid }: AdmissionRequest, answered: Answered, nowEpochMs: number): AdmissionResponse {
  const { decision, id } = answered;
  const annotations = id === undefined ? {} : { decision: String(id) };
  if (decision.kind === "admit") {
    const { digest, statement } = decision.verdict;
    const leftMs = Date.parse(statement.predicate.expiresAt) - nowEpochMs;
    const warning = `the verdict expires in ${Math.max(0, Math.round(leftMs / MINUTE_MS))} minutes`;
    return {
      uid,
      allowed: true,
      ...(leftMs < 30 * MINUTE_MS ? { warnings: [warning.slice(0, WARNING_CHARS_MAX)] } : {}),
      auditAnnotations: { ...annotations, verdict: digest },
    };
  }
  const [first] = decision.reasons;
  return {
    uid,
    allowed: false,
    status: { code: 403, reason: "Forbidden", message: decisionText(answered).slice(0, MESSAGE_CHARS_MAX) },
    auditAnnotations: { ...annotations, refused: first.code },
  };
}
