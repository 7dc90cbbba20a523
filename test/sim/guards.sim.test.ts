import { describe, expect, test } from "vitest";
import type { Phase } from "../../src/report/run-event.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import type { Fault } from "../support/simulated-faults.ts";
import { INVARIANT_QUERY } from "../support/simulated-job.ts";
import { type SimulatedRun, simulateRun } from "../support/simulated-run.ts";
import { HARMS, reactionOf } from "../support/trigger-harms.ts";
import { endOf, expectSoundRun } from "./sound-run.ts";

const ORDERS = { sql: { service: "db", query: INVARIANT_QUERY } };
const NOBODY_HOME = { sql: { service: "db", query: "SELECT nobody_knows_this" } };
/** The invariants of the scenario ask the same question; here it is the guards that are to find it out. */
const ALONE = { invariants: [] };
/** From a breach to the start of the rollback; an action in progress may need longer to let go. */
const ROLLBACK_WITHIN_MS = 2000;

async function guarded(
  scenario: object,
  faults: readonly Fault[] = [],
  options: { readonly seed?: number; readonly judge?: object } = {},
): Promise<SimulatedRun> {
  const { seed = 4, ...more } = options;
  const run = await simulateRun({ seed, plan: "scale-two", faults, scenario: { ...ALONE, ...scenario }, ...more });
  expectSoundRun(run, JSON.stringify({ scenario, faults, seed }));
  return run;
}

function reportOf({ end }: SimulatedRun): RunReport {
  if (end.kind === "error") throw end.error;
  return end.report;
}

function reasonsOf(run: SimulatedRun): readonly string[] {
  return reportOf(run).verdict.reasons.map(({ code, subject }) => `${code} ${subject ?? ""}`.trim());
}

function phases(run: SimulatedRun): readonly Phase[] {
  return run.events.flatMap((event) => (event.kind === "phase" ? [event.phase] : []));
}

describe("a breach", () => {
  test.each(HARMS)("$what: stops the plan, starts the rollback within 2 s and rejects", async (one) => {
    const run = await guarded({ triggers: [{ name: "watchdog", ...one.trigger }] }, [one.fault]);
    expect(endOf(run)).toBe("reject");
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED watchdog");
    expect(reactionOf(reportOf(run)).rollbackMs).toBeLessThan(ROLLBACK_WITHIN_MS);
    expect(reportOf(run)).toMatchObject({ stoppedBy: "watchdog", rollback: { kind: "run", residue: [] } });
    expect(run.events.filter((event) => event.kind === "breach")).toHaveLength(1);
  });
  test.each(HARMS)("$what: is none where the plan does no harm", async ({ trigger }) => {
    const run = await guarded({ triggers: [{ name: "watchdog", ...trigger }] });
    expect(run.events.filter((event) => event.kind === "breach")).toEqual([]);
    const watchdog = reportOf(run).triggers?.find(({ name }) => name === "watchdog");
    expect(watchdog?.state).toBe("quiet");
    expect(watchdog?.checks).toBeGreaterThan(0);
  });
  test("that is there before the first action lets nothing begin under load", async () => {
    const run = await guarded({ triggers: [{ name: "not-now", probe: ORDERS, mode: "start" }] }, [
      { kind: "invariant-breaks" },
    ]);
    expect(endOf(run)).toBe("reject");
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED not-now");
    expect(phases(run)).not.toContain("replay");
    expect(reportOf(run).rollback.kind).toBe("not-run");
  });
  test.each(["end", "edge", "continuous"])("is found by a probe of mode %s", async (mode) => {
    const run = await guarded({ triggers: [{ name: "orders", probe: ORDERS, mode }] }, [
      { kind: "plan-breaks-invariant" },
    ]);
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED orders");
  });
  test("stops the rounds of a switchback too", async () => {
    const design = { kind: "switchback", rounds: 8, secondsOn: 10, secondsOff: 10, settleSeconds: 2 };
    const run = await guarded(
      { triggers: [{ name: "watchdog", metric: { kind: "errors" }, overSeconds: 4, above: "10%" }] },
      [{ kind: "plan-breaks", share: 0.3 }],
      { judge: { design } },
    );
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED watchdog");
    expect(phases(run).filter((phase) => phase === "replay")).toHaveLength(1);
  });
});

describe("what cannot be evaluated", () => {
  test("is breached after as many misses as the trigger allows", async () => {
    const run = await guarded({ triggers: [{ name: "lost", probe: NOBODY_HOME, misses: 3 }] });
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED lost");
    expect(reportOf(run).triggers?.find(({ name }) => name === "lost")).toMatchObject({ state: "breached", misses: 3 });
  });
  test("is breached where a metric has no readings", async () => {
    const metric = { kind: "gauge", service: "api", metric: "no_such_gauge" };
    const run = await guarded({ triggers: [{ name: "lost", metric, above: 1 }] });
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED lost");
  });
  test("is an error and no breach where it is the engine that is gone", async () => {
    const run = await guarded({ triggers: [{ name: "orders", probe: ORDERS }] }, [
      { kind: "engine-dies", when: { kind: "phase", phase: "observe", afterMs: 1000 } },
    ]);
    expect(endOf(run)).toBe("MIRROR_UNAVAILABLE");
  });
  test("a safeguard without an answer is broken by the first one", async () => {
    const run = await guarded({ safeguards: [{ name: "lost", mode: "hold", probe: NOBODY_HOME }] });
    expect(reasonsOf(run)).toContain("SAFEGUARD_BROKEN lost");
  });
});

