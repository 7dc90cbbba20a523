import { chmod, mkdtemp, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { systemClock } from "../../src/cli/system.ts";
import { readOwner } from "../../src/mirror/twins/owner.ts";
import { type Controls, startControlServer } from "../../src/run/live/control-server.ts";
import { type HaltEffects, haltHost } from "../../src/run/live/halt-host.ts";
import { type LiveRegistry, type LiveRun, openRegistry } from "../../src/run/live/live-registry.ts";

const TOKEN = "t".repeat(43);
const FOREVER = new AbortController().signal;
const HALT = { schema: "canary.halt/v1", by: "sam", reason: "smoke", atEpochMs: 5 } as const;

let folder: string;
let registry: LiveRegistry;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "canary-live-"));
  registry = await openRegistry({ folder, userId: process.getuid?.() });
});
afterEach(async () => await rm(folder, { recursive: true, force: true }));

async function liveRun(changes: Partial<LiveRun> = {}): Promise<LiveRun> {
  return {
    schema: "canary.live-run/v1",
    runId: "run-1",
    scenario: "shop",
    plan: "scale",
    runDir: folder,
    owner: await readOwner(process.pid),
    url: "http://127.0.0.1:9",
    token: TOKEN,
    startedEpochMs: 1,
    ...changes,
  };
}

const runFile = (name: string): string => path.join(folder, "runs", name);

describe("the registry of live runs", () => {
  test("knows a run until it is over, and keeps its token from everybody else", async () => {
    const run = await liveRun();
    const registered = await registry.register(run);
    expect(await registry.list()).toEqual([{ kind: "alive", run }]);
    expect((await stat(registered.file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(registered.file))).mode & 0o777).toBe(0o700);
    await registered[Symbol.asyncDispose]();
    expect(await registry.list()).toEqual([]);
  });
  test("forgets a run whose process is gone, also where its number was given to another", async () => {
    const owner = await readOwner(process.pid);
    await registry.register(await liveRun({ owner: { ...owner, startTicks: owner.startTicks + 1 } }));
    expect(await registry.list()).toEqual([]);
    expect(await stat(runFile("run-1.json")).catch(() => undefined)).toBeUndefined();
  });
  test("does not believe a file that others can read, that is a link, or that says something else", async () => {
    await registry.register(await liveRun());
    await chmod(runFile("run-1.json"), 0o644);
    await symlink("/etc/hostname", runFile("run-2.json"));
    await writeFile(runFile("run-3.json"), "{}", { mode: 0o600 });
    const found = await registry.list();
    expect(found.map(({ kind }) => kind)).toEqual(["unreadable", "unreadable", "unreadable"]);
  });
  test("counts a halt that cannot be read as one", async () => {
    expect(await registry.halted()).toBeUndefined();
    await writeFile(path.join(folder, "halted.json"), "not json", { mode: 0o600 });
    expect(await registry.halted()).toMatchObject({ by: "unknown" });
    expect(await registry.lift()).toBe(true);
    expect(await registry.halted()).toBeUndefined();
  });
});

async function served(controls: Partial<Controls> = {}) {
  const asked: unknown[] = [];
  const server = await startControlServer(TOKEN, {
    status: () => ({ phase: "observe" }),
    abort: (request) => void asked.push(request),
    halt: async () => ({ runs: [] }),
    ...controls,
  });
  const call = (method: string, at: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`${server.url}${at}`, { method, headers: { authorization: `Bearer ${TOKEN}` }, ...init });
  return { server, asked, call };
}

