import { describe, expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import { type ActionStep, ActionStepSchema } from "../../src/plan/action.ts";
import { alreadyAtTarget, executeStep } from "../../src/replay/actions/execute-step.ts";
import { manualClock } from "../support/manual-clock.ts";
import { simulatedClock } from "../support/simulated-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { type SimulatedBehaviour, simulatedTwin } from "../support/simulated-twin.ts";
import { plainFile } from "../support/simulated-world.ts";

const never = new AbortController().signal;
const PATH = "/etc/app/settings.json";
const FLAGS = `{ "flags": {
  "new-search": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off" },
  "banner":     { "state": "DISABLED", "variants": { "red": "#f00" }, "defaultVariant": "red" }
} }
`;

const step = (uses: ActionStep["uses"], arguments_: Record<string, unknown>): ActionStep =>
  ActionStepSchema.parse({ uses, with: arguments_ });

/** A twin whose api holds this file; `undefined`: no file. */
function twinWith(text: string | undefined, behaviour: SimulatedBehaviour = {}) {
  const world = shopWorld();
  if (text !== undefined) world.files.set("api", new Map([[PATH, plainFile(Buffer.from(text))]]));
  return simulatedTwin("shadow", world, behaviour);
}

const contextOf = (more: Partial<Parameters<typeof executeStep>[2]> = {}) => ({
  clock: manualClock(),
  signal: never,
  timeoutMs: 5000,
  baseDir: "/",
  actionId: "act-1",
  ...more,
});

async function change(text: string | undefined, given: ActionStep) {
  const twin = twinWith(text);
  const result = await executeStep(given, twin, contextOf());
  const file = twin.world.files.get("api")?.get(PATH);
  return { twin, result, text: file === undefined ? undefined : Buffer.from(file.bytes).toString("utf8") };
}

const file = (how: Record<string, unknown>): ActionStep => step("file", { service: "api", path: PATH, ...how });

describe("file", () => {
  const SETTINGS = '{"pool":{"max":10,"min":1},"debug":false}\n';
  const PATCH = "--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n";

  test.each([
    ["replace", SETTINGS, { replace: "all new" }, "all new"],
    ["replace", undefined, { replace: "a first one" }, "a first one"],
    ["replaceBase64", SETTINGS, { replaceBase64: "AAEC" }, "\0\x01\x02"],
    ["remove", SETTINGS, { remove: true }, undefined],
    ["patch", "one\ntwo\nthree\n", { patch: PATCH }, "one\n2\nthree\n"],
    [
      "mergePatch",
      SETTINGS,
      { mergePatch: { pool: { max: 20, min: null } } },
      '{\n  "pool": {\n    "max": 20\n  },\n  "debug": false\n}\n',
    ],
    [
      "jsonPatch",
      SETTINGS,
      {
        jsonPatch: [
          { op: "test", path: "/debug", value: false },
          { op: "replace", path: "/pool/max", value: 20 },
          { op: "move", from: "/pool/min", path: "/least" },
        ],
      },
      '{\n  "pool": {\n    "max": 20\n  },\n  "debug": false,\n  "least": 1\n}\n',
    ],
  ])("%s lands, and is then at its target", async (_, before, how, after) => {
    const given = file(how);
    const { result, text, twin } = await change(before, given);
    expect(result).toMatchObject({ landed: true });
    expect(text).toBe(after);
    const settles = !("patch" in how) && !("jsonPatch" in how);
    expect(await alreadyAtTarget(given, twin, never)).toBe(settles);
    expect(await alreadyAtTarget(given, twinWith(before), never)).toBe(false);
  });

  test.each([
    ["a patch that does not fit", "one\nzwei\nthree\n", { patch: PATCH }, /does not fit/],
    ["a patch of two files", "one\ntwo\nthree\n", { patch: PATCH + PATCH }, /2 files/],
    ["words instead of a patch", "one\n", { patch: "make it two" }, /0 files/],
    [
      "a JSON patch whose test fails",
      SETTINGS,
      { jsonPatch: [{ op: "test", path: "/debug", value: true }] },
      /operation 1/,
    ],
    [
      "a JSON patch into nothing",
      SETTINGS,
      { jsonPatch: [{ op: "replace", path: "/none/x", value: 1 }] },
      /operation 1/,
    ],
    ["a merge into what is no JSON", "max: 10", { mergePatch: { max: 20 } }, /not JSON/],
    ["a change of a file that is not there", undefined, { mergePatch: {} }, /no such file/],
  ])("does not land with %s, and leaves the file alone", async (_, before, how, why) => {
    const { result, text } = await change(before, file(how));
    expect(result).toMatchObject({ landed: false, message: expect.stringMatching(why) });
    expect(text).toBe(before);
  });

  test("does not land when the file reads back differently", async () => {
    const twin = { ...twinWith(SETTINGS), writeFile: async () => undefined };
    const result = await executeStep(file({ replace: "new" }), twin, contextOf());
    expect(result).toMatchObject({ landed: false, message: `${PATH} of api does not hold what was written` });
  });

  test("does not land in a read-only file system, for that is the plan's fault while the engine answers", async () => {
    const readOnly = new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: "api has a read-only file system",
      hint: "",
    });
    const twin = twinWith(SETTINGS, {
      interrupt: (operation) => {
        if (operation.startsWith("write")) throw readOnly;
      },
    });
    expect(await executeStep(file({ replace: "x" }), twin, contextOf())).toMatchObject({
      landed: false,
      message: "api has a read-only file system",
    });
  });

  test.each([
    { replace: "a", remove: true },
    {},
    { path: "relative", replace: "a" },
    { path: "/etc/../root/x", replace: "a" },
    { path: "/etc/", replace: "a" },
  ])("%j is no step", (how) => {
    const parsed = ActionStepSchema.safeParse({ uses: "file", with: { service: "api", path: PATH, ...how } });
    expect(parsed.success).toBe(false);
  });

  test.each([
    { mergePatch: JSON.parse('{"__proto__":{"polluted":true}}') },
    { jsonPatch: [{ op: "add", path: "/__proto__/polluted", value: true }] },
  ])("%j reaches no prototype", async (how) => {
    await change('{"a":1}', file(how));
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
  });
});

