import { expect, test } from "vitest";
import type { Role } from "../../../src/mirror/twin.ts";
import { startDriver } from "../../../src/replay/driver/start-driver.ts";
import { readPairs } from "../../../src/replay/recordings/read-pairs.ts";
import { FOREVER, httpTwins, rowsOf, type SeenPair, scratchDir, watch } from "./loopback-twins.ts";

const MIX = [
  { route: "home", weight: 3, http: { path: "/home?n=${seq}", headers: { "x-color": "${pick:color}" } } },
  { route: "buy", weight: 1, http: { method: "POST", path: "/buy", body: { n: "${seq}", q: "${int:1:1000}" } } },
];
const TRAFFIC = { ratePerSecond: 200, values: { color: ["red", "blue"] }, mix: MIX };

test("both twins receive the same requests, and every one is recorded once, delivered and on disk", async () => {
  await using scratch = await scratchDir();
  const received: Record<Role, string[]> = { control: [], shadow: [] };
  await using twins = await httpTwins((role, request, response, body) => {
    const { "x-color": color, host, "content-type": type } = request.headers;
    received[role].push([request.method, request.url, color, host, type, body].join(" "));
    response.end("hello");
  });
  const watched = watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 150);
  const report = await driver.finish(FOREVER);

  expect(received.shadow.toSorted()).toEqual(received.control.toSorted());
  expect(received.control).toHaveLength(watched.pairs.length);
  expect(new Set(received.control.map((line) => line.split(" ")[0]))).toEqual(new Set(["GET", "POST"]));
  const sequences = watched.pairs.map((pair) => pair.sequence).toSorted((a, b) => a - b);
  expect(sequences).toEqual(sequences.map((_, index) => index));
  expect(report).toMatchObject({ sent: 2 * sequences.length, completed: 2 * sequences.length, dropped: 0 });

  const stored: SeenPair[] = [];
  for await (const batch of readPairs(scratch.dir)) stored.push(...rowsOf(batch));
  expect(stored).toEqual(watched.pairs);
});

test("latency counts from the intended instant and service time from the actual one", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const watched = watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 50);
  await driver.finish(FOREVER);
  for (const { arms } of watched.pairs) {
    for (const arm of [arms.control, arms.shadow]) {
      expect(arm.sendLagMs).toBeGreaterThanOrEqual(0);
      expect(arm.serviceMs).toBeGreaterThan(0);
      expect(arm.latencyMs).toBeCloseTo(arm.sendLagMs + arm.serviceMs, 2);
    }
  }
});

test("server errors are errors, client errors are answers, and each keeps its status", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, request, response) => {
    response.statusCode = request.url?.startsWith("/home") ? (role === "shadow" ? 503 : 404) : 200;
    response.end();
  });
  const watched = watch({ traffic: TRAFFIC, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.filter((pair) => pair.route === 0).length >= 10);
  await driver.finish(FOREVER);
  for (const { arms } of watched.pairs.filter((pair) => pair.route === 0)) {
    expect(arms.control).toMatchObject({ outcome: "ok", status: 404 });
    expect(arms.shadow).toMatchObject({ outcome: "http-error", status: 503 });
  }
});

test("a twin that does not answer, resets or is not there gives outcomes with the time-out as latency, and the other is unharmed", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, request, response) => {
    if (role === "control") response.end();
    else if (request.url === "/reset") request.socket.destroy();
    else if (request.url === "/half") response.writeHead(200, { "content-length": "10" }).write("half");
  });
  const mix = ["silent", "reset", "half"].map((route) => ({
    route,
    weight: 1,
    timeoutMs: 1500,
    http: { path: `/${route}` },
  }));
  const watched = watch({ traffic: { ratePerSecond: 60, mix }, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() =>
    [0, 1, 2].every((route) => watched.pairs.filter((pair) => pair.route === route).length >= 5),
  );
  await driver.finish(FOREVER);
  const expected = ["timeout", "connection-error", "timeout"];
  for (const { route, arms } of watched.pairs) {
    expect(arms.control.outcome).toBe("ok");
    expect(arms.shadow).toMatchObject({ outcome: expected[route], status: 0, serviceMs: 1500 });
    expect(arms.shadow.latencyMs).toBeGreaterThanOrEqual(1500);
  }
});

test("a twin that refuses connections gives connection errors", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((_role, _request, response) => void response.end());
  const targets = { control: twins.targets.control, shadow: { http: { host: "127.0.0.1", port: 1 } as const } };
  const watched = watch({ traffic: TRAFFIC, targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 20);
  await driver.finish(FOREVER);
  expect(watched.pairs.every(({ arms }) => arms.shadow.outcome === "connection-error")).toBe(true);
  expect(watched.pairs.every(({ arms }) => arms.control.outcome === "ok")).toBe(true);
});

test("captured values stay with their twin, and only the twin that never gave one is blocked", async () => {
  await using scratch = await scratchDir();
  const asked: Record<Role, string[]> = { control: [], shadow: [] };
  await using twins = await httpTwins((role, request, response) => {
    if (request.url !== "/buy") asked[role].push(request.url ?? "");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.url === "/buy" ? { order: { id: `${role}-1` } } : { lost: true }));
  });
  const mix = [
    { route: "buy", weight: 1, http: { method: "POST", path: "/buy" }, capture: { order: { json: "/order/id" } } },
    { route: "status", weight: 3, http: { path: "/orders/${order}" } },
    { route: "lost", weight: 1, http: { path: "/lost" }, capture: { missing: { header: "x-missing" } } },
    { route: "never", weight: 1, http: { path: "/never/${missing}" } },
  ];
  const watched = watch({ traffic: { ratePerSecond: 200, mix }, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 150);
  await driver.finish(FOREVER);
  const path = (role: Role) => asked[role].filter((url) => url.startsWith("/orders/"));
  expect(new Set(path("control"))).toEqual(new Set(["/orders/control-1"]));
  expect(new Set(path("shadow"))).toEqual(new Set(["/orders/shadow-1"]));
  for (const { arms } of watched.pairs.filter((pair) => pair.route === 3)) {
    expect(arms.control).toMatchObject({ outcome: "blocked", status: 0, serviceMs: 5000 });
    expect(arms.shadow).toMatchObject({ outcome: "blocked", status: 0 });
  }
});

test("a shadow that stops giving values is blocked while the control goes on", async () => {
  await using scratch = await scratchDir();
  await using twins = await httpTwins((role, request, response) => {
    response.end(JSON.stringify(request.url === "/buy" && role === "control" ? { id: 5 } : {}));
  });
  const mix = [
    { route: "buy", weight: 1, http: { method: "POST", path: "/buy" }, capture: { order: { json: "/id" } } },
    { route: "status", weight: 1, http: { path: "/orders/${order}" } },
  ];
  const watched = watch({ traffic: { ratePerSecond: 200, mix }, targets: twins.targets, ...scratch });
  await using driver = await startDriver(watched.options);
  await watched.until(
    () => watched.pairs.filter((pair) => pair.arms.control.outcome === "ok" && pair.route === 1).length >= 20,
  );
  await driver.finish(FOREVER);
  const answered = watched.pairs.filter((pair) => pair.route === 1 && pair.arms.control.outcome === "ok");
  expect(answered.every((pair) => pair.arms.shadow.outcome === "blocked")).toBe(true);
});
