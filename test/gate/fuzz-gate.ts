import { seededRandom } from "../../src/core/random.ts";
import { type GateWorld, type ServedGate, tokenOf } from "./gate-world.ts";
import { admissionRequest, scaleRequest } from "./kubernetes/admission-builder.ts";

/** What a series of requests did; `offences` is empty unless the gate said yes where it must not, or failed. */
export interface FuzzReport {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly offences: readonly string[];
}

type Loose = ReturnType<typeof JSON.parse>;
type Random = () => number;

/** One request that is right in itself, before anything is done to it. */
interface Template {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: unknown;
}

const CHANGE = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
const AT_ONCE = 8;

/**
 * Sends right requests with something changed: bytes, members, paths, headers, credentials. All promotions are stopped, so
 * that no answer may be a yes: whatever is admitted, published anew or allowed is an offence.
 */
export async function fuzzGate(
  world: GateWorld,
  gate: ServedGate,
  options: { readonly seed: number; readonly count: number },
): Promise<FuzzReport> {
  const random = seededRandom(options.seed);
  const plan = world.plan(1);
  const submission = world.submission(plan);
  await gate.ask("/v1/verdicts", { body: submission, as: "any" });
  await gate.ask("/v1/kill-switch", { body: { bundle: world.order(true) }, as: "any" });
  const templates = templatesFor(world, plan.sha256, submission);
  const byStatus: Record<string, number> = {};
  const offences: string[] = [];
  const one = async (number: number): Promise<void> => {
    const sent = mutated(pick(templates, random), random);
    const answer = await gate
      .ask(sent.path, sent.options)
      .catch((error: unknown) => ({ status: 0, text: String(error), json: undefined }));
    byStatus[answer.status] = (byStatus[answer.status] ?? 0) + 1;
    const offence = offenceOf(sent.path, answer, submission.bundle);
    if (offence !== undefined && offences.length < 20) {
      offences.push(
        `seed ${options.seed}, request ${number}: ${offence}: ${sent.path} ${String(sent.options.body).slice(0, 300)}`,
      );
    }
  };
  for (let sent = 0; sent < options.count; sent += AT_ONCE) {
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, options.count - sent) }, (_, index) => one(sent + index)));
  }
  if ((await gate.ask("/healthz")).status !== 200) offences.push("the gate does not answer any more");
  offences.push(...world.reports.map((report) => `it failed inside: ${report}`).slice(0, 20));
  return { requests: options.count, byStatus, offences };
}

function templatesFor(world: GateWorld, plan: string, submission: object): readonly Template[] {
  const promotion = { plan, environment: "production/eu-west", change: CHANGE };
  const review = (request: object): object => ({ apiVersion: "admission.k8s.io/v1", kind: "AdmissionReview", request });
  const annotated = admissionRequest((object) => {
    object.spec.replicas = 3;
    object.metadata.annotations["canary-harness.dev/plan"] = `sha256:${plan}`;
  });
  const hook = {
    name: "worker",
    namespace: "batch",
    phase: "Progressing",
    checksum: "1",
    metadata: { plan: `sha256:${plan}` },
  };
  const key = tokenOf("any");
  return [
    { method: "POST", path: "/v1/promotions", body: promotion },
    { method: "POST", path: "/v1/promotions/check", body: promotion },
    { method: "POST", path: "/v1/tokens/use", body: { token: `canary_${"A".repeat(43)}`, change: CHANGE } },
    { method: "POST", path: "/v1/verdicts", body: submission },
    { method: "POST", path: "/v1/approvals", body: { bundle: world.approval("ada", world.plan(1)) } },
    { method: "POST", path: "/v1/drills", body: { bundle: world.drill() } },
    { method: "POST", path: "/v1/admission", body: review(annotated) },
    {
      method: "POST",
      path: `/v1/admission/${key}`,
      body: review(scaleRequest(1, 3, { options: { fieldManager: `canary-plan.${plan}` } })),
    },
    { method: "POST", path: `/v1/hooks/flagger/${key}/gate`, body: hook },
    {
      method: "POST",
      path: "/v1/hooks/argo/rollouts",
      body: { plan, environment: "production/eu-west", rollout: "worker", podTemplateHash: "x" },
    },
    { method: "GET", path: `/v1/hooks/argo/verdicts/${plan}?environment=production%2Feu-west` },
    { method: "GET", path: `/v1/verdicts/${plan}` },
    { method: "GET", path: "/v1/decisions/3" },
    { method: "GET", path: "/readyz" },
  ];
}

