import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { coarseDifference, sameState } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import type { IngressHarm, Twin, TwinPair } from "../../src/mirror/twin.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "./fixtures/mini/mini-mirror.ts";

const runId = runIdOf("harm");
const forever = new AbortController().signal;
const echoPort = { service: "echo", port: 8080 };
let pair: TwinPair;

beforeAll(async () => {
  pair = await raiseMini({ spec: miniMirror(), runId });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

interface Seen {
  readonly medianMs: number;
  readonly failed: number;
}

/** Sends requests one after the other; what they took in the middle, and how many were not answered with 200. */
async function ask(
  twin: Twin,
  request: { readonly path?: string; readonly method?: string; readonly times?: number } = {},
): Promise<Seen> {
  const { times = 60 } = request;
  const { host, port } = twin.address(echoPort);
  const tookMs: number[] = [];
  let failed = 0;
  for (let sent = 0; sent < times; sent++) {
    const startMs = systemClock.monotonicMs();
    const response = await fetch(`http://${host}:${port}${request.path ?? "/"}`, { method: request.method ?? "GET" });
    await response.arrayBuffer();
    tookMs.push(systemClock.monotonicMs() - startMs);
    if (response.status === 503) failed++;
    else expect(response.status).toBe(200);
  }
  return { medianMs: tookMs.toSorted((a, b) => a - b)[times / 2] ?? Number.NaN, failed };
}

async function withHarm<T>(harm: IngressHarm, look: () => Promise<T>): Promise<T> {
  await pair.shadow.plantHarm(harm, forever);
  try {
    return await look();
  } finally {
    await pair.shadow.plantHarm(undefined, forever);
  }
}

test("a planted delay slows the shadow by what was asked for, and the control not at all", async () => {
  const before = await ask(pair.shadow);
  const [shadow, control] = await withHarm({ delayMs: 60 }, async () => [
    await ask(pair.shadow),
    await ask(pair.control),
  ]);
  expect(shadow.medianMs - before.medianMs).toBeGreaterThan(55);
  expect(shadow.medianMs - before.medianMs).toBeLessThan(75);
  expect(control.medianMs).toBeLessThan(55);
});

test("a delay in proportion follows what the service takes", async () => {
  const slow = await withHarm({ delayShare: 0.5 }, () => ask(pair.shadow, { path: "/slow", times: 4 }));
  expect(slow.medianMs).toBeGreaterThan(590);
  expect(slow.medianMs).toBeLessThan(680);
});

test("only the requests that were named are met", async () => {
  await withHarm({ delayMs: 60, requests: { method: "POST", pathPrefix: "/orders" } }, async () => {
    expect((await ask(pair.shadow, { path: "/orders/7", method: "POST" })).medianMs).toBeGreaterThan(55);
    expect((await ask(pair.shadow, { path: "/orders/7" })).medianMs).toBeLessThan(55);
    expect((await ask(pair.shadow, { path: "/other", method: "POST" })).medianMs).toBeLessThan(55);
  });
});

test("planted errors fail their share of requests and end with the harm; our own reading of metrics is spared", async () => {
  await withHarm({ errorShare: 0.5 }, async () => {
    const { failed } = await ask(pair.shadow);
    expect(failed).toBeGreaterThan(12);
    expect(failed).toBeLessThan(48);
    for (let reading = 0; reading < 10; reading++) {
      expect(await pair.shadow.scrape({ ...echoPort, path: "/metrics" }, forever)).toHaveLength(1);
    }
  });
  expect((await ask(pair.shadow)).failed).toBe(0);
});

test("what is left in the stores is named by the comparison of states, and leaves nothing when it is taken out", async () => {
  const { plantRogues, fingerprint } = stateAccess(systemClock);
  const stores = pair.spec.state;
  const before = await fingerprint(pair.shadow, stores, { signal: forever });
  const tables = Object.keys(before.tables);
  const rogues = await plantRogues({ twin: pair.shadow, stores, tables, signal: forever });
  expect(rogues.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
    "row db/db/mini/rows/item",
    "key redis/cache/canary-rogue-key",
  ]);
  const planted = await fingerprint(pair.shadow, stores, { signal: forever });
  expect(coarseDifference(before, planted).map(({ path }) => path)).toEqual(rogues.map(({ path }) => path));
  for (const rogue of rogues) await rogue.remove();
  expect(sameState(before, await fingerprint(pair.shadow, stores, { signal: forever }))).toBe(true);
});
