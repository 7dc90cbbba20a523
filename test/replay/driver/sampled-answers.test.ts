import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../../src/core/limits.ts";
import { answerSampler } from "../../../src/replay/driver/answer-sampler.ts";
import { pairSlot } from "../../../src/replay/driver/pair-slot.ts";
import { startDriver } from "../../../src/replay/driver/start-driver.ts";
import type { SampledPair } from "../../../src/replay/sampled-pair.ts";
import type { Call } from "../../../src/replay/traffic/compile-call.ts";
import { requestRandom } from "../../../src/replay/traffic/request-random.ts";
import { FOREVER, httpTwins, scratchDir, type Watched, watch } from "./loopback-twins.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));

/** Drives until so many pairs were recorded; what was sampled until then and at the end. */
async function sampled(watched: Watched, pairs: number, sampledPerSecond = 20): Promise<readonly SampledPair[]> {
  const seen: SampledPair[] = [];
  const onSampled = (pair: SampledPair): void => void seen.push(pair);
  await using driver = await startDriver({ ...watched.options, sampledPerSecond, onSampled });
  await watched.until(() => watched.pairs.length >= pairs);
  await driver.finish(FOREVER);
  return seen;
}

const textOf = (body: Uint8Array | undefined): string => Buffer.from(body ?? []).toString();

const TRAFFIC = {
  ratePerSecond: 150,
  mix: [
    { route: "item", weight: 1, http: { path: "/item?n=${seq}" }, capture: { id: { json: "/id" } } },
    { route: "page", weight: 1, http: { path: "/page" } },
  ],
};

test("both answers to the same request arrive with status, headers and body as they were read", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, request, response) => {
    response.setHeader("x-role", role);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ url: request.url, role }));
  });
  const watched = watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch });
  const pairs = await sampled(watched, 150);
  expect(pairs.length).toBeGreaterThan(10);
  expect(new Set(pairs.map(({ route }) => route))).toEqual(new Set([0, 1]));
  for (const { sequence, atMs, answers } of pairs) {
    expect(watched.pairs.find((pair) => pair.sequence === sequence)?.intendedMs).toBe(atMs);
    const [control, shadow] = [answers.control, answers.shadow].map((one) => JSON.parse(textOf(one?.body)));
    expect(control.url).toBe(shadow.url);
    expect([control.role, shadow.role]).toEqual(["control", "shadow"]);
    expect(answers.shadow).toMatchObject({ status: 200, headers: { "x-role": "shadow" } });
  }
});

test("at most as many pairs of a route as asked for leave in a second, and none where nobody asks", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end("hello"));
  const few = await sampled(watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch }), 250, 2);
  const bySecond = Map.groupBy(few, ({ route, atMs }) => `${route} ${Math.floor(atMs / 1000)}`);
  expect(Math.max(...[...bySecond.values()].map((pairs) => pairs.length))).toBe(2);
  expect(await sampled(watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch }), 50, 0)).toEqual([]);
});

test("long bodies arrive by their beginning and their length, compressed ones as their readers see them", async () => {
  await using scratch = await scratchDir();
  const text = "0123456789".repeat(30_000);
  await using twins = await httpTwins((_role, request, response) => {
    if (request.url === "/page") response.setHeader("content-encoding", "gzip").end(gzipSync('{"a":1}'));
    else response.end(text);
  });
  const pairs = await sampled(watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch }), 100);
  const long = pairs.find(({ route }) => route === 0)?.answers.control;
  expect(long?.bodyBytes).toBe(text.length);
  expect(textOf(long?.body)).toBe(text.slice(0, LIMITS.sampledBodyBytesMax));
  const packed = pairs.find(({ route }) => route === 1)?.answers.shadow;
  expect([textOf(packed?.body), packed?.bodyBytes]).toEqual(['{"a":1}', 7]);
});

test("a twin that gives no answer leaves its side of the pair empty", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, request, response) => {
    if (role === "shadow") request.socket.destroy();
    else response.end("hello");
  });
  const pairs = await sampled(watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch }), 60);
  expect(pairs.length).toBeGreaterThan(5);
  expect(pairs.every(({ answers }) => answers.shadow === undefined && answers.control?.status === 200)).toBe(true);
});

