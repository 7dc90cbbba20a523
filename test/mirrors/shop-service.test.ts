import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Registry } from "prom-client";
import { expect, test } from "vitest";
import { apiListener } from "../../mirrors/shop/src/api/api-listener.ts";
import { apiMetrics } from "../../mirrors/shop/src/api/api-metrics.ts";
import { HttpFailure } from "../../mirrors/shop/src/api/http-failure.ts";
import type { Reply, Route } from "../../mirrors/shop/src/api/route.ts";
import { settingsReader } from "../../mirrors/shop/src/api/shop-settings.ts";
import type { Database } from "../../mirrors/shop/src/service/database.ts";
import { DependencyFailure } from "../../mirrors/shop/src/service/dependency.ts";
import { countFrom, textFrom } from "../../mirrors/shop/src/service/environment.ts";

const databaseOf = (rows: () => Promise<readonly object[]>): Database => ({
  rows: async <Row extends object>() => (await rows()) as readonly Row[],
  occupancy: () => ({ open: 0, waiting: 0 }),
  close: async () => undefined,
});

/** Serves one route on loopback, asks it once and answers what a client and a scrape see. */
async function ask(
  path: string,
  handle: () => Promise<Reply>,
): Promise<{ status: number; text: string; metrics: string }> {
  const registry = new Registry();
  const metrics = apiMetrics(
    registry,
    databaseOf(async () => []),
  );
  const routes: readonly Route[] = [{ method: "GET", path: "/orders/:id", handle }];
  const log = { info: () => undefined, warn: () => undefined };
  const server = createServer(apiListener({ routes, metrics, registry, log, check: async () => undefined }));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => void server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const response = await fetch(`${origin}${path}`);
  const text = await response.text();
  const scrape = await fetch(`${origin}/metrics`);
  return { status: response.status, text, metrics: await scrape.text() };
}

test.each([
  ["a refusal keeps its status", new HttpFailure(409, "out_of_stock", "not enough"), 409, "out_of_stock"],
  ["a dependency that is away is 503", new DependencyFailure("database", new Error("x")), 503, "database_unavailable"],
  ["a bug is 500 and tells nothing", new Error("secret detail"), 500, "internal"],
])("%s", async (_sentence, failure, status, code) => {
  const answer = await ask("/orders/12", () => Promise.reject(failure));
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toMatchObject({ error: { code } });
  expect(answer.text).not.toContain("secret detail");
});

test("requests are counted by route, never by what the client wrote, and scrapes are not counted", async () => {
  const { metrics } = await ask("/orders/12", async () => ({ status: 200, body: {} }));
  expect(metrics).toContain('http_request_duration_seconds_count{method="GET",route="/orders/:id",status="200"} 1');
  expect(metrics).not.toContain('route="/metrics"');
  expect((await ask("/x/y", async () => ({ status: 200, body: {} }))).metrics).toContain(
    'route="unknown",status="404"',
  );
});

test("settings are read again after two seconds, and a failed read is not remembered", async () => {
  const answers = [Promise.reject(new Error("restarting")), Promise.resolve("1"), Promise.resolve("2")];
  let reads = 0;
  let nowMs = 0;
  const database = databaseOf(async () => [{ name: "shipping_cents", value: await answers[reads++] }]);
  const settings = settingsReader(database, () => nowMs);
  await expect(settings()).rejects.toThrow("restarting");
  expect((await settings()).shippingCents).toBe(1);
  nowMs = 2_000;
  expect((await settings()).shippingCents).toBe(1);
  nowMs = 2_001;
  expect((await settings()).shippingCents).toBe(2);
});

test("a service that is configured wrongly says which variable and why", () => {
  const bounds = { min: 1, max: 90 };
  expect(countFrom({ DB_POOL_MAX: "90" }, "DB_POOL_MAX", bounds)).toBe(90);
  expect(() => countFrom({ DB_POOL_MAX: "91" }, "DB_POOL_MAX", bounds)).toThrow(
    'DB_POOL_MAX is "91", not a whole number',
  );
  expect(() => textFrom({ REDIS_URL: "" }, "REDIS_URL")).toThrow("REDIS_URL is not set");
});