describe("flag", () => {
  const flag = (how: Record<string, unknown>): ActionStep =>
    step("flag", { service: "api", path: PATH, flag: "new-search", ...how });

  test("changes one flag and no other byte", async () => {
    const given = flag({ defaultVariant: "on" });
    const { result, text, twin } = await change(FLAGS, given);
    expect(result.landed, result.message).toBe(true);
    expect(text).toBe(FLAGS.replace('"defaultVariant": "off"', '"defaultVariant": "on"'));
    expect(await alreadyAtTarget(given, twin, never)).toBe(true);
  });

  test("adds rules and takes them away again", async () => {
    const { text } = await change(FLAGS, flag({ targeting: { if: [{ "==": [{ var: "beta" }, true] }, "on", "off"] } }));
    expect(JSON.parse(text ?? "").flags["new-search"].targeting).toBeDefined();
    expect((await change(text, flag({ targeting: null }))).text).toBe(FLAGS);
  });

  test.each([
    ["an unknown flag", { flag: "old-search", state: "DISABLED" }, /there is no flag old-search/],
    ["an unknown variant", { defaultVariant: "maybe" }, /has no variant maybe/],
    ["rules that name an unknown variant", { targeting: { if: [true, "maybe"] } }, /Variant 'maybe' not found/],
    ["rules that flagd does not know", { targeting: { perhaps: [1, 2] } }, /Invalid targeting/],
  ])("does not land with %s", async (_, how, why) => {
    const { result, text } = await change(FLAGS, flag(how));
    expect(result).toMatchObject({ landed: false, message: expect.stringMatching(why) });
    expect(text).toBe(FLAGS);
  });

  test("does not land in a file that flagd can not read", async () => {
    for (const broken of ["not json", '{"flags":{"new-search":{"state":"ENABLED"}}}']) {
      expect((await change(broken, flag({ state: "DISABLED" }))).result.landed).toBe(false);
    }
  });
});

describe("restart and remove", () => {
  test("a restart lands when every process is another one", async () => {
    const twin = twinWith(undefined);
    const before = await twin.processes(never);
    const result = await executeStep(step("restart", { service: "api" }), twin, contextOf());
    expect(result).toMatchObject({ landed: true, message: "api runs in new processes, 1 replica" });
    const after = await twin.processes(never);
    expect(after.filter(({ service }) => service === "api")).not.toEqual(
      before.filter(({ service }) => service === "api"),
    );
    const deaf = { ...twin, restart: async () => undefined };
    expect(await executeStep(step("restart", { service: "api" }), deaf, contextOf())).toMatchObject({
      landed: false,
      message: "1 of 1 processes of api were not restarted",
    });
  });

  test("a removed service has no replica, and is then at its target", async () => {
    const twin = twinWith(undefined);
    const given = step("remove", { service: "worker" });
    expect((await executeStep(given, twin, contextOf())).landed).toBe(true);
    expect(await alreadyAtTarget(given, twin, never)).toBe(true);
  });
});

describe("redis", () => {
  const redis = (how: Record<string, unknown>): ActionStep => step("redis", { service: "cache", ...how });

  test("runs its commands and holds the landed command against its answer", async () => {
    const twin = twinWith(undefined);
    const given = redis({ commands: [["SET", "a", "1"]], landed: { command: ["GET", "a"], equals: "1" } });
    expect(await alreadyAtTarget(given, twin, never)).toBe(false);
    expect(await executeStep(given, twin, contextOf())).toMatchObject({ landed: true, output: '"OK"' });
    expect(await alreadyAtTarget(given, twin, never)).toBe(true);
    const other = redis({ commands: [["SET", "a", "1"]], landed: { command: ["GET", "a"], equals: "2" } });
    expect((await executeStep(other, twin, contextOf())).landed).toBe(false);
  });

  test("stops at the first command that is refused", async () => {
    const twin = twinWith(undefined);
    const given = redis({ commands: [["SET", "a", "1"], ["EXPLODE"], ["SET", "b", "2"]] });
    expect(await executeStep(given, twin, contextOf())).toMatchObject({
      landed: false,
      message: "EXPLODE was refused: ERR unknown command 'EXPLODE'",
    });
    expect(twin.world.keys.get("cache")?.has("b")).toBe(false);
  });

  test.each(["SELECT", "monitor", "SUBSCRIBE", "SHUTDOWN", "multi"])("%s is no command of a plan", (verb) => {
    expect(
      ActionStepSchema.safeParse({ uses: "redis", with: { service: "cache", commands: [[verb, "1"]] } }).success,
    ).toBe(false);
  });
});

