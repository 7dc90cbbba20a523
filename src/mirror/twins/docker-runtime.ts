import { randomInt } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { messageOf } from "../../core/errors.ts";
import { PROXY_IMAGE } from "../proxy/raise-proxies.ts";
import { type ContainerRuntime, ROLES, type Role, type TwinPair } from "../twin.ts";
import type { TwinFacts } from "../twin-facts.ts";
import { attachmentOf, saveAttachment } from "./attachment.ts";
import { configurationOf } from "./configuration.ts";
import { coreSets } from "./core-sets.ts";
import { type Engine, openEngine } from "./engine.ts";
import { engineError, isEngineGone } from "./engine-errors.ts";
import { requireEqual } from "./equality.ts";
import { freeLoopbackPorts } from "./free-ports.ts";
import { pairOf } from "./held-pair.ts";
import { type Holding, heldTwin } from "./holding.ts";
import { imageByReference, type ResolvedImages, resolveImages } from "./images.ts";
import { INGRESS_IMAGE, portsNeeded } from "./ingress.ts";
import { ownershipLabels } from "./labels.ts";
import { createNetworks, type RunNetworks } from "./networks.ts";
import { type Owner, ownerState, readOwner } from "./owner.ts";
import { type RaisedWithStubs, raiseTwin, type TwinParts } from "./raise-twin.ts";
import { type Reaper, startReaper } from "./reaper.ts";
import { engineThings, removeRun } from "./remove-things.ts";
import type { RunContext, TwinContext } from "./run-context.ts";
import { addedSettings } from "./server-settings.ts";
import { addressBook } from "./subnets.ts";
import { sweep } from "./sweep.ts";

/** What the runtime is given instead of reaching for it. */
export interface RuntimeDependencies {
  readonly clock: Clock;
  /** Uniform in [0, 1): where the search for free ports and networks begins. Never affects results. */
  readonly random?: () => number;
  /** The process whose end is the end of the run: its containers are removed when it dies. */
  readonly ownerPid: number;
  /** Value of DOCKER_HOST, so that another engine is not silently taken when that one does not answer. */
  readonly dockerHost?: string;
  /** A service may take this long to become ready even if its own health check promises less; default 60 s. */
  readonly readyTimeoutMs?: number;
}

/** Two twins of several services start on the same few cores. */
const READY_TIMEOUT_MS = 60_000;

type RaiseOptions = Parameters<ContainerRuntime["raise"]>[0];

/** Twins on a real container engine, through testcontainers. */
export function dockerRuntime(dependencies: RuntimeDependencies): ContainerRuntime {
  return {
    raise: (options) =>
      raisePair(dependencies, options).catch((cause: unknown) => {
        throw firstFailure(cause);
      }),
  };
}

/** What went wrong first, not what then went wrong while everything was removed. */
function firstFailure(cause: unknown): unknown {
  return cause instanceof SuppressedError ? firstFailure(cause.suppressed) : cause;
}

/** When the engine is gone, the reaper tries again for a while after our end, and the next run sweeps. */
async function tearDown(engine: Engine, runId: string, reaper: Reaper): Promise<void> {
  try {
    await removeRun(engine, runId);
    reaper.dismiss();
  } catch (cause) {
    const failure = engineError(cause, "removing the twins");
    if (!isEngineGone(failure)) throw failure;
  }
}

async function raisePair(dependencies: RuntimeDependencies, options: RaiseOptions): Promise<TwinPair> {
  const { signal, runId } = options;
  const { clock, ownerPid, dockerHost } = dependencies;
  signal.throwIfAborted();
  const engine = await openEngine(dockerHost === undefined ? {} : { dockerHost });
  const startMs = clock.monotonicMs();
  const owner = await readOwner(ownerPid);
  const run = runContext(dependencies, options, { engine, owner });
  await using opened = new AsyncDisposableStack();
  const reaper = startReaper({ runId, owner, ...folderOf(options) });
  opened.defer(() => tearDown(engine, runId, reaper));
  const holding = opened.use(new AsyncDisposableStack());
  await sweepQuietly(run, options);
  const { images, twins, cores, networks, ports } = await raiseBoth(run, holding, options);
  const [control, shadow] = twins;
  requireEqual(await configurationOf(control.raised, signal), await configurationOf(shadow.raised, signal));
  if (options.folder !== undefined)
    await saveAttachment(options.folder, attachmentOf(options, { images, twins, cores, networks, ports }));
  const facts: TwinFacts = {
    isolation: options.isolation,
    cores,
    images: Object.fromEntries([...images.byService].map(([service, image]) => [service, image.baseImageId])),
    engine: engine.version,
    raiseMs: clock.monotonicMs() - startMs,
    prepared: images.prepared,
    ...settingsAdded(run, images),
  };
  const held = { control: heldTwin(control, holding), shadow: heldTwin(shadow, holding) };
  const first: Holding = { ...held, [Symbol.asyncDispose]: () => holding.disposeAsync() };
  return pairOf({ dependencies, options, facts, first, opened: opened.move() });
}

