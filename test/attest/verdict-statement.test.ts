import { expect, test } from "vitest";
import { canonicalJson } from "../../src/attest/canonical-json.ts";
import { verdictStatement } from "../../src/attest/verdict-statement.ts";
import type { PowerForecast } from "../../src/judge/power-forecast.ts";
import { VERDICT_INPUT } from "./verdict-builder.ts";

test("canonical JSON is that of RFC 8785", () => {
  const value: unknown = JSON.parse(
    '{"numbers":[333333333.33333329,1E30,4.50,2e-3,1e-27],"string":"€$\\u000F\\nA\'B\\"\\\\\\\\\\"/","literals":[null,true,false]}',
  );
  expect(canonicalJson(value)).toBe(
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  );
  expect(Object.keys(JSON.parse(canonicalJson({ "\uFB33": 1, "\u{1F600}": 2 })))).toEqual(["\u{1F600}", "\uFB33"]);
});

test("what JSON cannot hold is never signed", () => {
  expect(() => canonicalJson(undefined)).toThrow();
  expect(() => canonicalJson({ bound: Number.POSITIVE_INFINITY })).toThrow();
});

test("the signed bytes of a verdict never change between releases", async () => {
  await expect(canonicalJson(verdictStatement(VERDICT_INPUT))).toMatchFileSnapshot("golden/verdict-promote.v1.json");
});

test("how long the plan was in force, and the whole report, are signed where they are known", () => {
  const known = {
    design: { kind: "switchback", rounds: 9 },
    longestInForceSeconds: 12,
    reportSha256: "ab".repeat(32),
  } as const;
  expect(verdictStatement({ ...VERDICT_INPUT, ...known }).predicate).toMatchObject(known);
});

test("who wrote what under load is signed, and so is that it could not be told", () => {
  const table = { table: "db/db/shop/rows/flags", rows: 1, inserted: 0, updated: 1, deleted: 0, truncated: 0 };
  const action = { actionId: "set-flag", phase: "act", times: 1, role: "a role", rows: 1, tables: [table] } as const;
  const outside = [{ table: "db/db/shop/rows/audit", rows: 7, examples: ["db/db/shop/rows/audit/1"] }];
  const writes = {
    kind: "told",
    actions: [{ ...action, outside }],
    application: { rows: 8735, tables: [{ ...table, rows: 8735, updated: 8735 }] },
    doubts: [],
  } as const;
  expect(verdictStatement({ ...VERDICT_INPUT, writes: { ...writes, unreturned: [] } }).predicate.writes).toEqual({
    ...writes,
    actions: [{ ...action, outside: { total: 7, paths: ["db/db/shop/rows/audit", "db/db/shop/rows/audit/1"] } }],
  });
  const unavailable = { kind: "unavailable", why: "the server keeps no logical log" } as const;
  expect(verdictStatement({ ...VERDICT_INPUT, writes: unavailable }).predicate.writes).toEqual(unavailable);
});

test("what the run could have shown is signed, and infinite margins are null", () => {
  const forecast: PowerForecast = {
    name: "checkout-latency",
    from: "baseline",
    accepted: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
    unit: "",
    margin: Number.POSITIVE_INFINITY,
    smallest: 0.062,
    baselineSeconds: 100,
    observeSeconds: null,
    allowed: { baselineSeconds: 600, observeSeconds: 300 },
    possible: false,
    advice: "a margin of 14% would do",
  };
  const { name, from, smallest, baselineSeconds, observeSeconds, possible, advice } = forecast;
  expect(verdictStatement({ ...VERDICT_INPUT, power: [forecast] }).predicate.power).toEqual([
    { name, from, margin: null, smallest, baselineSeconds, observeSeconds, possible, advice },
  ]);
});

test("how far a planted harm reached beyond its limit is signed, and what could not be planted", () => {
  const harm = { what: "errors", kind: "errors", planted: "1.3% of requests failing", margin: "at most +1pp" } as const;
  const left = [{ what: "jobs-done", why: "no harm to counter can be planted in front of the service" }];
  const sensitivity = { harms: [{ ...harm, excess: 0.003, caught: true, seconds: 12 }], left };
  const { predicate } = verdictStatement({ ...VERDICT_INPUT, sensitivity });
  expect(predicate.sensitivity).toMatchObject([{ what: "errors", excess: 0.003, caught: true }]);
  expect(predicate.notPlanted).toEqual(left);
});