describe("wait and probe", () => {
  test("a wait lets its seconds pass, and its time box is longer", async () => {
    const clock = manualClock();
    const waiting = executeStep(step("wait", { seconds: 3 }), twinWith(undefined), contextOf({ clock }));
    clock.advance(3000);
    expect(await waiting).toMatchObject({ landed: true, durationMs: 3000, message: "waited 3 s" });
  });

  test("a probe asks until the answer is the expected one", async () => {
    const clock = simulatedClock();
    let asked = 0;
    const twin = twinWith(undefined, {
      onSql: (statement) => {
        if (statement !== "SELECT ready") return undefined;
        asked += 1;
        return [{ ready: asked === 3 }];
      },
    });
    const result = await executeStep(step("probe", { service: "db", sql: "SELECT ready" }), twin, contextOf({ clock }));
    expect(result).toMatchObject({ landed: true, message: "the query answers one row that is true" });
    expect(asked).toBe(3);
  });

  test("a probe whose answer never comes says what it was told last", async () => {
    const clock = simulatedClock();
    const twin = twinWith(undefined, {
      onSql: () => {
        throw new Error("relation does not exist");
      },
    });
    const given = step("probe", { service: "db", sql: "SELECT ready" });
    expect(await executeStep(given, twin, contextOf({ clock }))).toMatchObject({
      landed: false,
      message: "the probe was not answered: relation does not exist",
    });
  });
});

describe("queries", () => {
  test("logs are cut to what matches, without secrets and personal data", async () => {
    const lines = "a: ok\nb: Failed for ada@mail.example, token=abcdef123456\nc: failed again\n";
    const twin = { ...twinWith(undefined), logs: async () => lines };
    const given = step("query-logs", { service: "worker", lines: 100, matching: "FAILED" });
    expect(await executeStep(given, twin, contextOf())).toMatchObject({
      landed: true,
      message: "2 lines of worker match",
      output: "b: Failed for [email], token=[masked]\nc: failed again",
    });
  });

  test("a metric is read from every replica, by its labels", async () => {
    const text = 'jobs_total{kind="a",to="x\\"y"} 3\njobs_total{kind="b"} 4\njobs_total_created 5\n';
    const twin = twinWith(undefined, { scrape: () => [text, text] });
    const metrics = [{ service: "worker", port: 9100, path: "/metrics" }];
    const query = (more: object): ActionStep =>
      step("query-metrics", { service: "worker", metric: "jobs_total", ...more });
    expect(await executeStep(query({ labels: { kind: "b" } }), twin, contextOf({ metrics }))).toMatchObject({
      landed: true,
      output: 'replica 1: jobs_total{kind="b"} 4\nreplica 2: jobs_total{kind="b"} 4',
    });
    expect((await executeStep(query({ labels: { to: 'x"y' } }), twin, contextOf({ metrics }))).message).toMatch(
      /^2 series/,
    );
    expect((await executeStep(query({ labels: { kind: "c" } }), twin, contextOf({ metrics }))).landed).toBe(false);
    expect((await executeStep(query({}), twin, contextOf())).message).toContain("has no endpoint");
  });
});

describe("tickets and pull requests", () => {
  test("are sent to the third party's stub and land with any good answer", async () => {
    const asked: unknown[] = [];
    const twin = twinWith(undefined, {
      onStub: (request) => {
        asked.push({ ...request, body: JSON.parse(request.body) });
        return { status: 201, body: '{"number":7}' };
      },
    });
    const given = step("pull-request", {
      host: "git.example",
      repository: "shop/config",
      title: "Raise the pool",
      branch: "agent/pool",
      diff: "-10\n+20",
    });
    expect(await executeStep(given, twin, contextOf())).toMatchObject({ landed: true, output: '{"number":7}' });
    expect(asked).toEqual([
      {
        host: "git.example",
        method: "POST",
        path: "/repos/shop/config/pulls",
        headers: {
          "content-type": "application/json",
          "x-canary-action": "rehearsal/act-1",
          traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
        },
        body: { title: "Raise the pool", body: "", head: "agent/pool", diff: "-10\n+20" },
      },
    ]);
  });

  test("do not land with another answer, or where the mirror has no such third party", async () => {
    const ticket = step("ticket", { host: "tickets.example", title: "Slow", body: "The worker is slow" });
    const busy = twinWith(undefined, { onStub: () => ({ status: 503, body: "" }) });
    expect((await executeStep(ticket, busy, contextOf())).message).toContain("answered 503, expected 200 to 299");
    expect((await executeStep(ticket, twinWith(undefined), contextOf())).landed).toBe(false);
  });
});
