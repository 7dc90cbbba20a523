import fc from "fast-check";
import { expect, test } from "vitest";
import type { RecordedRequest } from "../../../src/replay/recordings/recorded-request.ts";
import { planTraffic, startTraffic } from "../../../src/replay/traffic/traffic-plan.ts";
import { trafficRoutes } from "../../../src/replay/traffic/traffic-routes.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

function traffic(overrides: object = {}): ReturnType<typeof TrafficSpecSchema.parse> {
  return TrafficSpecSchema.parse({
    ratePerSecond: 100,
    mix: [
      { route: "browse", weight: 6, http: { path: "/browse" } },
      { route: "search", weight: 3, http: { path: "/search?q=${int:1:9}" } },
      { route: "buy", weight: 1, http: { method: "POST", path: "/buy", body: { n: "${seq}" } } },
    ],
    ...overrides,
  });
}

function recorded(count: number): readonly RecordedRequest[] {
  return Array.from({ length: count }, (_, index) => ({
    offsetMs: index * 10,
    method: "GET",
    path: `/r/${index}`,
    headers: [],
    body: undefined,
    route: index % 2 === 0 ? "even" : "other",
  }));
}

const RECORDING = { file: "a.har", format: "har", weight: 10, routes: [{ match: "/r/*", route: "even" }] };

function list(spec: ReturnType<typeof traffic>, seed: number, count: number, from: readonly RecordedRequest[] = []) {
  const cursor = startTraffic(planTraffic(spec, from), seed);
  return Array.from({ length: count }, () => {
    const item = { sequence: cursor.sequence, atMs: cursor.atMs, route: cursor.call.route };
    cursor.advance();
    return item;
  });
}

test("the same seed gives the same list and another seed another one", () => {
  fc.assert(
    fc.property(fc.nat(), (seed) => {
      expect(list(traffic(), seed, 200)).toEqual(list(traffic(), seed, 200));
      expect(list(traffic(), seed, 200)).not.toEqual(list(traffic(), seed + 1, 200));
    }),
    { numRuns: 30 },
  );
});

test("routes are drawn by their weights", () => {
  const routes = list(traffic(), 5, 20_000).map((item) => item.route);
  const share = (route: number): number => routes.filter((drawn) => drawn === route).length / routes.length;
  expect(share(0)).toBeCloseTo(0.6, 1.5);
  expect(share(1)).toBeCloseTo(0.3, 1.5);
  expect(share(2)).toBeCloseTo(0.1, 1.5);
});

test("requests are numbered from nought without gaps and their instants ascend", () => {
  const items = list(traffic({ recording: { ...RECORDING, pace: "recorded" } }), 9, 3000, recorded(40));
  expect(items.map((item) => item.sequence)).toEqual(items.map((_, index) => index));
  for (const [index, item] of items.entries()) expect(item.atMs).toBeGreaterThanOrEqual(items[index - 1]?.atMs ?? 0);
});

test("a recording takes its share of the mix, wraps around, and names its routes after the mix's", () => {
  const spec = traffic({ recording: RECORDING });
  expect(trafficRoutes(spec)).toEqual(["browse", "search", "buy", "even", "other"]);
  const items = list(spec, 3, 8000, recorded(7));
  const fromRecording = items.filter((item) => item.route >= 3);
  expect(fromRecording.length / items.length).toBeCloseTo(0.5, 1.5);
  expect(fromRecording.slice(0, 8).map((item) => item.route)).toEqual([3, 4, 3, 4, 3, 4, 3, 3]);
});

test("a recording at its own pace beside a mix leaves both at their share of the rate", () => {
  const items = list(traffic({ recording: { ...RECORDING, pace: "recorded" } }), 3, 10_000, recorded(50));
  const seconds = (items.at(-1)?.atMs ?? 0) / 1000;
  expect(items.length / seconds).toBeCloseTo(100, -1);
  expect(items.filter((item) => item.route >= 3).length / seconds).toBeCloseTo(50, -0.7);
});

test("a recorded route with the name of a route of the mix is one route", () => {
  const recording = { ...RECORDING, routes: [{ match: "/**", route: "browse" }] };
  expect(trafficRoutes(traffic({ recording }))).toEqual(["browse", "search", "buy", "other"]);
});

test("everything that cannot be sent is listed at once with its place", () => {
  const spec = traffic({
    mix: [
      { route: "a", weight: 1, http: { path: "/a b", headers: { "x y": "1" } } },
      { route: "b", weight: 1, http: { path: "/${nowhere}" } },
      { route: "c", weight: 1, http: { path: "/", headers: { "x-name": "${pick:names}" } } },
      { route: "d", weight: 1, http: { path: "/", headers: { "Content-Length": "7" } } },
    ],
    values: { names: ["two\nlines"] },
  });
  expect(() => planTraffic(spec, [])).toThrowError(
    expect.objectContaining({
      code: "SCENARIO_INVALID",
      hint: expect.stringMatching(
        /mix\.0\.http\.path.*\n.*mix\.0\.http\.headers.*\n.*mix\.1\.http\.path.*\n.*mix\.2.*\n.*mix\.3.*set by the connection/,
      ),
    }),
  );
});

test("a recording without a usable request is refused", () => {
  expect(() => planTraffic(traffic({ recording: RECORDING }), [])).toThrowError(
    expect.objectContaining({ code: "SCENARIO_INVALID" }),
  );
});
