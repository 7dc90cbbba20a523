import { expect, test } from "vitest";
import { fuzzGate } from "./fuzz-gate.ts";

test("of requests with something changed in them none is admitted, none fails inside", async () => {
  const report = await fuzzGate({ seed: 20_261_130, count: 5000 });
  expect(report.offences).toEqual([]);
  expect(Object.keys(report.byStatus).length).toBeGreaterThan(6);
});
