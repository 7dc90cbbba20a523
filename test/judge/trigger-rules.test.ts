import { describe, expect, test } from "vitest";
import { lookAtBurn, lookAtMetric, type Traffic, triggerRule } from "../../src/judge/watch/trigger-rules.ts";
import { type BurnTrigger, type MetricTrigger, TriggerSchema } from "../../src/judge/watch/trigger-spec.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { traffic } from "../support/judged-traffic.ts";

const ROUTES = ["browse"];
const GAUGE = { kind: "gauge", service: "api", metric: "queue" } as const;

function metric(more: object): MetricTrigger {
  return TriggerSchema.parse({
    name: "watchdog",
    metric: { kind: "errors" },
    overSeconds: 10,
    ...more,
  }) as MetricTrigger;
}

function burn(more: object = {}): BurnTrigger {
  return TriggerSchema.parse({ name: "budget", burn: { objective: 0.99, ...more } }) as BurnTrigger;
}

/** Half a minute of alike twins at 50 requests a second, in which a share of the shadow's fails from an instant on. */
function seen(options: Partial<Traffic> = {}): Traffic {
  const store = options.store ?? createBlockStore({ routes: ROUTES });
  if (options.store === undefined) store.addPairs(traffic({ seed: 1, ratePerSecond: 50, fromMs: 0, toMs: 30_000 }));
  return { store, overdue: [], nowMs: 30_000, flowingFromMs: 0, ...options };
}

describe("a threshold", () => {
  test("is quiet below and breached above its bound, and says the number", () => {
    const latency = { metric: { kind: "latency", quantile: 0.5 } };
    expect(lookAtMetric(metric({ ...latency, above: 10_000 }), seen())).toMatchObject({ kind: "quiet" });
    const look = lookAtMetric(metric({ ...latency, above: 0.001 }), seen());
    expect(look.kind).toBe("breached");
    expect(look.message).toMatch(/latency p50 was .* ms over 10 s on the shadow, above 0\.001 ms/);
  });
  test("counts what waits for an answer as having waited until now", () => {
    const overdue = Array.from({ length: 10 }, (_, second) => {
      return { route: 0, intendedFromMs: 19_000 + second * 1000, control: 0, shadow: 50, both: 0 };
    });
    const slow = metric({ metric: { kind: "latency", quantile: 0.9 }, above: 900 });
    expect(lookAtMetric(slow, seen({ overdue })).kind).toBe("breached");
    expect(lookAtMetric(slow, seen()).kind).toBe("quiet");
  });
  test("that nobody's requests reach is unknown, and early only while its window fills", () => {
    const store = createBlockStore({ routes: ROUTES });
    const trigger = metric({ above: "5%" });
    expect(lookAtMetric(trigger, seen({ store })).kind).toBe("unknown");
    expect(lookAtMetric(trigger, seen({ store, flowingFromMs: 25_000 })).kind).toBe("early");
  });
  test("of a gauge goes by its readings, and is unknown without them", () => {
    const store = createBlockStore({ routes: ROUTES });
    const key = JSON.stringify([
      ["kind", "gauge"],
      ["labels", []],
      ["metric", "queue"],
      ["service", "api"],
    ]);
    const trigger = metric({ metric: GAUGE, above: 4 });
    expect(lookAtMetric(trigger, seen({ store })).kind).toBe("unknown");
    for (let atMs = 21_000; atMs < 30_000; atMs += 1000) store.addMetric({ atMs, role: "shadow", key, value: 5 });
    expect(lookAtMetric(trigger, seen({ store })).kind).toBe("breached");
    // The control has no reading: against it nothing can be said.
    expect(lookAtMetric(metric({ metric: GAUGE, againstControl: { to: "+10%" } }), seen({ store })).kind).toBe(
      "unknown",
    );
  });
  test("against the control is quiet while both are alike, whatever their level", () => {
    const trigger = metric({ metric: { kind: "latency", quantile: 0.5 }, againstControl: { to: "+20%" } });
    expect(lookAtMetric(trigger, seen()).kind).toBe("quiet");
  });
});

describe("an error budget", () => {
  test("is unknown without requests, early while its windows fill, and quiet without errors", () => {
    const store = createBlockStore({ routes: ROUTES });
    expect(lookAtBurn(burn(), seen({ store })).kind).toBe("unknown");
    expect(lookAtBurn(burn(), seen({ store, flowingFromMs: 29_000 })).kind).toBe("early");
    expect(lookAtBurn(burn(), seen()).kind).toBe("quiet");
  });
});

test.each([
  [{ name: "x", metric: { kind: "errors" } }, "a threshold without a bound"],
  [{ name: "x", actions: {} }, "a bound on actions without one"],
  [{ name: "x", burn: { objective: 0.99, windows: [{ shortSeconds: 9, longSeconds: 9, rate: 1 }] } }, "equal windows"],
  [{ name: "x", probe: { exec: ["rm"] } }, "an unknown probe"],
  [{ name: "x", probe: { up: { service: "api" } }, mode: "always" }, "an unknown mode"],
  [{ name: "x", metric: { kind: "errors" }, above: "5 percent" }, "words for a number"],
  [
    { name: "x", metric: { kind: "errors" }, againstControl: { to: "+0.2" } },
    "a difference of errors without its unit",
  ],
  [{ name: "x", metric: GAUGE, againstControl: { to: "+5pp" } }, "percentage points of a gauge"],
])("%j is refused: %s", (trigger, _what) => {
  expect(TriggerSchema.safeParse(trigger).success).toBe(false);
});

test.each([{ to: "+5pp" }, { to: "+50%" }, { to: 0 }])(
  "errors may be held against the control's by %j",
  (againstControl) => {
    expect(metric({ againstControl }).againstControl).toBeDefined();
  },
);

test("a rule reads as it is meant", () => {
  expect(triggerRule(metric({ above: "5%", againstControl: { to: "+1pp" } }))).toBe(
    "the share of errors over 10 s above 5% or not +1pp or less against the control",
  );
  expect(triggerRule(burn())).toBe("error budget of 99% burning 14.4x over 5 and 30 s");
});
