import { createHash, createSecretKey, randomBytes } from "node:crypto";
import { type NewApproval, signApproval } from "../../src/attest/approval-statement.ts";
import { signDrill } from "../../src/attest/drill-statement.ts";
import type { KeyRole, Keyring, TrustedKey } from "../../src/attest/keyring.ts";
import { loadPrivateKey, newKeyPair, type SigningKey } from "../../src/attest/keys.ts";
import { signPlan } from "../../src/attest/plan-statement.ts";
import { signStatement } from "../../src/attest/verdict-statement.ts";
import { systemClock } from "../../src/cli/system.ts";
import type { Clock } from "../../src/core/clock.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { Passkey } from "../../src/gate/approvals-page/passkeys.ts";
import type { GuardedEnvironment, PolicyEvidence } from "../../src/gate/evidence.ts";
import type { AskPolicy } from "../../src/gate/gate-context.ts";
import { gateDocuments } from "../../src/gate/gate-documents.ts";
import { type GateService, gateService } from "../../src/gate/gate-service.ts";
import type { KnownCaller } from "../../src/gate/http/exchange.ts";
import { gateMetrics } from "../../src/gate/http/gate-metrics.ts";
import {
  type GateServer,
  type GateServerOptions,
  startGateServer,
  type TlsMaterial,
} from "../../src/gate/http/gate-server.ts";
import type { Route } from "../../src/gate/http/route.ts";
import { signKillSwitch } from "../../src/gate/kill-switch.ts";
import type { Submission } from "../../src/gate/publish.ts";
import type { EvidenceSources } from "../../src/gate/read-evidence.ts";
import { recentDecisions } from "../../src/gate/recent-decisions.ts";
import { allRoutes, type GateParts } from "../../src/gate/routes/all-routes.ts";
import type { SignOnTrust } from "../../src/gate/single-sign-on/sign-on-terms.ts";
import { timePassed } from "../../src/gate/time-passed.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { type Plan, parsePlan } from "../../src/plan/plan.ts";
import { FINISHED_EPOCH_MS } from "../attest/verdict-builder.ts";
import { ledgerIn, newSigner, sqlitePlace } from "../support/ledger-place.ts";
import { CLUSTER } from "./kubernetes/admission-builder.ts";
import { DAY_MS, ENVIRONMENT, PLAN_TEXT, POLICY_DIGEST, statement } from "./promotion-builder.ts";

/** Time of a gate under test: stands still until it is moved, sleeps really. */
export interface TestClock extends Clock {
  nowEpochMs: number;
}

/** A policy that allows everything and asks for so many people. */
export function allowing(people = 0): PolicyEvidence {
  const approvals = { k: people, strong: people };
  return { kind: "answer", allow: true, approvals, reasons: [], verdictValidForMs: DAY_MS, policy: POLICY_DIGEST };
}

/** A gate with everything real but policy: keys, ledger in a file, documents. */
export interface GateWorld extends AsyncDisposable {
  readonly clock: TestClock;
  readonly ledger: Ledger;
  readonly sources: EvidenceSources;
  readonly service: GateService;
  readonly reports: string[];
  readonly told: Parameters<GateService["tell"]>[0][];
  /** What policy answers from now on. */
  policy: PolicyEvidence;
  keyring: Keyring;
  passkeys: readonly Passkey[];
  /** Of the page whose passkeys count. */
  pageOrigin: string;
  signOn: SignOnTrust | undefined;
  readonly key: (identity: string, role: KeyRole) => SigningKey;
  /** A plan of the agent, different for every number, with its signature. */
  readonly plan: (number: number, changes?: (plan: Record<string, unknown>) => void) => SignedPlan;
  /** A verdict about a plan with what is published beside it. */
  readonly submission: (plan: SignedPlan, tier?: 2 | 3, changes?: Parameters<typeof statement>[1]) => Submission;
  readonly approval: (person: string, plan: Plan, changes?: Partial<NewApproval>) => string;
  readonly drill: (startedEpochMs?: number) => string;
  readonly order: (isEngaged: boolean, scope?: string, signer?: SigningKey, atEpochMs?: number) => string;
  readonly serve: (options?: {
    readonly parts?: Partial<GateParts>;
    readonly tls?: TlsMaterial;
    readonly callers?: readonly KnownCaller[];
    readonly connections?: Partial<GateServerOptions["connections"]>;
    readonly more?: readonly Route[];
  }) => Promise<ServedGate>;
}

