import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { judgeResponses, type ResponseJudgement } from "../../src/judge/response-changes.ts";
import { responseReasons } from "../../src/judge/response-reasons.ts";
import { comparePairs } from "../../src/measure/compare-pairs.ts";
import { type ResponseLog, responseLog } from "../../src/measure/response-log.ts";
import type { TwinPair } from "../../src/mirror/twin.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import type { Window } from "../../src/replay/recording.ts";
import { TrafficSpecSchema } from "../../src/replay/traffic-spec.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "./fixtures/mini/mini-mirror.ts";

// `echo` answers with an id, which is another one each time (noise), and with GREETING, which a plan changes.

const runId = runIdOf("responses");
const forever = new AbortController().signal;
const ROUTES = ["hello", "plain"];
const traffic = TrafficSpecSchema.parse({
  ratePerSecond: 60,
  mix: [
    { route: "hello", weight: 3, http: { path: "/json" } },
    { route: "plain", weight: 1, http: { path: "/" } },
  ],
});
let pair: TwinPair;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "canary-responses-"));
  pair = await raiseMini({ spec: miniMirror(), runId });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

interface Rehearsed {
  readonly log: ResponseLog;
  readonly windows: Readonly<Record<"before" | "inForce" | "after", readonly Window[]>>;
}

/** Traffic to both twins while GREETING is another one on the shadow, and before and after it is. */
async function rehearse(): Promise<Rehearsed> {
  const log = responseLog();
  const compare = comparePairs(log);
  await using driver = await startDriver({
    traffic,
    baseDir: dir,
    targets: {
      control: { http: pair.control.address({ service: "echo", port: 8080 }) },
      shadow: { http: pair.shadow.address({ service: "echo", port: 8080 }) },
    },
    seed: 1,
    recordingDir: dir,
    sampledPerSecond: 20,
    onSampled: (sampled) => void compare(sampled),
    onPairs: () => undefined,
    onPulse: () => undefined,
    signal: forever,
  });
  const measured = async (): Promise<Window> => {
    const fromMs = systemClock.monotonicMs() - driver.startMonotonicMs;
    await systemClock.sleep(1500, forever);
    return { fromMs, toMs: systemClock.monotonicMs() - driver.startMonotonicMs };
  };
  const before = await measured();
  await pair.shadow.update("echo", { environment: { GREETING: "guten Tag" } }, forever);
  const inForce = await measured();
  await pair.shadow.update("echo", { environment: { GREETING: null } }, forever);
  const after = await measured();
  await driver.finish(forever);
  return { log, windows: { before: [before], inForce: [inForce], after: [after] } };
}

const statesOf = ({ routes }: ResponseJudgement) =>
  routes.map(({ route, fields }) => [
    route,
    // A second may begin between two answers.
    ...fields.filter(({ path }) => path !== "header/date").map(({ path, state }) => `${path} ${state}`),
  ]);

test("a changed environment variable that changes a member of the answers is found unless it is declared", async () => {
  const { log, windows } = await rehearse();
  const judged = (declared: readonly string[]) =>
    judgeResponses(log, ROUTES, windows, { alpha: 0.01, declared, allowed: ["response/**"] });
  const undeclared = judged(["service/echo/env/GREETING"]);
  expect(statesOf(undeclared)).toEqual([
    ["hello", "body/greeting changed", "body/id noise"],
    ["plain", "body changed"],
  ]);
  expect(responseReasons(undeclared, [])).toMatchObject([
    { code: "RESPONSE_CHANGED", subject: "hello" },
    { code: "RESPONSE_CHANGED", subject: "plain" },
  ]);
  expect(undeclared.routes[0]?.fields[0]?.example).toEqual({ control: "good day", shadow: "guten Tag" });

  const declared = ["service/echo/env/GREETING", "response/hello/body/greeting", "response/*/body"];
  expect(statesOf(judged(declared))).toEqual([
    ["hello", "body/greeting declared", "body/id noise"],
    ["plain", "body declared"],
  ]);
  expect(responseReasons(judged(declared), declared)).toEqual([]);
});