describe("the endpoint of a run", () => {
  test("tells its status and takes an abort with a reason from whoever holds the token", async () => {
    const { server, asked, call } = await served();
    await using _server = server;
    expect(await (await call("GET", "/v1/status")).json()).toEqual({ phase: "observe" });
    const aborted = await call("POST", "/v1/abort", { body: JSON.stringify({ reason: "page", by: "sam" }) });
    expect(aborted.status).toBe(202);
    expect((await call("POST", "/v1/abort")).status).toBe(202);
    expect(asked).toEqual([{ reason: "page", by: "sam" }, {}]);
  });
  test.each([
    ["no token", "GET", "/v1/status", { headers: {} }, 401],
    ["another token", "POST", "/v1/abort", { headers: { authorization: `Bearer ${"x".repeat(43)}` } }, 401],
    ["another scheme", "POST", "/v1/abort", { headers: { authorization: `Basic ${TOKEN}` } }, 401],
    ["another path", "POST", "/v1/shell", {}, 404],
    ["another method", "GET", "/v1/abort", {}, 404],
    ["a body that is none", "POST", "/v1/abort", { body: "{" }, 400],
    ["unknown words", "POST", "/v1/abort", { body: JSON.stringify({ force: true }) }, 400],
    ["a flood", "POST", "/v1/abort", { body: "x".repeat(10_000) }, 400],
  ] as const)("refuses %s", async (_what, method, at, init, status) => {
    const { server, asked, call } = await served();
    await using _server = server;
    expect((await call(method, at, init)).status).toBe(status);
    expect(asked).toEqual([]);
  });
  test("listens on loopback alone", async () => {
    const { server } = await served();
    await using _server = server;
    expect(server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });
});

function effects(changes: Partial<HaltEffects> = {}): HaltEffects {
  return {
    registry,
    clock: systemClock,
    fetch,
    terminate: () => expect.fail("nobody was to be signalled"),
    ...changes,
  };
}

const RECORD = { begun: ["a"], undo: { undone: ["a"], undoMs: 3 }, state: { kind: "as-before" } };

describe("a halted host", () => {
  test("has told every run, waited for it, and says how each was undone", async () => {
    const ending = Promise.withResolvers<void>();
    const { server, asked } = await served({
      abort: (request) => {
        asked.push(request);
        void writeFile(path.join(folder, "abort.json"), JSON.stringify(RECORD)).then(() => ending.resolve());
      },
    });
    await using _server = server;
    const registered = await registry.register(await liveRun({ url: server.url }));
    const ended = ending.promise.then(() => registered[Symbol.asyncDispose]());
    const report = await haltHost({ halt: HALT, waitMs: 5000, signal: FOREVER }, effects());
    await ended;
    expect(asked).toEqual([{ how: "halt", by: "sam", reason: "smoke" }]);
    expect(report).toMatchObject({ isAllUndone: true, runs: [{ runId: "run-1", outcome: "undone" }] });
    expect(await registry.halted()).toEqual(HALT);
  });
  test("does not call a run undone that does not say so", async () => {
    const { server, asked } = await served();
    await using _server = server;
    const registered = await registry.register(await liveRun({ url: server.url }));
    const record = { ...RECORD, state: { kind: "differs", residue: [] } };
    await writeFile(path.join(folder, "abort.json"), JSON.stringify(record));
    const halting = haltHost({ halt: HALT, waitMs: 5000, signal: FOREVER }, effects());
    await expect.poll(() => asked.length).toBe(1);
    await registered[Symbol.asyncDispose]();
    expect(await halting).toMatchObject({ isAllUndone: false, runs: [{ outcome: "stopped" }] });
  });
  test("signals a run whose endpoint is gone, and says of one that goes on that it does", async () => {
    const signalled: number[] = [];
    await registry.register(await liveRun());
    const terminate = (pid: number): void => void signalled.push(pid);
    const report = await haltHost({ halt: HALT, waitMs: 0, signal: FOREVER }, effects({ terminate }));
    expect(signalled).toEqual([process.pid]);
    expect(report).toMatchObject({ isAllUndone: false, runs: [{ outcome: "still-running" }] });
  });
  test("tells of every run though what one of them left behind is damaged", async () => {
    const { server, asked } = await served();
    await using _server = server;
    const registered = await registry.register(await liveRun({ url: server.url }));
    await writeFile(path.join(folder, "abort.json"), "{ half of");
    await writeFile(runFile("run-9.json"), "{}", { mode: 0o600 });
    const halting = haltHost({ halt: HALT, waitMs: 5000, signal: FOREVER }, effects());
    await expect.poll(() => asked.length).toBe(1);
    await registered[Symbol.asyncDispose]();
    const { runs, isAllUndone } = await halting;
    expect(isAllUndone).toBe(false);
    expect(Object.fromEntries(runs.map((run) => [run.runId, run.outcome]))).toEqual({
      "run-1": "stopped",
      "run-9": "unreachable",
    });
    expect(runs.find(({ runId }) => runId === "run-1")?.message).toMatch(/how it ended can not be told/);
  });
  test("is halted once though several say so at once", async () => {
    await Promise.all(Array.from({ length: 8 }, () => registry.halt(HALT)));
    expect(await registry.halted()).toEqual(HALT);
  });
  test("says of a file that cannot be believed that its run cannot be reached", async () => {
    await writeFile(runFile("run-9.json"), "{}", { mode: 0o600 });
    const report = await haltHost({ halt: HALT, waitMs: 0, signal: FOREVER }, effects());
    expect(report).toMatchObject({ isAllUndone: false, runs: [{ runId: "run-9", outcome: "unreachable" }] });
  });
});
