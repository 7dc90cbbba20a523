import { expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { brokenInvariants } from "../../src/run/invariants.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { simulatedTwin } from "../support/simulated-twin.ts";

const INVARIANTS = [{ name: "sound", sql: { service: "db", query: "SELECT sound" } }];
const asked = { when: "at the end", signal: new AbortController().signal };

test("an invariant that the database refuses to answer is broken", async () => {
  const twin = simulatedTwin("shadow", shopWorld());
  expect(await brokenInvariants(twin, INVARIANTS, asked)).toMatchObject([{ code: "INVARIANT_BROKEN" }]);
});

test("an invariant is asked of a server that lets it write nothing", async () => {
  const queries: string[] = [];
  const sql = async (_: unknown, text: string) => {
    queries.push(text);
    return [{ sound: true }];
  };
  const twin = { ...simulatedTwin("shadow", shopWorld()), sql };
  expect(await brokenInvariants(twin, INVARIANTS, asked)).toEqual([]);
  expect(queries).toEqual([expect.stringMatching(/transaction_read_only', 'on', true\);\nSELECT sound\n$/)]);
});

test("an engine that is gone breaks no invariant: that is an error and says nothing of the plan", async () => {
  const gone = new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "gone", hint: "Start it." });
  const interrupt = (): void => {
    throw gone;
  };
  await expect(brokenInvariants(simulatedTwin("shadow", shopWorld(), { interrupt }), INVARIANTS, asked)).rejects.toBe(
    gone,
  );
});