describe("bounds on actions", () => {
  test("an action that outlives its own time box trips the breaker that every run has", async () => {
    const run = await guarded({}, [{ kind: "act-hangs", proof: "load" }]);
    expect(reasonsOf(run)).toEqual(
      expect.arrayContaining(["ACTION_FAILED more-workers", "TRIGGER_BREACHED action-time-out"]),
    );
  });
  test("an action longer than the operator's bound is stopped in the middle and undone", async () => {
    const run = await guarded({ triggers: [{ name: "brisk", actions: { secondsMax: 4 } }] }, [
      { kind: "act-hangs", proof: "load" },
    ]);
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED brisk");
    expect(reasonsOf(run)).not.toContain("ACTION_FAILED more-workers");
  });
  test("one action too many in a minute waits for its turn", async () => {
    const paced = await guarded({ triggers: [{ name: "pace", actions: { perMinute: 1 } }] });
    const [first, second] = reportOf(paced).actions.filter(({ proof, phase }) => proof === "load" && phase === "act");
    expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThanOrEqual(60_000);
  });
  test("or stops the plan, where the operator says so, before it begins", async () => {
    const run = await guarded({ triggers: [{ name: "pace", actions: { perMinute: 1, exceeding: "refuse" } }] });
    expect(reasonsOf(run)).toContain("TRIGGER_BREACHED pace");
    const acted = reportOf(run).actions.filter(({ proof, phase }) => proof === "load" && phase === "act");
    expect(acted.map(({ id }) => id)).toEqual(["more-workers"]);
  });
});

describe("safeguards", () => {
  const named = (more: object): object => ({ safeguards: [{ name: "orders", probe: ORDERS, ...more }] });
  const breaks: readonly Fault[] = [{ kind: "plan-breaks-invariant" }];
  test.each(["assert", "hold"])("that break in mode %s reject, and the observation is finished", async (mode) => {
    const run = await guarded(named({ mode }), breaks);
    expect(endOf(run)).toBe("reject");
    expect(reasonsOf(run)).toContain("SAFEGUARD_BROKEN orders");
    expect(phases(run)).toContain("observe");
    expect(reportOf(run)).not.toHaveProperty("stoppedBy");
  });
  test("that are catastrophic end the plan at once", async () => {
    const run = await guarded(named({ mode: "hold", severity: "catastrophic" }), breaks);
    expect(reasonsOf(run)).toContain("SAFEGUARD_BROKEN orders");
    expect(reportOf(run).stoppedBy).toBe("orders");
    expect(phases(run)).not.toContain("observe");
    expect(reactionOf(reportOf(run)).rollbackMs).toBeLessThan(ROLLBACK_WITHIN_MS);
  });
  test("that must become true do not, within their time", async () => {
    const run = await guarded(named({ mode: "converge", withinSeconds: 5 }), breaks);
    expect(reasonsOf(run)).toContain("SAFEGUARD_BROKEN orders");
  });
  test.each(["assert", "hold", "converge"])("hold in mode %s where the plan does no harm", async (mode) => {
    const run = await guarded(named({ mode }));
    expect(endOf(run)).toBe("promote");
    expect(reportOf(run).safeguards).toMatchObject([{ state: "held", mode }]);
  });
  test("an objective is missed where the plan does not reach it, whatever else it keeps", async () => {
    const replicas = { up: { service: "worker", replicasMin: 4 } };
    const missed = await guarded({ safeguards: [{ name: "four-workers", role: "objective", probe: replicas }] });
    expect(reasonsOf(missed)).toEqual(["OBJECTIVE_NOT_MET four-workers"]);
    const three = { up: { service: "worker", replicasMin: 3 } };
    const met = await guarded({
      safeguards: [
        { name: "three", role: "objective", mode: "hold", probe: three },
        { name: "three-soon", role: "objective", mode: "converge", withinSeconds: 10, probe: three },
      ],
    });
    expect(endOf(met)).toBe("promote");
  });
});

const GUARDS = {
  triggers: [
    { name: "errors", metric: { kind: "errors" }, overSeconds: 4, againstControl: { to: "+8pp" } },
    { name: "burn", burn: { objective: 0.98 } },
    { name: "workers-up", probe: { up: { service: "worker" } }, mode: "continuous" },
    { name: "pace", actions: { perMinute: 30, secondsMax: 15 } },
  ],
  safeguards: [{ name: "orders", mode: "hold", severity: "catastrophic", probe: ORDERS }],
};

test("in worlds in which the plan breaks things, a guarded run is never promoted and what was begun is undone", async () => {
  const harms: readonly Fault[] = [
    { kind: "plan-breaks", share: 0.25 },
    { kind: "plan-stalls" },
    { kind: "plan-breaks-invariant" },
    { kind: "act-hangs", proof: "load" },
  ];
  for (let seed = 0; seed < 24; seed++) {
    const fault = harms[seed % harms.length] ?? { kind: "plan-stalls" };
    const run = await simulateRun({ seed, plan: "scale-two", faults: [fault], scenario: { ...ALONE, ...GUARDS } });
    const label = `seed ${seed} (${JSON.stringify(fault)})`;
    expectSoundRun(run, label);
    expect(run.tornDown.shadowRestored, label).toBe(true);
    // A baseline that is too loud holds before the plan acts: then there was nothing to guard.
    if (!phases(run).includes("replay")) continue;
    expect(endOf(run), label).toBe("reject");
    expect(reportOf(run).stoppedBy ?? reportOf(run).alarm, label).toBeDefined();
  }
}, 120_000);

test("in fifteen harmless worlds no guard trips", async () => {
  for (let seed = 200; seed < 215; seed++) {
    const run = await simulateRun({ seed, plan: "scale-two", scenario: { ...ALONE, ...GUARDS } });
    expect(
      run.events.filter(({ kind }) => kind === "breach"),
      `seed ${seed}`,
    ).toEqual([]);
  }
}, 120_000);
