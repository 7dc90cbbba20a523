import { createSecretKey, randomBytes } from "node:crypto";
import path from "node:path";
import { CanaryError, messageOf } from "../core/errors.ts";
import { askPolicyEngine, expectPolicy, pastMsOf } from "../gate/ask-policy.ts";
import { gateDocuments } from "../gate/gate-documents.ts";
import { type GateService, gateService } from "../gate/gate-service.ts";
import { gateMetrics } from "../gate/http/gate-metrics.ts";
import { type GateServer, startGateServer } from "../gate/http/gate-server.ts";
import { recentDecisions } from "../gate/recent-decisions.ts";
import { allRoutes, type GateParts } from "../gate/routes/all-routes.ts";
import type { SignOn } from "../gate/routes/sign-on-routes.ts";
import { timePassed } from "../gate/time-passed.ts";
import { loadSqlParser } from "../policy/sql/parse-sql.ts";
import { type LoadedGateConfig, readGateConfig, readSecretBeside } from "./gate-files.ts";
import { type ReloadedState, readReloaded, reload } from "./gate-reload.ts";
import { signOnOf } from "./gate-sign-on.ts";
import { ledgerOrDefault, openLedgerToAppend } from "./ledger-location.ts";
import { type NotifyOptions, notifierOf } from "./notify.ts";
import { openPolicy } from "./open-policy.ts";
import { systemClock } from "./system.ts";
import { harnessVersion } from "./version.ts";

const MINUTE_MS = 60_000;

export interface ServeOptions extends NotifyOptions {
  readonly config: string;
  readonly ledger?: string;
  readonly policy?: string;
}

/**
 * Starts a gate as its configuration says. Disposing drains it, then closes everything that it had opened.
 * @throws CanaryError GATE_INVALID (also where it cannot listen) | TRUST_INVALID | POLICY_INVALID and those of the ledger
 */