export interface SignedPlan extends Plan {
  readonly text: string;
  readonly signature: string;
}

/** A gate that listens, and requests to it as its callers. */
export interface ServedGate extends GateServer {
  readonly ask: (
    path: string,
    options?: {
      readonly method?: string;
      readonly body?: unknown;
      readonly headers?: Record<string, string>;
      readonly as?: string;
    },
  ) => Promise<{ readonly status: number; readonly text: string; readonly json: Loose; readonly headers: Headers }>;
}

type Loose = ReturnType<typeof JSON.parse>;

/** Tokens of the callers of a gate under test. */
export const tokenOf = (name: string): string => `test-token-of-${name}-0123456789`;

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Callers of all kinds; `any` may do everything. */
export const CALLERS: readonly KnownCaller[] = [
  caller("ci", ["publish", "check"]),
  caller("deployer", ["promote", "check"]),
  caller("staging", ["promote", "check"], ["staging/*"]),
  caller("apiserver", ["admission"]),
  caller("operator", ["operate", "metrics"]),
  caller("any", ["publish", "promote", "check", "admission", "operate", "metrics"]),
];

function caller(name: string, may: KnownCaller["may"], environments = ["production/*"]): KnownCaller {
  const rate = { perSecond: 1e6, burst: 1e6 };
  return { name, may, environments, tokenSha256: sha256(tokenOf(name)), rate };
}

