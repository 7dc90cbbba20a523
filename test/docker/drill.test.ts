import { pid } from "node:process";
import { expect, test, vi } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import type { Intent } from "../../src/core/intent-log.ts";
import { takingSnapshots } from "../../src/mirror/snapshots/take-snapshot.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import type { DrillReport } from "../../src/report/drill/drill-report.ts";
import { runDrill } from "../../src/run/drill/run-drill.ts";
import type { RunJob } from "../../src/run/run-job.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { leftOf, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { cache, db, echo, miniMirror } from "./fixtures/mini/mini-mirror.ts";

/** Two actions: one whose undo forgets a row when a fault let it act only half, and none that does. */
const PLAN = [
  {
    id: "rename",
    step: { uses: "sql", with: { service: "db", statements: ["UPDATE item SET name = 'new' WHERE id = 7"] } },
    rollback: { uses: "sql", with: { service: "db", statements: ["UPDATE item SET name = 'item 7' WHERE id = 7"] } },
  },
];

/** A caller that asks its cache once when it starts, so that a connection takes the way that is cut. */
const CALLER = {
  ...echo,
  command: [
    "node",
    "-e",
    `const ask = () => require("node:net").connect(6379, "cache").on("error", () => undefined).on("close", () => setTimeout(ask, 100));
     ask(); require("node:http").createServer((request, response) => response.end("well")).listen(8080);`,
  ],
  dependsOn: [{ service: "cache", condition: "service_started", required: true }],
} as const;

function miniJob(runId: string): RunJob {
  const job = simulatedJob({ seed: 1, plan: "scale-one", faults: [] });
  const [action] = job.plan.actions;
  if (action === undefined) throw new Error("the simulated plan has an action");
  const actions = PLAN.map((one) => ({ ...action, ...one, changes: ["db/db/mini/rows/item/7/name"] }) as never);
  const link = { from: "echo", to: "cache" };
  return {
    ...job,
    runId,
    plan: { ...job.plan, actions },
    spec: miniMirror({ services: [CALLER, db, cache], stubs: [], metrics: [] }),
    scenario: {
      ...job.scenario,
      mayChange: ["db/db/mini/rows/item/**"],
      drill: {
        faults: [
          { kind: "slow", ...link, latencyMs: 150, jitterMs: 0 },
          { kind: "failing", ...link },
          { kind: "pause", service: "db" },
          { kind: "cpu", service: "echo", cpus: 0.1 },
        ],
        health: [{ name: "echo", http: { service: "echo", port: 8080, path: "/", expectStatus: 200 } }],
        holdSeconds: 0.5,
        recoverSeconds: 10,
      },
    },
  };
}

test("faults land, are lifted and leave a real mirror as it was, whoever dies meanwhile", async () => {
  vi.stubEnv("TESTCONTAINERS_RYUK_DISABLED", "true");
  const runId = runIdOf("drill");
  const intents: Intent[] = [];
  const published: DrillReport[] = [];
  const report = await runDrill(
    miniJob(runId),
    {
      clock: systemClock,
      runtime: dockerRuntime({ clock: systemClock, ownerPid: pid, readyTimeoutMs: 30_000 }),
      state: stateAccess(systemClock),
      snapshots: takingSnapshots(systemClock),
      store: {
        intent: { record: async (intent) => void intents.push(intent), read: async () => intents },
        publish: async (one) => {
          published.push(one);
          return "/nowhere";
        },
        [Symbol.asyncDispose]: async () => undefined,
      },
      observe: () => undefined,
      parseSql: ASKING.parse,
      policy: ASKING.policy,
      harnessVersion: "0.0.0-test",
    },
    new AbortController().signal,
  );
  const bad = report.cells.filter(({ result }) => result !== "clean");
  expect(bad.map(({ column, prefix, reason, notes }) => ({ column, prefix, reason, notes }))).toEqual([]);
  expect(report.cells).toHaveLength(1 + 6 + 4 * 2);
  expect(published).toEqual([report]);
  const said = report.cells.flatMap(({ fault }) => (fault === undefined ? [] : [fault.landed.said]));
  expect(said).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^first byte after 1[5-9]\d ms, \d+ ms without it$/),
      "a connection was reset",
      expect.stringContaining("1 paused"),
      "its control group allows 0.1 cpu",
    ]),
  );
  expect(report.links.find(({ name }) => name === "echo>cache:6379")?.connections).toBeGreaterThan(0);
  expect(await leftOf(runId)).toEqual([]);
});
