import { Webhook } from "standardwebhooks";
import { describe, expect, test } from "vitest";
import type { Notice } from "../../src/core/notifier.ts";
import { commandArguments, commandSink } from "../../src/report/notify/command-sink.ts";
import { noticeObserver } from "../../src/report/notify/notices.ts";
import { type Deliver, queuedNotifier } from "../../src/report/notify/queued-notifier.ts";
import { checkedWebhook, type Post, webhookSink } from "../../src/report/notify/webhook-sink.ts";
import { buildRunReport } from "../support/run-report-builder.ts";
import { simulatedClock } from "../support/simulated-clock.ts";

const SECRET = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;
const FOREVER = new AbortController().signal;
const NOTICE: Notice = {
  type: "canary.trigger.breached",
  id: "msg_1",
  atEpochMs: Date.now(),
  data: { name: "errors" },
};

/** A receiver that answers with these one after the other, and what reached it. */
async function posted(statuses: readonly number[], clock = simulatedClock(Date.now())) {
  const calls: { readonly url: string; readonly init: RequestInit }[] = [];
  const post: Post = async (url, init) => {
    const status = statuses[calls.length] ?? 200;
    calls.push({ url, init });
    if (status === 0) throw new Error("connection refused");
    return { status, body: null };
  };
  const deliver = await webhookSink({ url: new URL("http://127.0.0.1:1/hook"), secret: SECRET, clock, post });
  return { deliver, calls };
}

describe("the webhook", () => {
  test("is signed so that Standard Webhooks verifies it, over exactly the bytes that are sent", async () => {
    const { deliver, calls } = await posted([204]);
    expect(await deliver(NOTICE, FOREVER)).toBeUndefined();
    const [call] = calls;
    const headers = Object.fromEntries(new Headers(call?.init.headers ?? {}));
    const body = String(call?.init.body);
    expect(new Webhook(SECRET).verify(body, headers)).toMatchObject({ type: NOTICE.type, data: { name: "errors" } });
    expect(() => new Webhook(SECRET).verify(body.replace("errors", "error2"), headers)).toThrow();
    expect(call?.init.redirect).toBe("error");
  });
  test("is tried three times with one id, and then given up", async () => {
    const { deliver, calls } = await posted([500, 0, 503, 200]);
    expect(await deliver(NOTICE, FOREVER)).toBe("it answered 503");
    const ids = calls.map(({ init }) => new Headers(init.headers ?? {}).get("webhook-id"));
    expect(ids).toEqual(["msg_1", "msg_1", "msg_1"]);
  });
  test("is not tried again where the receiver refuses it, and never after a 410", async () => {
    const refused = await posted([401, 200]);
    expect(await refused.deliver(NOTICE, FOREVER)).toBe("it answered 401");
    expect(refused.calls).toHaveLength(1);
    const gone = await posted([410, 200]);
    await gone.deliver(NOTICE, FOREVER);
    expect(await gone.deliver(NOTICE, FOREVER)).toMatch(/no more/);
    expect(gone.calls).toHaveLength(1);
  });
  test.each(["", "secret", "whsec_c2hvcnQ="])("needs a secret that is one: %j is not", async (secret) => {
    const url = new URL("http://127.0.0.1/");
    await expect(webhookSink({ url, secret, clock: simulatedClock() })).rejects.toMatchObject({ code: "USAGE" });
  });
  test.each(["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x", "https://hooks.example/x"])(
    "may go to %s",
    (url) => {
      expect(checkedWebhook(url, ["hooks.example"]).href).toBe(url);
    },
  );
  test.each([
    "http://hooks.example/x",
    "https://evil.example/x",
    "http://127.0.0.1.evil.example/",
    "http://10.0.0.1/",
    "http://169.254.169.254/latest",
    "http://user:pass@127.0.0.1/",
    "file:///etc/passwd",
    "no url",
  ])("may not go to %s", (url) => {
    expect(() => checkedWebhook(url, ["hooks.example"])).toThrow();
  });
});