test("a gRPC answer arrives as JSON, an error status with its words", async () => {
  await using scratch = await scratchDir();
  const definition = loadSync(`${FOLDER}inventory.proto`, { defaults: true })["test.inventory.Inventory"];
  const server = new grpc.Server();
  server.addService(definition as grpc.ServiceDefinition, {
    Reserve: (call: { readonly request: { readonly sku: string } }, done: grpc.sendUnaryData<{ id: string }>) => {
      if (call.request.sku === "gone") done({ code: grpc.status.NOT_FOUND, details: "no such thing" });
      else done(null, { id: "r-1" });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    const bound = (error: Error | null, at: number): void => (error === null ? resolve(at) : reject(error));
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), bound);
  });
  const target = { grpc: { host: "127.0.0.1", port } } as const;
  const call = { proto: "inventory.proto", service: "test.inventory.Inventory", method: "Reserve" };
  const traffic = {
    ratePerSecond: 100,
    values: { sku: ["gone", "there"] },
    mix: [{ route: "reserve", weight: 1, grpc: { ...call, message: { sku: "${pick:sku}" } } }],
  };
  const watched = watch({ traffic, targets: { control: target, shadow: target }, ...scratch, baseDir: FOLDER });
  const pairs = await sampled(watched, 60);
  server.forceShutdown();
  const answers = pairs.map(({ answers: { control } }) => `${control?.status} ${textOf(control?.body)}`);
  expect(new Set(answers)).toEqual(new Set(['1000 {"id":"r-1"}', "1005 no such thing"]));
});

describe("the sample", () => {
  const NOTHING = { captures: [], fixed: true, render: () => undefined };
  const call = { route: 0, timeoutMs: 1000, message: NOTHING, capture: [], gives: [] } as unknown as Call;

  function chosen(options: {
    readonly seed: number;
    readonly gapMs: number;
    readonly routes?: number;
    readonly seconds?: number;
  }): readonly number[] {
    const { seed, gapMs, routes = 1, seconds = 20 } = options;
    const sampler = answerSampler({ perSecond: 2, routes, random: requestRandom(seed), send: (_pair, gone) => gone() });
    const instants = Array.from({ length: (seconds * 1000) / gapMs }, (_, sequence) => sequence);
    return instants.filter((sequence) => sampler.takes({ route: 0, sequence, intendedMs: sequence * gapMs }));
  }

  test("is the same for the same seed, and another for another", () => {
    expect(chosen({ seed: 1, gapMs: 5 })).toEqual(chosen({ seed: 1, gapMs: 5 }));
    expect(chosen({ seed: 1, gapMs: 5 })).not.toEqual(chosen({ seed: 2, gapMs: 5 }));
  });

  test("has nearly two pairs a second where there are many, and all where there are few", () => {
    expect(chosen({ seed: 1, gapMs: 5 }).length).toBeGreaterThan(30);
    expect(chosen({ seed: 1, gapMs: 1000 })).toHaveLength(20);
  });

  test("meets every place of a burst that comes in the same order each time", () => {
    const places = new Set(chosen({ seed: 1, gapMs: 10, seconds: 100 }).map((sequence) => sequence % 10));
    expect(places.size).toBe(10);
  });

  test("is thinner where there are more routes than room", () => {
    const taken = chosen({ seed: 1, gapMs: 5, routes: 200, seconds: 100 }).length;
    expect(taken).toBeGreaterThan(10);
    expect(taken).toBeLessThanOrEqual(20);
  });

  test("stops while too much waits for a run that does not read, and goes on when it does", () => {
    const waiting: (() => void)[] = [];
    const send = (_pair: SampledPair, gone: () => void): void => void waiting.push(gone);
    const sampler = answerSampler({ perSecond: 2, routes: 1, random: requestRandom(1), send });
    const body = Buffer.alloc(LIMITS.sampledBodyBytesMax);
    let taken = 0;
    const second = (at: number): boolean => {
      const slot = pairSlot(at, at * 1000, call, true);
      slot.arms.control.answer = { status: 200, headers: {}, body, bodyBytes: body.length };
      const takes = sampler.takes({ route: 0, sequence: at, intendedMs: at * 1000 });
      if (takes) sampler.append(slot);
      return takes;
    };
    while (second(taken)) taken += 1;
    expect(taken).toBeGreaterThan(100);
    expect(taken).toBeLessThan(140);
    for (const gone of waiting.splice(0)) gone();
    expect(second(taken + 1)).toBe(true);
  });
});
