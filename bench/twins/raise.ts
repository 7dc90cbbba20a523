// How long two twins take against one plain copy of the same stack, measured in turns in one run.
// Usage: node bench/twins/raise.ts [rounds] [compose file]
import { loadavg } from "node:os";
import { argv, pid, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { loadMirror } from "../../src/mirror/compose/load-mirror.ts";
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

function raise(runId: string): Promise<TwinPair> {
  const signal = new AbortController().signal;
  return runtime.raise({ spec, runId, isolation: "strict", onProgress: () => undefined, signal });
}

async function servicesOf(runId: string): Promise<readonly PlainService[]> {
  const label = [`${LABEL.run}=${runId}`, `${LABEL.role}=control`, LABEL.service];
  const containers = await engine.docker.listContainers({ all: true, filters: { label } });
  return plainServices(spec, await Promise.all(containers.map(({ Id }) => engine.docker.getContainer(Id).inspect())));
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
const pairMs: number[] = [];
const plainMs: number[] = [];
const teardownMs: number[] = [];
for (let round = 0; round <= rounds; round++) {
  const runId = `bench-${pid}-${round}`;
  const pair = await timed(() => raise(runId));
  const services = await servicesOf(runId);
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
stdout.write(
  `${spec.name}, ${spec.services.length} services, median of ${rounds}: two twins ${median(pairMs).toFixed(0)} ms, ` +
    `one plain copy ${median(plainMs).toFixed(0)} ms, ratio ${(median(pairMs) / median(plainMs)).toFixed(2)}, ` +
    `teardown of both ${median(teardownMs).toFixed(0)} ms; load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}\n`,
);
