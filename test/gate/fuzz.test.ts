import { expect, test } from "vitest";
import { fuzzGate } from "./fuzz-gate.ts";
import { gateWorld } from "./gate-world.ts";

test("of requests with something changed in them none is admitted, none fails inside", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  const report = await fuzzGate(world, gate, { seed: 20_261_130, count: 1500 });
  expect(report.offences).toEqual([]);
  expect(Object.keys(report.byStatus).length).toBeGreaterThan(4);
});
