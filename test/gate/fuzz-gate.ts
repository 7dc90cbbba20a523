import { isDeepStrictEqual } from "node:util";
import { seededRandom } from "../../src/core/random.ts";
import { changedBody, changedPath, changedText, pick, type Random } from "./fuzz-mutations.ts";
import { type SocketAnswer, type SocketRequest, sendMalformed, socketClient } from "./fuzz-socket.ts";
import { type GateWorld, gateWorld, type ServedGate, tokenOf } from "./gate-world.ts";
import { admissionRequest, scaleRequest } from "./kubernetes/admission-builder.ts";

/** What a series of requests did; `offences` is empty unless the gate said yes where it must not, or failed. */
export interface FuzzReport {
  readonly requests: number;
  /** Answers by status; -1 where a connection was closed without one, which only bytes that are no request may end with. */
  readonly byStatus: Readonly<Record<string, number>>;
  readonly offences: readonly string[];
}

type Loose = ReturnType<typeof JSON.parse>;

/** One request that is right in itself, before anything is done to it. */
interface Template {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

/** A gate that is asked, what is sent to it, to which requests it may say yes, and what of its answers is an offence. */
interface Target {
  readonly gate: ServedGate;
  readonly templates: readonly Template[];
  readonly isRight: (asked: SocketRequest) => boolean;
  readonly offenceOf: (asked: SocketRequest, answer: SocketAnswer) => string | undefined;
}

const ENVIRONMENT = "production/eu-west";
const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
const AT_ONCE = 16;
const OFFENCES_MAX = 20;

/**
 * Sends right requests with something changed: bytes, members, paths, headers, credentials, framing. Three of four go to a gate
 * at which all promotions are stopped, so that no answer may be a yes; the others to one that would admit the right request, so
 * that it is not the kill switch alone that refuses the rest.
 */
export async function fuzzGate(options: { readonly seed: number; readonly count: number }): Promise<FuzzReport> {
  const random = seededRandom(options.seed);
  await using stoppedWorld = await gateWorld();
  await using stoppedGate = await stoppedWorld.serve();
  await using openWorld = await gateWorld();
  await using openGate = await openWorld.serve();
  const stopped = await stoppedTarget(stoppedWorld, stoppedGate);
  const open = await openTarget(openWorld, openGate);
  using clients = new DisposableStack();
  const sendTo = new Map([stopped, open].map((target) => [target, clients.use(socketClient(target.gate.url))]));
  const byStatus: Record<string, number> = {};
  const offences: string[] = [];
  const one = async (number: number): Promise<void> => {
    const target = random() < 0.75 ? stopped : open;
    const asked = mutated(pick(target.templates, random), random);
    const isMalformed = random() < 0.04;
    const answer = isMalformed
      ? await sendMalformed(target.gate.url, asked, random)
      : ((await sendTo.get(target)?.send(asked)) ?? { status: 0, text: "no client" });
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    const offence = isMalformed ? offenceOfBytes(answer, target.isRight(asked)) : target.offenceOf(asked, answer);
    if (offence !== undefined && offences.length < OFFENCES_MAX) {
      const told = `${asked.method} ${asked.path} ${String(asked.body).slice(0, 300)}`;
      offences.push(`seed ${options.seed}, request ${number}: ${offence} (${answer.text.slice(0, 200)}): ${told}`);
    }
  };
  for (let sent = 0; sent < options.count; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, options.count - sent) }, (_, index) => one(sent + index)));
  }
  for (const [{ gate }, world] of [[stopped, stoppedWorld] as const, [open, openWorld] as const]) {
    // Not as a stranger: those among the requests above have used up what strangers may ask.
    if ((await gate.ask("/healthz", { as: "any" })).status !== 200) offences.push("the gate does not answer any more");
    offences.push(...world.reports.slice(0, OFFENCES_MAX).map((report) => `it failed inside: ${report}`));
  }
  if (Object.hasOwn(Object.prototype, "isAdmin") || "allow" in {}) offences.push("a prototype was changed");
  return { requests: options.count, byStatus, offences };
}

async function stoppedTarget(world: GateWorld, gate: ServedGate): Promise<Target> {
  const plan = world.plan(1);
  const submission = world.submission(plan);
  await gate.ask("/v1/verdicts", { body: submission, as: "any" });
  await gate.ask("/v1/kill-switch", { body: { bundle: world.order(true) }, as: "any" });
  const templates = templatesFor(world, plan.sha256, submission);
  return { gate, templates, isRight: () => false, offenceOf: offenceOfStopped };
}