test("settings that the harness added to the servers are signed", () => {
  const addedSettings = { db: ["wal_level=logical"] };
  const mirror = { ...VERDICT_INPUT.mirror, facts: { ...VERDICT_INPUT.mirror.facts, addedSettings } };
  expect(verdictStatement({ ...VERDICT_INPUT, mirror }).predicate.mirror.addedSettings).toEqual(addedSettings);
});

test("bounds without information are null", () => {
  const [slo] = VERDICT_INPUT.slos;
  const { estimate: _, ...blind } = { ...slo };
  const statement = verdictStatement({
    ...VERDICT_INPUT,
    slos: [
      {
        ...(slo === undefined ? expect.fail() : { ...slo, ...blind }),
        interval: { level: 0.99, lo: Number.NEGATIVE_INFINITY, hi: Number.POSITIVE_INFINITY },
        minimalDetectable: Number.POSITIVE_INFINITY,
      },
    ],
  });
  expect(statement.predicate.slos[0]).toMatchObject({
    accepted: { lo: null, hi: 0.1 },
    interval: { lo: null, hi: null },
    noise: { minimalDetectable: null },
  });
});

test("effects are declared, undeclared or absent, and long lists are counted", () => {
  const difference = (path: string) => ({ path, kind: "changed" as const });
  const many = Array.from({ length: 300 }, (_, index) => difference(`redis/cache/${index}`));
  const statement = verdictStatement({
    ...VERDICT_INPUT,
    quiet: {
      actions: [
        {
          id: "a",
          effects: [difference("service/api/image"), ...many],
          undeclared: many,
          absent: ["service/api/cpus"],
          noOp: false,
        },
      ],
      residue: [difference("redis/cache/1")],
    },
    rollback: { kind: "not-run", why: "an action failed" },
  });
  expect(statement.predicate.effects.declared).toEqual({ total: 1, paths: ["service/api/image"] });
  expect(statement.predicate.effects.undeclared.total).toBe(300);
  expect(statement.predicate.effects.undeclared.paths).toHaveLength(200);
  expect(statement.predicate.effects.absent.paths).toEqual(["service/api/cpus"]);
  expect(statement.predicate.rollback).toEqual({
    quiet: { restored: false, residue: { total: 1, paths: ["redis/cache/1"] } },
    underLoad: { kind: "not-run", why: "an action failed" },
  });
});

test("a text that is longer than readers accept is cut, and the verdict still signed", () => {
  const message = "x".repeat(10_000);
  const statement = verdictStatement({
    ...VERDICT_INPUT,
    verdict: { kind: "hold", reasons: [{ code: "NO_DATA", message }] },
  });
  expect(statement.predicate.reasons[0]?.message).toHaveLength(4000);
});

test("policy may let a verdict expire sooner", () => {
  const statement = verdictStatement({ ...VERDICT_INPUT, validForMs: 3_600_000 });
  expect(statement.predicate.expiresAt).toBe("2026-11-23T11:15:30.000Z");
});

test("gross harm and spent budgets are signed, without their place in the recording", () => {
  const alarm = {
    kind: "errors",
    level: "outage",
    scope: "all routes",
    fromMs: 61_000,
    toMs: 67_000,
    afterSeconds: 6.4,
    control: 1,
    shadow: 300,
    requests: 720,
    excess: 0.41,
    bar: 0.1,
    slo: "errors",
  } as const;
  const during = [{ kind: "errors", allowed: 120, by: "default", stallMs: 2000, spent: 310 }] as const;
  const { predicate } = verdictStatement({ ...VERDICT_INPUT, alarm, during });
  const { fromMs: _from, toMs: _to, ...signed } = alarm;
  expect(predicate.alarm).toEqual(signed);
  expect(predicate.during).toEqual(during);
});

test("the policy that admitted the plan is signed, and the verdict expires when that policy says", () => {
  const policyInUse = { name: "default", engine: "cedar", sha256: "cd".repeat(32) } as const;
  const { predicate } = verdictStatement({ ...VERDICT_INPUT, policyInUse, validForMs: 3_600_000 });
  expect(predicate.policy).toEqual(policyInUse);
  expect(Date.parse(predicate.expiresAt) - Date.parse(predicate.notBefore)).toBe(3_600_000);
});