export async function serveGate(
  options: ServeOptions,
  report: (message: string) => void,
): Promise<GateServer & { readonly origin: string }> {
  await using opening = new AsyncDisposableStack();
  const loaded = await readGateConfig(options.config);
  const { config } = loaded;
  const trustFile = path.resolve(loaded.folder, config.trust);
  const state = await readReloaded(loaded, trustFile);
  const signOn = await signOnOf(loaded, state, report);
  const [policy, notifier, ledger] = await Promise.all([
    openPolicy(options.policy),
    notifierOf(options, report),
    openLedgerToAppend(ledgerOrDefault(options.ledger)),
  ]);
  opening.defer(() => notifier.flush());
  opening.use(ledger);
  const tokenSecret = await tokenSecretOf(loaded);
  const background = new Set<Promise<void>>();
  opening.defer(async () => void (await Promise.all(background)));
  const documents = gateDocuments(ledger);
  const service = gateService({
    sources: {
      ledger,
      clock: systemClock,
      keyring: () => state.keyring,
      passkeys: () => state.passkeys,
      pageOrigin: config.approvals?.origin,
      ...(signOn === undefined ? {} : { signOn: signOn.terms }),
      environments: config.environments.map(({ policies, ...rest }) => ({
        ...rest,
        policies: policies ?? [policy.engine.policy.sha256],
      })),
      askPolicy: askPolicyEngine(policy, loadSqlParser),
      expectPolicy: () => expectPolicy(policy, loadSqlParser),
      tokenSecret: createSecretKey(tokenSecret),
      tokenValidForMs: config.tokens.validMinutes * MINUTE_MS,
      documents,
      recent: recentDecisions({ ledger, documents, pastMs: pastMsOf(policy) }),
      timePassed: timePassed(systemClock),
    },
    metrics: gateMetrics(),
    report,
    tell: (notice) => notifier.notify(notice),
  });
  const server = opening.use(await listen(loaded, service, { state, signOn, background, report }));
  // Takes a tenth of a second that nobody need wait for to reach it; a question that comes sooner, or finds it broken, asks again.
  setImmediate(() => void Promise.allSettled([service.sources.expectPolicy(), service.metrics.text()]));
  const stopping = new AbortController();
  const { metrics } = service;
  const reloading = reload({ loaded, trustFile, state, server, metrics, report, signal: stopping.signal });
  opening.defer(async () => {
    stopping.abort();
    await reloading;
  });
  const owned = opening.move();
  return {
    url: server.url,
    origin: ledger.origin,
    drain: server.drain,
    reloadTls: server.reloadTls,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function listen(
  loaded: LoadedGateConfig,
  service: GateService,
  opened: {
    readonly state: ReloadedState;
    readonly signOn: SignOn | undefined;
    readonly background: Set<Promise<void>>;
    readonly report: (message: string) => void;
  },
): Promise<GateServer> {
  const { config } = loaded;
  const { state, signOn, background, report } = opened;
  const senders = await Promise.all(
    config.webhooks.map(async ({ name, environments, secretFile }) => ({
      name,
      environments,
      secret: webhookSecret(name, await readSecretBeside(loaded, secretFile)),
    })),
  );
  const github = await gitHubRule(loaded, background);
  const parts: GateParts = {
    version: harnessVersion(),
    senders,
    ...(config.kubernetes === undefined ? {} : { cluster: clusterOf(config.kubernetes) }),
    ...(github === undefined ? {} : { github }),
    ...(signOn === undefined ? {} : { signOn }),
    ...(config.approvals?.passkeysFile === undefined
      ? {}
      : { passkeys: { origin: config.approvals.origin, passkeys: service.sources.passkeys } }),
  };
  return await startGateServer({
    host: config.listen.host,
    port: config.listen.port,
    connections: config.connections,
    ...(state.tls === undefined ? {} : { tls: state.tls }),
    routes: await allRoutes(service, parts),
    callers: () => state.callers,
    clock: systemClock,
    metrics: service.metrics,
    report,
  }).catch((cause: unknown) => {
    throw cannotListen(config.listen, cause);
  });
}

/** The error of an address that is taken, forbidden or none of this machine's; every other as it is. */
function cannotListen({ host, port }: LoadedGateConfig["config"]["listen"], cause: unknown): unknown {
  const isOfAddress =
    cause instanceof Error && "syscall" in cause && /^(?:listen|bind|getaddrinfo)$/.test(String(cause.syscall));
  if (!isOfAddress) return cause;
  return new CanaryError({
    code: "GATE_INVALID",
    message: `the gate cannot listen on ${host}:${port}: ${messageOf(cause)}`,
    hint: "Give another `listen` in the configuration, or stop what listens there.",
    cause,
  });
}

function clusterOf({ workloads, ...rest }: NonNullable<LoadedGateConfig["config"]["kubernetes"]>) {
  return {
    ...rest,
    workloads: workloads.map(({ container, ...one }) => ({
      ...one,
      ...(container === undefined ? {} : { container }),
    })),
  };
}

async function gitHubRule(loaded: LoadedGateConfig, background: Set<Promise<void>>): Promise<GateParts["github"]> {
  const { github } = loaded.config;
  if (github === undefined) return undefined;
  const { apiBase, appId, repositories } = github;
  const [{ gitHubClient }, privateKey, webhookSecret] = await Promise.all([
    import("../gate/webhooks/github-client.ts"),
    readSecretBeside(loaded, github.privateKeyFile),
    readSecretBeside(loaded, github.webhookSecretFile),
  ]);
  return {
    apiBase,
    webhookSecret,
    repositories,
    client: gitHubClient({ apiBase, appId, privateKey }, { fetch, nowEpochMs: systemClock.epochMs }),
    background: (work) => {
      background.add(work);
      void work.finally(() => background.delete(work));
    },
  };
}

function webhookSecret(name: string, secret: string): string {
  const bytes = Buffer.from(secret.replace(/^whsec_/, ""), "base64").length;
  if (secret.startsWith("whsec_") && bytes >= 24 && bytes <= 64) return secret;
  throw new CanaryError({
    code: "GATE_INVALID",
    message: `the secret of webhook ${name} is none of Standard Webhooks`,
    hint: "It is whsec_ and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)",
  });
}

async function tokenSecretOf(loaded: LoadedGateConfig): Promise<Uint8Array> {
  const { secretFile } = loaded.config.tokens;
  if (secretFile === undefined) return randomBytes(32);
  const secret = Buffer.from(await readSecretBeside(loaded, secretFile));
  if (secret.length >= 32) return secret;
  throw new CanaryError({
    code: "GATE_INVALID",
    message: "the secret of the tokens is shorter than 32 characters",
    hint: "openssl rand -base64 32",
  });
}