function folderOf({ folder }: Pick<RaiseOptions, "folder">): { readonly folder?: string } {
  return folder === undefined ? {} : { folder };
}

/** What cannot be removed is no reason not to run; `canary doctor` reports it. */
async function sweepQuietly({ engine, clock }: RunContext, { onProgress, signal }: RaiseOptions): Promise<void> {
  const sweeping = engine.change("removing what dead runs left", signal, (docker) =>
    sweep({ store: engineThings(docker), stateOf: ownerState, nowEpochMs: clock.epochMs() }),
  );
  await sweeping.catch((cause: unknown) => {
    if (signal.aborted) throw signal.reason;
    onProgress(`left as it is: ${messageOf(cause)}`);
  });
}

function runContext(
  dependencies: RuntimeDependencies,
  options: RaiseOptions,
  own: { engine: Engine; owner: Owner },
): RunContext {
  return {
    engine: own.engine,
    clock: dependencies.clock,
    random: dependencies.random ?? (() => randomInt(2 ** 32) / 2 ** 32),
    spec: options.spec,
    runId: options.runId,
    isolation: options.isolation,
    ownership: ownershipLabels({ runId: options.runId, owner: own.owner, ...folderOf(options) }),
    readyTimeoutMs: dependencies.readyTimeoutMs ?? READY_TIMEOUT_MS,
  };
}

interface RaisedBoth {
  readonly images: ResolvedImages;
  readonly cores: TwinFacts["cores"];
  readonly twins: readonly [RaisedWithStubs, RaisedWithStubs];
  readonly networks: RunNetworks;
  readonly ports: TwinParts["ports"];
}

/** Images and networks, then both twins in parallel. The first failure stops everything else before it is thrown. */
async function raiseBoth(run: RunContext, holding: AsyncDisposableStack, options: RaiseOptions): Promise<RaisedBoth> {
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const together = firstFailureOf(stop);
  const count = portsNeeded(run.spec);
  const links = options.proxied ?? [];
  const [images, ingressImage, proxyImage, networks, ports] = await Promise.all([
    together(resolveImages(run, options.onProgress, signal)),
    together(imageByReference(run, INGRESS_IMAGE, signal)),
    links.length === 0 ? undefined : together(imageByReference(run, PROXY_IMAGE, signal)),
    together(createNetworks(run, signal)),
    together(freeLoopbackPorts({ count: 2 * count, random: run.random })),
  ]);
  options.onProgress("starting both twins");
  const cores: TwinFacts["cores"] = options.cores === "shared" ? { kind: "shared" } : coreSets(run.engine.cpus);
  const parts: TwinParts = {
    images: images.byService,
    ingressImageId: ingressImage.imageId,
    ports: { control: ports.slice(0, count), shadow: ports.slice(count) },
    ...(networks.front === undefined ? {} : { front: networks.front }),
    ...(proxyImage === undefined ? {} : { proxied: { imageId: proxyImage.imageId, links } }),
  };
  const raise = async (role: Role): Promise<RaisedWithStubs> =>
    holding.use(await raiseTwin(twinContext(run, role, networks, cores), parts, signal));
  const twins = await Promise.all([together(raise("control")), together(raise("shadow"))]);
  return { images, cores, twins, networks, ports: parts.ports };
}

/** Wraps parallel work: when one fails, the others are aborted and awaited, and all report that first failure. */
function firstFailureOf(stop: AbortController): <T>(work: Promise<T>) => Promise<T> {
  const all: Promise<unknown>[] = [];
  let first: { readonly cause: unknown } | undefined;
  return async (work) => {
    all.push(work);
    try {
      return await work;
    } catch (cause) {
      first ??= { cause };
      stop.abort(first.cause);
      await Promise.allSettled(all);
      throw first.cause;
    }
  };
}

function twinContext(run: RunContext, role: Role, networks: RunNetworks, cores: TwinFacts["cores"]): TwinContext {
  const network = networks[role];
  return {
    ...run,
    engine: run.engine.scoped(),
    role,
    network: network.name,
    subnet: network.subnet,
    addresses: addressBook(network.subnet),
    addressOnFront: (front) => `${front.prefix}${2 + ROLES.indexOf(role)}`,
    ...(cores.kind === "pinned" ? { pinned: { cpuset: cores[role] } } : {}),
  };
}

/** What the servers of both twins were given beside what the mirror says. */
function settingsAdded({ spec }: RunContext, images: ResolvedImages): Pick<TwinFacts, "addedSettings"> {
  const added = spec.services.flatMap((service) => {
    const image = images.byService.get(service.name);
    const settings = image === undefined ? [] : addedSettings(spec, service, image);
    return settings.length === 0 ? [] : [[service.name, settings] as const];
  });
  return added.length === 0 ? {} : { addedSettings: Object.fromEntries(added) };
}
