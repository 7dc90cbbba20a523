import { expect, test } from "vitest";
import { killGates } from "./kill-gates.ts";

test("a gate that is killed under load loses no admission that it acknowledged, and makes none twice", async () => {
  const report = await killGates({ rounds: 2, seed: 20_261_130 });
  expect(report.offences).toEqual([]);
  expect(report.acknowledged).toBeGreaterThan(2);
});
