// How long two twins take against one plain copy of the same stack, measured in turns in one run.
// Usage: npm run bench:twins -- [rounds] [compose file]
import { loadavg } from "node:os";
import { argv, pid, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { loadMirror } from "../../src/mirror/compose/load-mirror.ts";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import type { TwinPair } from "../../src/mirror/twin.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import { openEngine } from "../../src/mirror/twins/engine.ts";
import { LABEL } from "../../src/mirror/twins/labels.ts";
import { type PlainService, plainServices, startPlainCopy } from "./plain-copy.ts";

const rounds = Number(argv[2] ?? 5);
const spec = await loadMirror({ path: argv[3] ?? "mirrors/shop/compose.yaml", environment: {} });
const engine = await openEngine();
const runtime = dockerRuntime({ clock: systemClock, ownerPid: pid });

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const startMs = systemClock.monotonicMs();
  const value = await work();
  return { ms: systemClock.monotonicMs() - startMs, value };
}

function raise(runId: string, mirror: MirrorSpec = spec): Promise<TwinPair> {
  const signal = new AbortController().signal;
  return runtime.raise({ spec: mirror, runId, isolation: "strict", onProgress: () => undefined, signal });
}

async function servicesOf(runId: string): Promise<readonly PlainService[]> {
  const label = [`${LABEL.run}=${runId}`, `${LABEL.role}=control`, LABEL.service];
  const containers = await engine.docker.listContainers({ all: true, filters: { label } });
  return plainServices(spec, await Promise.all(containers.map(({ Id }) => engine.docker.getContainer(Id).inspect())));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
/** The same stack before anything was prepared: the database's own image, which makes and seeds its folder at start. */
function unprepared(services: readonly PlainService[]): readonly PlainService[] {
  return services.map((service) => {
    if (service.spec.image.kind !== "image") return service;
    return {
      ...service,
      image: service.spec.image.reference,
      environment: Object.entries(service.spec.environment).map(([name, value]) => `${name}=${value}`),
      mounts: service.mounts.filter(({ target }) => !target.startsWith("/var/lib/canary/")),
    };
  });
}

/** First start of all: a mirror of another name, whose database was never prepared; images stay as they are. */
async function firstStart(services: readonly PlainService[]): Promise<void> {
  const unseen = spec.services.map((service) => ({
    ...service,
    environment: { ...service.environment, BENCH: String(pid) },
  }));
  const fresh = { ...spec, name: `${spec.name}-bench-${pid}`, services: unseen };
  const first = await timed(() => raise(`bench-${pid}-first`, fresh));
  await first.value[Symbol.asyncDispose]();
  const plain = await timed(() => startPlainCopy(engine, unprepared(services), `bench-${pid}-first-plain`));
  await plain.value.remove();
  for (const { name } of fresh.services) {
    const filters = { label: [`${LABEL.preparedFor}=${fresh.name}/${name}`] };
    for (const { Id } of await engine.docker.listImages({ filters })) await engine.docker.getImage(Id).remove();
  }
  stdout.write(
    `first start, nothing prepared: two twins ${first.ms.toFixed(0)} ms, one plain copy ${plain.ms.toFixed(0)} ms, ` +
      `ratio ${(first.ms / plain.ms).toFixed(2)}\n`,
  );
}

let services: readonly PlainService[] = [];
const pairMs: number[] = [];
const plainMs: number[] = [];
const teardownMs: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const runId = `bench-${pid}-${round}`;
  const pair = await timed(() => raise(runId));
  services = await servicesOf(runId);
  const teardown = await timed(async () => await pair.value[Symbol.asyncDispose]());
  const plain = await timed(() => startPlainCopy(engine, services, `${runId}-plain`));
  await plain.value.remove();
  // The first round prepares images and fills caches.
  if (round === 0) continue;
  pairMs.push(pair.ms);
  plainMs.push(plain.ms);
  teardownMs.push(teardown.ms);
  stdout.write(
    `round ${round}: pair ${pair.ms.toFixed(0)} ms, plain copy ${plain.ms.toFixed(0)} ms, teardown ${teardown.ms.toFixed(0)} ms\n`,
  );
}
await firstStart(services);
stdout.write(
  `${spec.name}, ${spec.services.length} services, median of ${rounds}: two twins ${median(pairMs).toFixed(0)} ms, ` +
    `one plain copy ${median(plainMs).toFixed(0)} ms, ratio ${(median(pairMs) / median(plainMs)).toFixed(2)}, ` +
    `teardown of both ${median(teardownMs).toFixed(0)} ms; load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}\n`,
);
