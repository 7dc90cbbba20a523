import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { pid } from "node:process";
import { expect, onTestFinished, test, vi } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { takingSnapshots } from "../../src/mirror/snapshots/take-snapshot.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import { DRILL_FILES, openDrillStore } from "../../src/run/drill/drill-store.ts";
import { runDrill } from "../../src/run/drill/run-drill.ts";
import type { RunJob } from "../../src/run/run-job.ts";
import { ASKING } from "../support/shipped-policy.ts";
import { simulatedJob } from "../support/simulated-job.ts";
import { leftOf, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { cache, db, echo, miniMirror } from "./fixtures/mini/mini-mirror.ts";

/** Two actions: a row that is renamed, and a service that is replaced, which the next harness must know how to do as well. */
const PLAN = [
  {
    id: "rename",
    step: {
      uses: "sql",
      with: { service: "db", transaction: true, statements: ["UPDATE item SET name = 'new' WHERE id = 7"] },
    },
    rollback: {
      uses: "sql",
      with: { service: "db", transaction: true, statements: ["UPDATE item SET name = 'item 7' WHERE id = 7"] },
    },
    requires: ["postgres:update@public.item"],
    changes: ["db/db/mini/rows/item/7/name"],
  },
  {
    id: "greet",
    step: { uses: "update", with: { service: "echo", environment: { GREETING: "hi" } } },
    rollback: { uses: "update", with: { service: "echo", environment: { GREETING: null } } },
    changes: ["service/echo/env/GREETING"],
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
  const job = simulatedJob({ seed: 1, plan: "change-settings", faults: [] });
  const [action] = job.plan.actions;
  if (action === undefined) throw new Error("the simulated plan has an action");
  const actions = PLAN.map((one) => ({ ...action, ...one }) as never);
  const link = { from: "echo", to: "cache" };
  return {
    ...job,
    runId,
    plan: { ...job.plan, actions },
    spec: miniMirror({ services: [CALLER, db, cache], metrics: [] }),
    scenario: {
      ...job.scenario,
      mayChange: ["db/db/mini/rows/item/**", "service/echo/env/**"],
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
  const folder = mkdtempSync(path.join(tmpdir(), "canary-drill-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  await using store = await openDrillStore({ folder, planText: "{}", scenarioText: "{}", sign: () => "{}" });
  const report = await runDrill(
    miniJob(runId),
    {
      clock: systemClock,
      runtime: dockerRuntime({ clock: systemClock, ownerPid: pid, readyTimeoutMs: 30_000 }),
      state: stateAccess(systemClock),
      snapshots: takingSnapshots(systemClock),
      store,
      observe: () => undefined,
      parseSql: ASKING.parse,
      policy: ASKING.policy,
      harnessVersion: "0.0.0-test",
    },
    new AbortController().signal,
  );
  const bad = report.cells.filter(({ result }) => result !== "clean");
  expect(bad.map(({ column, prefix, reason, notes }) => ({ column, prefix, reason, notes }))).toEqual([]);
  expect(report.cells).toHaveLength(1 + 1 + 6 * 2 + 4 * 3);
  expect(JSON.parse(readFileSync(path.join(folder, DRILL_FILES.json), "utf8"))).toEqual(report);
  const died = report.cells.find(({ column, prefix }) => column === "harness-dies" && prefix === 2);
  expect(died?.wayBack).toEqual({ why: "resumed", how: "undos" });
  expect(died?.notes).toEqual(
    expect.arrayContaining([
      "after the second death the log named 2 of 2 actions to undo",
      "the third harness undid greet, rename and found the state as before",
    ]),
  );
  const said = report.cells.flatMap(({ fault }) => (fault === undefined ? [] : [fault.landed.said]));
  expect(said).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^first byte after 1[5-9]\d ms, \d+ ms without it$/),
      "a connection was reset",
      expect.stringContaining("1 paused"),
      "its control group allows 0.1 cpu",
    ]),
  );
  const [tried] = report.cells.filter(({ column }) => column === "dry-run");
  expect(tried?.notes.filter((note) => note.includes("passed and nothing was changed by it"))).toHaveLength(2);
  expect(report.links.find(({ name }) => name === "echo>cache:6379")?.connections).toBeGreaterThan(0);
  expect(await leftOf(runId)).toEqual([]);
});
