import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import type { TwinPair } from "../../src/mirror/twin.ts";
import { type ActionStep, ActionStepSchema } from "../../src/plan/action.ts";
import { readUndo } from "../../src/replay/actions/derive-undo.ts";
import { executeStep } from "../../src/replay/actions/execute-step.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { cache, db, echo, miniMirror } from "./fixtures/mini/mini-mirror.ts";

const runId = runIdOf("kinds");
const forever = new AbortController().signal;
const VOLUME_FILE = "/data/settings.json";
let pair: TwinPair;

beforeAll(async () => {
  const withData = {
    ...echo,
    replicas: 2,
    mounts: [{ kind: "volume" as const, volume: "echo-data", target: "/data", readOnly: false }],
  };
  const closed = { ...cache, readOnlyRoot: true };
  pair = await raiseMini({ spec: miniMirror({ services: [withData, db, closed] }), runId });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

const context = {
  clock: systemClock,
  signal: forever,
  timeoutMs: 30_000,
  baseDir: "/",
  actionId: "act-1",
};
const step = (uses: ActionStep["uses"], arguments_: Record<string, unknown>): ActionStep =>
  ActionStepSchema.parse({ uses, with: arguments_ });

/** Does the step, then what was read as its undo before. */
async function doAndUndo(given: ActionStep, between: () => Promise<void>): Promise<void> {
  const undo = await readUndo(given, pair.shadow, context);
  expect(undo).toMatchObject({ kind: "undo" });
  expect(await executeStep(given, pair.shadow, context)).toMatchObject({ landed: true });
  await between();
  if (undo.kind === "undo") expect(await executeStep(undo.step, pair.shadow, context)).toMatchObject({ landed: true });
}

async function inside(argv: readonly string[]): Promise<string> {
  return (await pair.shadow.exec("echo", argv, forever)).stdout.trim();
}

describe("files of a service", () => {
  test("in a volume are made, changed and taken away, and come back with their owner", async () => {
    const file = (how: object): ActionStep => step("file", { service: "echo", path: VOLUME_FILE, ...how });
    await doAndUndo(file({ replace: '{"max":10}' }), async () => {
      await inside(["chown", "1000:1000", VOLUME_FILE]);
      await inside(["chmod", "640", VOLUME_FILE]);
      await doAndUndo(file({ mergePatch: { max: 20 } }), async () => {
        expect(JSON.parse(await inside(["cat", VOLUME_FILE]))).toEqual({ max: 20 });
      });
      expect(await inside(["cat", VOLUME_FILE])).toBe('{"max":10}');
      await doAndUndo(file({ remove: true }), async () => {
        expect(await pair.shadow.readFile("echo", VOLUME_FILE, forever)).toBeUndefined();
      });
      expect(await inside(["stat", "-c", "%a %u:%g", VOLUME_FILE])).toBe("640 1000:1000");
    });
    expect(await inside(["ls", "/data"])).toBe("");
    expect(await pair.control.readFile("echo", VOLUME_FILE, forever)).toBeUndefined();
  });

  test("of the image are changed in every replica, and a replica that differs is noticed", async () => {
    await pair.shadow.writeFile("echo", "/etc/motd", Buffer.from("from the plan"), forever);
    expect((await pair.shadow.readFile("echo", "/etc/motd", forever))?.toString()).toBe("from the plan");
    await inside(["sh", "-c", "echo other > /etc/motd"]);
    await expect(pair.shadow.readFile("echo", "/etc/motd", forever)).rejects.toThrow(/hold different contents/);
  });

  test.each([
    ["of a read-only file system", { service: "cache", path: "/etc/motd", replace: "x" }, /read-only file system/],
    [
      "in a bind mount",
      { service: "db", path: "/docker-entrypoint-initdb.d/010-seed.sql", replace: "x" },
      /bind mount/,
    ],
    ["whose folder is not there", { service: "echo", path: "/none/such/file", replace: "x" }, /none|no such/i],
    ["that is a folder", { service: "echo", path: "/etc", replace: "x" }, /not a plain file|larger/],
    ["that is a link", { service: "echo", path: "/bin", replace: "x" }, /symbolic link/],
  ])("%s are refused, and that is the plan's fault", async (_, file, why) => {
    const result = await executeStep(step("file", file), pair.shadow, context);
    expect(result).toMatchObject({ landed: false, message: expect.stringMatching(why) });
  });
});

test("a restart gives every replica a new process, one at a time, and loses no request", async () => {
  const { host, port } = pair.shadow.address({ service: "echo", port: 8080 });
  const ids = async (): Promise<readonly string[]> =>
    (await pair.shadow.processes(forever)).filter(({ service }) => service === "echo").map(({ id }) => id);
  const before = await ids();
  const restarting = executeStep(step("restart", { service: "echo" }), pair.shadow, context);
  let done = false;
  restarting.finally(() => {
    done = true;
  });
  let answered = 0;
  while (!done) {
    expect((await fetch(`http://${host}:${port}/`)).status).toBe(200);
    answered += 1;
  }
  expect(await restarting).toMatchObject({ landed: true, message: "echo runs in new processes, 2 replicas" });
  expect(answered).toBeGreaterThan(1);
  const after = await ids();
  expect(after).toHaveLength(2);
  expect(after.filter((id) => before.includes(id))).toEqual([]);
});

test("a restart that is stopped half way still brings its replica back, since nothing undoes it", async () => {
  const human = new AbortController();
  const reason = new Error("stop");
  const echoes = async (): Promise<readonly string[]> =>
    (await pair.shadow.processes(forever)).filter(({ service }) => service === "echo").map(({ id }) => id);
  const before = await echoes();
  const restarting = pair.shadow.restart("echo", { maxUnavailable: 2 }, human.signal);
  const stopped = expect(restarting).rejects.toBe(reason);
  // Stopped as soon as one is seen to be gone: the engine finishes what it was asked, and the ingress must hear of it.
  let now = before;
  while (before.every((id) => now.includes(id))) now = await echoes();
  human.abort(reason);
  await stopped;
  await pair.shadow.scale("cache", 1, forever);
  expect(await echoes()).toHaveLength(2);
  expect(await pair.shadow.scrape({ service: "echo", port: 8080, path: "/metrics" }, forever)).toHaveLength(2);
});

test("keys of Redis come back byte by byte, with the instant at which they expire", async () => {
  const redis = (...command: string[]): Promise<unknown> => pair.shadow.redis({ service: "cache" }, command);
  await redis("HSET", "session:1", "user", "ada", "n", "1");
  await redis("SET", "lock", "held", "EX", "500");
  const given = step("redis", {
    service: "cache",
    commands: [
      ["HDEL", "session:1", "user"],
      ["RENAME", "lock", "key"],
      ["SADD", "fresh", "x"],
    ],
    landed: { command: ["HLEN", "session:1"], equals: 1 },
  });
  await doAndUndo(given, async () => expect(await redis("EXISTS", "lock")).toBe(0));
  expect(await redis("HGETALL", "session:1")).toEqual(expect.objectContaining({}));
  expect(await redis("HGET", "session:1", "user")).toBe("ada");
  expect(await redis("EXISTS", "key", "fresh")).toBe(0);
  expect(Number(await redis("TTL", "lock"))).toBeGreaterThan(400);
});

test("a ticket reaches the twin's stub, and is recorded as its call", async () => {
  const ticket = step("ticket", { host: "payments.example", path: "/none", title: "Slow", body: "see logs" });
  expect(await executeStep(ticket, pair.shadow, context)).toMatchObject({
    landed: false,
    message: "POST payments.example/none answered 501, expected 200 to 299",
  });
  expect(pair.shadow.stubCalls().at(-1)).toMatchObject({ host: "payments.example", path: "/none", status: 501 });
  const elsewhere = step("ticket", { host: "other.example", title: "Slow", body: "see logs" });
  expect((await executeStep(elsewhere, pair.shadow, context)).message).toContain("not a third party of this mirror");
});