function mutated(template: Template, random: Random) {
  const as = random() < 0.9 ? "any" : pick(["ci", "nobody", "staging"], random);
  const headers = random() < 0.9 ? { "idempotency-key": `k${Math.floor(random() * 5)}` } : {};
  const path = random() < 0.1 ? changedText(template.path, random).replaceAll(/[^\x21-\x7e]|#/g, "x") : template.path;
  const body = template.body === undefined ? undefined : changedBody(template.body, random);
  return {
    path: path.startsWith("/") ? path : `/${path}`,
    options: { method: template.method, as, headers, ...(body === undefined ? {} : { body }) },
  };
}

function changedBody(body: unknown, random: Random): string {
  const kind = random();
  if (kind < 0.05) return JSON.stringify(body);
  if (kind < 0.35) return changedText(JSON.stringify(body), random);
  const copy = structuredClone(body);
  for (let times = 1 + Math.floor(random() * 3); times > 0; times--) changeMember(copy, random);
  return JSON.stringify(copy);
}

const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e308,
  "",
  "*",
  "**",
  "../..",
  "sha256:",
  "__proto__",
  [],
  {},
  "a".repeat(5000),
  "\u0000",
  "\ud800",
];

function changeMember(value: Loose, random: Random): void {
  const keys = typeof value === "object" && value !== null ? Object.keys(value) : [];
  const key = pick(keys, random);
  if (key === undefined) return;
  const inner = value[key];
  if (typeof inner === "object" && inner !== null && Object.keys(inner).length > 0 && random() < 0.8) {
    changeMember(inner, random);
    return;
  }
  const kind = random();
  if (kind < 0.2) delete value[key];
  else if (kind < 0.4)
    value[pick(["x", "constructor", "isAdmin", key.toUpperCase()], random) ?? "x"] = pick(VALUES, random);
  else if (kind < 0.6 && typeof inner === "string") value[key] = changedText(inner, random);
  else value[key] = pick(VALUES, random);
}

function changedText(text: string, random: Random): string {
  const at = Math.floor(random() * (text.length + 1));
  const noise = String.fromCharCode(Math.floor(random() * 256));
  const kind = random();
  if (kind < 0.3) return text.slice(0, at) + noise + text.slice(at + 1);
  if (kind < 0.6) return text.slice(0, at) + text.slice(at + 1 + Math.floor(random() * 4));
  if (kind < 0.8) return text.slice(0, at) + noise + text.slice(at);
  return text.slice(0, at) + text.slice(Math.floor(random() * text.length));
}

function offenceOf(
  path: string,
  { status, json, text }: { readonly status: number; readonly json: Loose; readonly text: string },
  bundle: string,
): string | undefined {
  if (status === 0 || status >= 600) return `no answer (${text})`;
  if (status === 500) return "it failed";
  if (status < 200 || status >= 300) return undefined;
  if (json?.decision === "admit" || json?.go === true || json?.verdict === "promote") return "admitted";
  if (json?.response?.allowed === true) {
    const { exempt, change } = json.response.auditAnnotations ?? {};
    return exempt !== undefined || change === "none" ? undefined : "allowed";
  }
  if (path.startsWith("/v1/verdicts") && json?.isNew === true && bundle !== "") return "published";
  if (path.includes("/gate")) return "let Flagger go on";
  return undefined;
}

function pick<T>(list: readonly T[], random: Random): T;
function pick<T>(list: readonly T[], random: Random): T | undefined {
  return list[Math.floor(random() * list.length)];
}