/** A world of its own; disposing removes it. */
export async function gateWorld(
  options: {
    readonly environments?: readonly GuardedEnvironment[];
    readonly ledger?: Ledger;
    /** Instead of the world's own answer: a real engine. */
    readonly askPolicy?: AskPolicy;
  } = {},
): Promise<GateWorld> {
  await using opening = new AsyncDisposableStack();
  const clock: TestClock = {
    nowEpochMs: FINISHED_EPOCH_MS + 1000,
    monotonicMs: systemClock.monotonicMs,
    epochMs: () => clock.nowEpochMs,
    sleep: systemClock.sleep,
  };
  const ledger = options.ledger ?? opening.use(await ledgerIn(opening.use(await sqlitePlace()), newSigner()));
  const keys = new Map<string, SigningKey>();
  const trusted: TrustedKey[] = [];
  const key = (identity: string, role: KeyRole): SigningKey => {
    const known = keys.get(`${role} ${identity}`);
    if (known !== undefined) return known;
    const pair = newKeyPair();
    trusted.push({ keyId: pair.keyId, publicPem: pair.publicPem, role, identity });
    const made = loadPrivateKey(pair.privatePem);
    keys.set(`${role} ${identity}`, made);
    return made;
  };
  for (const [identity, role] of WHO) key(identity, role);
  const state = {
    policy: allowing(),
    keyring: { keys: trusted } as Keyring,
    passkeys: [] as readonly Passkey[],
    pageOrigin: "https://gate.example",
    signOn: undefined as SignOnTrust | undefined,
  };
  const documents = gateDocuments(ledger);
  const sources: EvidenceSources = {
    ledger,
    clock,
    keyring: () => state.keyring,
    passkeys: () => state.passkeys,
    get pageOrigin() {
      return state.pageOrigin;
    },
    get signOn() {
      return state.signOn;
    },
    environments: options.environments ?? [ENVIRONMENT],
    askPolicy: options.askPolicy ?? (async () => state.policy),
    expectPolicy: async () => {
      if (state.policy.kind === "error") throw new Error(state.policy.why);
    },
    tokenSecret: createSecretKey(randomBytes(32)),
    tokenValidForMs: 600_000,
    documents,
    recent: recentDecisions({ ledger, documents, pastMs: 3_600_000 }),
    // Of a clock that stands still no time passes either, however long a test or bench takes.
    timePassed: timePassed({ epochMs: clock.epochMs, monotonicMs: () => 0 }),
  };
  const reports: string[] = [];
  const told: GateWorld["told"] = [];
  const service = gateService({
    sources,
    metrics: gateMetrics(),
    report: (message) => reports.push(message),
    tell: (notice) => told.push(notice),
  });
  const owned = opening.move();
  return {
    clock,
    ledger,
    sources,
    service,
    reports,
    told,
    key,
    get policy() {
      return state.policy;
    },
    set policy(policy) {
      state.policy = policy;
    },
    get keyring() {
      return state.keyring;
    },
    set keyring(keyring) {
      state.keyring = keyring;
    },
    get passkeys() {
      return state.passkeys;
    },
    set passkeys(passkeys) {
      state.passkeys = passkeys;
    },
    get pageOrigin() {
      return state.pageOrigin;
    },
    set pageOrigin(origin) {
      state.pageOrigin = origin;
    },
    get signOn() {
      return state.signOn;
    },
    set signOn(signOn) {
      state.signOn = signOn;
    },
    plan: (number, change = () => undefined) => {
      const document = { ...JSON.parse(PLAN_TEXT), intent: `Drain backlog ${number}` };
      change(document);
      const text = JSON.stringify(document);
      const plan = parsePlan(text, "plan.json");
      return { ...plan, text, signature: signPlan(plan, key(plan.agent.id, "agent"), clock.nowEpochMs) };
    },
    submission: (plan, tier = 2, changes = {}) => {
      const whole = statement(tier, {
        plan: {
          file: "plan.json",
          sha256: plan.sha256,
          agent: plan.agent,
          tier: { declared: tier, classified: tier, effective: tier },
        },
        ...changes,
      });
      const bundle = signStatement(whole, key("harness", "canary"));
      return { bundle, plan: plan.text, planSignature: plan.signature };
    },
    approval: (person, plan, changes = {}) => {
      const approval = {
        planSha256: plan.sha256,
        environment: plan.target.environment,
        approvedAtEpochMs: clock.nowEpochMs,
        expiresAtEpochMs: clock.nowEpochMs + DAY_MS,
        nonce: randomBytes(16).toString("hex"),
        ...changes,
      };
      return signApproval(approval, key(person, "approver"));
    },
    drill: (startedEpochMs = clock.nowEpochMs - DAY_MS) => {
      const { scenario, mirror } = DRILLED;
      const drill = { runId: `drill-${startedEpochMs}`, environment: ENVIRONMENT.id, outcome: "clean", startedEpochMs };
      const plan = { name: "plan.json", sha256: sha256("plan") };
      return signDrill(
        { ...drill, plan, scenario, mirror, cells: [{ result: "clean" }] },
        "{}",
        key("harness", "canary"),
      );
    },
    order: (isEngaged, scope = "*", signer = key("olga", "operator"), atEpochMs = clock.nowEpochMs) =>
      signKillSwitch({ scope, ledger: ledger.origin, isEngaged, reason: "fire" }, signer, {
        atEpochMs,
        nonce: randomBytes(16).toString("hex"),
      }),
    serve: async ({ parts = {}, tls, callers = CALLERS, connections = {}, more = [] } = {}) => {
      const server = await startGateServer({
        host: "127.0.0.1",
        port: 0,
        ...(tls === undefined ? {} : { tls }),
        routes: [...(await allRoutes(service, { version: "0.0.0", cluster: CLUSTER, ...parts })), ...more],
        callers: () => callers,
        connections: {
          perAddressMax: LIMITS.gateConnectionsPerAddressMax,
          handshakeMsMax: LIMITS.gateHeadersMsMax,
          ...connections,
        },
        clock,
        metrics: service.metrics,
        report: service.report,
      });
      return Object.assign(server, { ask: asker(server.url) });
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const WHO: readonly (readonly [string, KeyRole])[] = [
  ["harness", "canary"],
  ["agent-7", "agent"],
  ["ada", "approver"],
  ["grace", "approver"],
  ["olga", "operator"],
];

const DRILLED = {
  scenario: { name: "scenario.yaml", sha256: ENVIRONMENT.scenarios[0] ?? "" },
  mirror: { name: "shop", sha256: ENVIRONMENT.mirrors[0] ?? "" },
};

function asker(url: string): ServedGate["ask"] {
  return async (path, { method, body, headers = {}, as } = {}) => {
    const isRaw = typeof body === "string" || body instanceof Uint8Array;
    const sent = body === undefined ? undefined : isRaw ? (body as string) : JSON.stringify(body);
    const response = await fetch(`${url}${path}`, {
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(as === undefined ? {} : { authorization: `Bearer ${tokenOf(as)}` }),
        ...(sent === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(sent === undefined ? {} : { body: sent }),
      redirect: "manual",
    });
    const text = await response.text();
    return { status: response.status, text, json: jsonOf(text), headers: response.headers };
  };
}

function jsonOf(text: string): Loose {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