describe("the command", () => {
  const node = (script: string): Deliver =>
    commandSink({ argv: [process.execPath, "-e", script], environment: { PATH: process.env["PATH"] ?? "" } });
  test("reads the notice from its standard input, and nothing of our environment", async () => {
    const script = `
      let text = ""; process.stdin.on("data", (part) => { text += part; }).on("end", () => {
        const { id, type } = JSON.parse(text);
        process.exit(id === "msg_1" && type === "canary.trigger.breached" && process.env.CANARY_SIGNING_KEY === undefined ? 0 : 9);
      });`;
    expect(await node(script)(NOTICE, FOREVER)).toBeUndefined();
  });
  test("that fails or is not there is told in words", async () => {
    expect(await node("console.error('no pager'); process.exit(3)")(NOTICE, FOREVER)).toBe("it ended with 3 no pager");
    const missing = commandSink({ argv: ["/no/such/program"], environment: {} });
    expect(await missing(NOTICE, FOREVER)).toMatch(/ENOENT/);
  });
  test("is a path or a list, and never a line for a shell", () => {
    expect(commandArguments("/bin/page it; rm -rf /")).toEqual(["/bin/page it; rm -rf /"]);
    expect(commandArguments('["/bin/page", "--team", "a b"]')).toEqual(["/bin/page", "--team", "a b"]);
    for (const bad of ["", "[]", "[1]", '["a\\u0000b"]', "[oops"]) expect(() => commandArguments(bad)).toThrow();
  });
});

describe("the notifier", () => {
  test("keeps nobody waiting, tells in order, and says what it could not tell, without secrets", async () => {
    const told: string[] = [];
    const said: string[] = [];
    const clock = simulatedClock();
    const slow: Deliver = async ({ id }) => {
      await clock.sleep(1000, FOREVER);
      told.push(id);
      return id === "b" ? "password=hunter2hunter2 was wrong" : undefined;
    };
    const notifier = queuedNotifier({
      sinks: [{ name: "pager", deliver: slow }],
      clock,
      say: (line) => said.push(line),
    });
    for (const id of ["a", "b"]) notifier.notify({ ...NOTICE, id });
    expect(told).toEqual([]);
    await notifier.flush();
    expect(told).toEqual(["a", "b"]);
    expect(said).toEqual(["pager was not told of canary.trigger.breached: password=[masked] was wrong"]);
  });
  test("gives up on a sink that hangs, so that a run can end", async () => {
    const said: string[] = [];
    const clock = simulatedClock();
    const hangs: Deliver = (_notice, signal) =>
      new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    const notifier = queuedNotifier({
      sinks: [{ name: "pager", deliver: hangs }],
      clock,
      say: (line) => said.push(line),
    });
    notifier.notify(NOTICE);
    await notifier.flush();
    expect(said).toHaveLength(1);
    expect(clock.monotonicMs()).toBeLessThanOrEqual(20_000);
  });
});

test("a run's events become notices that name the run and why it was rolled back", () => {
  const told: Notice[] = [];
  let ids = 0;
  const observe = noticeObserver({
    notifier: { notify: (notice) => void told.push(notice), flush: async () => undefined },
    run: { runId: "r-1", scenario: "shop", plan: "scale", environment: "production/eu" },
    epochMs: () => 5,
    newId: () => `msg_${++ids}`,
  });
  const { verdict } = buildRunReport({ verdict: "reject" });
  observe({ kind: "breach", name: "errors", message: "12% over 5 s" });
  observe({ kind: "phase", phase: "rollback", atEpochMs: 1 });
  observe({ kind: "rolled-back", undoMs: 400 });
  observe({ kind: "verdict", verdict, reportDir: "reports/r-1" });
  expect(told.map(({ type, data }) => [type, data["because"] ?? data["name"] ?? data["verdict"]])).toEqual([
    ["canary.trigger.breached", "errors"],
    ["canary.rollback.started", "trigger errors"],
    ["canary.rollback.finished", "trigger errors"],
    ["canary.verdict.published", "reject"],
  ]);
  expect(new Set(told.map(({ id }) => id)).size).toBe(4);
  for (const { data } of told) expect(data).toMatchObject({ runId: "r-1", environment: "production/eu" });
  expect(JSON.stringify(told).length).toBeLessThan(20_000);
});
