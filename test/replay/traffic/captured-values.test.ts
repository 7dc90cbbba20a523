import { expect, test } from "vitest";
import { capturePool, planCaptures } from "../../../src/replay/traffic/captured-values.ts";
import { TrafficSpecSchema } from "../../../src/replay/traffic-spec.ts";

const VALUE = new Map([["order", 1]]);
const NONE = new Map<string, number>();

function draws(pool: ReturnType<typeof capturePool>): readonly number[] {
  return Array.from({ length: 5000 }, (_, index) => pool.pick(index / 5000)?.sequence ?? -1);
}

test("a pool offers each of its latest 1,024 requests and forgets older ones", () => {
  const pool = capturePool();
  for (let sequence = 0; sequence < 3000; sequence++) pool.add({ sequence, control: VALUE, shadow: VALUE });
  const offered = new Set(draws(pool));
  expect(offered.size).toBe(1024);
  expect(Math.min(...offered)).toBe(3000 - 1024);
});

test("a request that gave nothing on either twin is not offered, and one that gave something on one twin is", () => {
  const pool = capturePool();
  pool.add({ sequence: 1, control: NONE, shadow: NONE });
  expect(pool.pick(0.5)).toBeUndefined();
  pool.add({ sequence: 2, control: VALUE, shadow: NONE });
  expect(new Set(draws(pool))).toEqual(new Set([2]));
});

test("names that the same routes capture share a pool, others have one of their own", () => {
  const route = (name: string, captured: readonly string[]) => ({
    route: name,
    weight: 1,
    http: { path: "/" },
    capture: Object.fromEntries(captured.map((key) => [key, { json: `/${key}` }])),
  });
  const mix = [route("buy", ["order", "token"]), route("renew", ["token"]), route("look", [])];
  const plan = planCaptures(TrafficSpecSchema.parse({ ratePerSecond: 1, mix }).mix);
  expect(plan.poolCount).toBe(2);
  const [order = -1, token = -1] = ["order", "token"].map((name) => plan.poolOfName.get(name));
  expect(plan.poolsOfRoute).toEqual([[order, token], [token], []]);
});