/** One plan whose promotion is right; what of a yes is right is told from the request alone. */
async function openTarget(world: GateWorld, gate: ServedGate): Promise<Target> {
  const plan = world.plan(1);
  const { json } = await gate.ask("/v1/verdicts", { body: world.submission(plan), as: "any" });
  const body = { plan: plan.sha256, environment: ENVIRONMENT, verdict: json.digest, change: CHANGE };
  const isRight = (asked: SocketRequest): boolean => {
    const said = jsonOf(typeof asked.body === "string" ? asked.body : "");
    const isSame = isDeepStrictEqual({ verdict: body.verdict, ...said }, body);
    const prefixed = isDeepStrictEqual({ verdict: body.verdict, ...said }, { ...body, plan: `sha256:${body.plan}` });
    return asked.headers["authorization"] === `Bearer ${tokenOf("any")}` && (isSame || prefixed);
  };
  return {
    gate,
    isRight,
    templates: ["/v1/promotions/check", "/v1/promotions"].map((path) => ({ method: "POST", path, body })),
    offenceOf: (asked, answer) =>
      offenceOfFailure(answer) ??
      (isYes(jsonOf(answer.text)) && !isRight(asked) ? "admitted what is not the right request" : undefined),
  };
}

function templatesFor(world: GateWorld, plan: string, submission: object): readonly Template[] {
  const promotion = { plan, environment: ENVIRONMENT, change: CHANGE };
  const review = (request: object): object => ({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  const annotated = admissionRequest((object) => {
    object.spec.replicas = 3;
    object.metadata.annotations["canary-harness.dev/plan"] = `sha256:${plan}`;
  });
  const scaled = scaleRequest(1, 3, { options: { fieldManager: `canary-plan.${plan}` } });
  const hook = {
    name: "worker",
    namespace: "batch",
    phase: "Progressing",
    checksum: "1",
    metadata: { plan: `sha256:${plan}` },
  };
  const rollout = { plan, environment: ENVIRONMENT, rollout: "worker", podTemplateHash: "x" };
  const key = tokenOf("any");
  const sent = (path: string, body: unknown): Template => ({ method: "POST", path, body });
  const read = (path: string): Template => ({ method: "GET", path });
  return [
    sent("/v1/promotions", promotion),
    sent("/v1/promotions/check", promotion),
    sent("/v1/tokens/use", { token: `canary_${"A".repeat(43)}`, change: CHANGE }),
    sent("/v1/verdicts", submission),
    sent("/v1/approvals", { bundle: world.approval("ada", world.plan(1)) }),
    sent("/v1/drills", { bundle: world.drill() }),
    sent("/v1/admission", review(annotated)),
    sent(`/v1/admission/${key}`, review(scaled)),
    sent(`/v1/hooks/flagger/${key}/gate`, hook),
    sent("/v1/hooks/argo/rollouts", rollout),
    read(`/v1/hooks/argo/verdicts/${plan}?environment=production%2Feu-west`),
    read(`/v1/verdicts/${plan}`),
    read("/v1/decisions/3"),
    read("/readyz"),
  ];
}

function mutated(template: Template | undefined, random: Random): SocketRequest {
  const { method, path, body } = template ?? { method: "GET", path: "/" };
  const as = random() < 0.9 ? "any" : pick(["ci", "nobody", "staging"], random);
  const key = `k${Math.floor(random() * 5)}`;
  const type = random() < 0.95 ? "application/json" : pick(["text/plain", "application/xml", ""], random);
  return {
    method: random() < 0.97 ? method : (pick(["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"], random) ?? method),
    path: random() < 0.1 ? changedPath(path, random) : path,
    headers: {
      authorization:
        random() < 0.97
          ? `Bearer ${tokenOf(as ?? "")}`
          : changedText(`Bearer ${tokenOf("any")}`, random).replaceAll(/[^\x20-\x7e]/g, "x"),
      "content-type": type ?? "",
      ...(random() < 0.9 ? { "idempotency-key": random() < 0.95 ? key : [key, "other"] } : {}),
    },
    ...(body === undefined ? {} : { body: changedBody(body, random) }),
  };
}

function offenceOfFailure({ status }: SocketAnswer): string | undefined {
  if (status === 0 || status >= 600) return "no answer";
  return status === 500 ? "it failed" : undefined;
}

function offenceOfStopped({ path }: SocketRequest, answer: SocketAnswer): string | undefined {
  const failure = offenceOfFailure(answer);
  if (failure !== undefined || answer.status < 200 || answer.status >= 300) return failure;
  const json = jsonOf(answer.text);
  if (isYes(json)) return "admitted";
  if (json?.response?.allowed === true) {
    const { exempt, change } = json.response.auditAnnotations ?? {};
    return exempt !== undefined || change === "none" ? undefined : "allowed";
  }
  if (path.startsWith("/v1/verdicts") && json?.isNew === true) return "published";
  return path.includes("/gate") ? "let Flagger go on" : undefined;
}

function isYes(json: Loose): boolean {
  return json?.decision === "admit" || json?.go === true || json?.verdict === "promote";
}

/**
 * Bytes may hold several requests, so several answers: none may be a failure of ours, and none a yes, unless what they were made of
 * is right and all that is odd is a header that nobody needs.
 */
function offenceOfBytes({ text }: SocketAnswer, isRight: boolean): string | undefined {
  if (/HTTP\/1\.1 500/.test(text)) return "it failed";
  return !isRight && /"decision":"admit"|"go":true|"allowed":true|"isNew":true/.test(text)
    ? "said yes to bytes"
    : undefined;
}

function jsonOf(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
