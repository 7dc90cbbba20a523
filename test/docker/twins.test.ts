import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Twin, TwinPair } from "../../src/mirror/twin.ts";
import { openEngine } from "../../src/mirror/twins/engine.ts";
import { LABEL } from "../../src/mirror/twins/labels.ts";
import { leftOf, raiseMini, runIdOf } from "./fixtures/mini/engine-of-tests.ts";
import { miniMirror } from "./fixtures/mini/mini-mirror.ts";

const runId = runIdOf("pair");
const forever = new AbortController().signal;
const echoPort = { service: "echo", port: 8080 };
let pair: TwinPair;

beforeAll(async () => {
  pair = await raiseMini({ spec: miniMirror(), runId });
});
afterAll(async () => {
  await pair?.[Symbol.asyncDispose]();
  expect(await leftOf(runId), "containers, networks or volumes stayed behind").toEqual([]);
});

/** An answer that has begun: its status is known, its body is still to come. */
async function begin(twin: Twin, path: string): Promise<Response> {
  const { host, port } = twin.address(echoPort);
  const response = await fetch(`http://${host}:${port}${path}`);
  expect(response.status).toBe(200);
  return response;
}

async function get(twin: Twin, path = "/"): Promise<string> {
  const response = await begin(twin, path);
  return await response.text();
}

/** Who answered, by number of answers, out of `requests` requests one after the other. */
async function answeredBy(twin: Twin, requests: number): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (let request = 0; request < requests; request++) {
    const [name = ""] = (await get(twin)).split(" ");
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

async function echoProcesses(): Promise<readonly string[]> {
  const all = await pair.shadow.processes(forever);
  return all.filter(({ service }) => service === "echo").map(({ id }) => id);
}

/** Runs JavaScript in the first replica of echo and returns what it printed. */
async function inside(twin: Twin, script: string): Promise<string> {
  const { exitCode, stdout, stderr } = await twin.exec("echo", ["node", "-e", script], forever);
  expect(exitCode, stderr).toBe(0);
  return stdout.trim();
}

const CONNECT = (host: string, port: number): string => `
  const socket = require("node:net").connect({ host: "${host}", port: ${port} });
  const end = (what) => { console.log(what); process.exit(0); };
  socket.setTimeout(2000, () => end("closed"));
  socket.on("connect", () => end("open")).on("error", () => end("closed"));`;

/** Address of echo's first replica on its own network. */
async function innerAddress(twin: Twin): Promise<string> {
  const all = await inside(twin, "console.log(JSON.stringify(require('os').networkInterfaces().eth0[0].address))");
  return String(JSON.parse(all));
}

describe("a raised pair", () => {
  test("is the same on both sides", async () => {
    expect(await pair.control.configuration(forever)).toEqual(await pair.shadow.configuration(forever));
    expect(pair.facts.images).toHaveProperty("db");
    expect(pair.facts.raiseMs).toBeGreaterThan(0);
  });

  test("swaps its cores while it runs, for containers made later as well", async () => {
    const { cores } = pair.facts;
    if (cores.kind === "shared") return;
    const allowed =
      "console.log(/Cpus_allowed_list:\\s*(.*)/.exec(require('fs').readFileSync('/proc/self/status', 'utf8'))[1])";
    const where = async (): Promise<readonly string[]> => [
      await inside(pair.control, allowed),
      await inside(pair.shadow, allowed),
    ];
    expect(await where()).toEqual([cores.control, cores.shadow]);
    await pair.swapCores(forever);
    expect(await where()).toEqual([cores.shadow, cores.control]);
    expect(await get(pair.shadow)).toContain("echo-1");
    await pair.shadow.update("echo", { environment: { SWAPPED: "yes" } }, forever);
    expect(await where()).toEqual([cores.shadow, cores.control]);
    await pair.shadow.update("echo", { environment: { SWAPPED: null } }, forever);
    await pair.swapCores(forever);
    expect(await where()).toEqual([cores.control, cores.shadow]);
  });

  test("spreads requests over three replicas after scaling, and over one after scaling back", async () => {
    await pair.shadow.scale("echo", 3, forever);
    expect(await answeredBy(pair.shadow, 30)).toEqual({ "echo-1": 10, "echo-2": 10, "echo-3": 10 });
    expect(await answeredBy(pair.control, 3)).toEqual({ "echo-1": 3 });
    expect(await pair.shadow.scrape({ ...echoPort, path: "/metrics" }, forever)).toHaveLength(3);
    await pair.shadow.scale("echo", 1, forever);
    expect(await answeredBy(pair.shadow, 5)).toEqual({ "echo-1": 5 });
  });

  test("finishes requests that are under way when their replica leaves", async () => {
    await pair.shadow.scale("echo", 3, forever);
    const underWay = await Promise.all(Array.from({ length: 9 }, () => begin(pair.shadow, "/long")));
    await pair.shadow.scale("echo", 1, forever);
    const names = await Promise.all(underWay.map(async (answer) => (await answer.text()).trim()));
    expect(new Set(names)).toEqual(new Set(["echo-1", "echo-2", "echo-3"]));
  });

  test("reaches neither the other twin nor anything outside", async () => {
    const control = await innerAddress(pair.control);
    expect(await inside(pair.control, CONNECT(control, 8080))).toBe("open");
    expect(await inside(pair.shadow, CONNECT(control, 8080))).toBe("closed");
    expect(await inside(pair.shadow, CONNECT(defaultGateway(), 53))).toBe("closed");
    expect(await inside(pair.shadow, CONNECT("192.0.2.1", 443))).toBe("closed");
    const lookup =
      "const t = Date.now(); require('dns').lookup('nobody.example', (e) => console.log(e.code, Date.now() - t))";
    const [code, elapsedMs] = (await inside(pair.shadow, lookup)).split(" ");
    expect(code).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(Number(elapsedMs)).toBeLessThan(3_000);
  });

  test("publishes ports on loopback only, and only the ingress's", async () => {
    const { docker } = await openEngine();
    const containers = await docker.listContainers({ all: true, filters: { label: [`${LABEL.run}=${runId}`] } });
    const details = await Promise.all(containers.map(({ Id }) => docker.getContainer(Id).inspect()));
    const bindings = details.flatMap(({ Name, NetworkSettings }) =>
      Object.values(NetworkSettings.Ports).flatMap((ports) => (ports ?? []).map(({ HostIp }) => ({ Name, HostIp }))),
    );
    expect(bindings.length).toBeGreaterThan(0);
    expect(bindings.filter(({ HostIp, Name }) => HostIp !== "127.0.0.1" || !Name.endsWith("-ingress"))).toEqual([]);
    for (const { Name, NetworkSettings } of details) {
      expect(Object.keys(NetworkSettings.Networks), Name).toHaveLength(Name.endsWith("-ingress") ? 2 : 1);
    }
  });

  test("gives each twin a stub of its own and records every call, also those that nobody answers", async () => {
    expect(await get(pair.shadow, "/charge")).toBe('201 {"charge":1}');
    expect(await get(pair.shadow, "/charge")).toBe('201 {"charge":2}');
    expect(await get(pair.control, "/charge")).toBe('201 {"charge":1}');
    expect(await get(pair.control, "/charge/unknown")).toMatch(/^501 /);
    const seen = pair.control.stubCalls().map(({ host, method, path, status }) => `${method} ${host}${path} ${status}`);
    expect(seen).toEqual(["POST payments.example/charge 201", "POST payments.example/charge/unknown 501"]);
    expect(pair.shadow.stubCalls()).toHaveLength(2);
  });

  test("keeps its rows and its connection when the database's container is replaced", async () => {
    const db = { service: "db" };
    await pair.shadow.sql(db, "INSERT INTO item VALUES ($1, $2)", [50_001, "new"]);
    await pair.shadow.update("db", { environment: { TZ: "UTC" } }, forever);
    expect(await pair.shadow.sql(db, "SELECT count(*)::int AS n FROM item")).toEqual([{ n: 50_001 }]);
    expect(await pair.control.sql(db, "SELECT count(*)::int AS n FROM item")).toEqual([{ n: 50_000 }]);
    await expect(pair.shadow.sql(db, "DELETE FROM item WHERE id = 1; SELECT nonsense")).rejects.toThrow(/nonsense/);
    expect(await pair.shadow.sql(db, "SELECT id FROM item WHERE id = 1"), "one transaction").toHaveLength(1);
    const [me] = await pair.shadow.sql(db, "SELECT current_setting('application_name') AS name");
    expect(me).toEqual({ name: "canary-harness" });
  });

  test("answers Redis commands, each twin its own", async () => {
    await pair.shadow.redis({ service: "cache" }, ["SET", "k", "v"]);
    expect(await pair.shadow.redis({ service: "cache" }, ["GET", "k"])).toBe("v");
    expect(await pair.control.redis({ service: "cache" }, ["GET", "k"])).toBeNull();
  });

  test("runs a program without a shell and tells its streams and exit code apart", async () => {
    const script = "console.log(process.argv[1]); console.error('e'); process.exitCode = 3";
    const result = await pair.shadow.exec("echo", ["node", "-e", script, "$HOME; ls"], forever);
    expect(result).toEqual({ exitCode: 3, stdout: "$HOME; ls\n", stderr: "e\n" });
  });

  test("stops waiting for a program as soon as the run is aborted", async () => {
    const abort = new AbortController();
    const running = pair.shadow.exec("echo", ["sleep", "30"], abort.signal);
    abort.abort(new Error("the human said stop"));
    await expect(running).rejects.toThrow("the human said stop");
  });

  test("changes environment and limits, and reports both", async () => {
    await pair.shadow.update(
      "echo",
      { environment: { GREETING: "hello" }, memoryBytes: 200 * 1024 ** 2, cpus: 0.75 },
      forever,
    );
    expect(await get(pair.shadow)).toMatch(/hello$/);
    const changed = (await pair.shadow.configuration(forever)).find(({ service }) => service === "echo");
    expect(changed).toMatchObject({
      replicas: 1,
      memoryBytes: 200 * 1024 ** 2,
      cpus: 0.75,
      environment: { GREETING: "hello" },
    });
    await pair.shadow.update(
      "echo",
      { environment: { GREETING: null }, memoryBytes: 128 * 1024 ** 2, cpus: 0.5 },
      forever,
    );
    expect(await pair.shadow.configuration(forever)).toContainEqual(
      (await pair.control.configuration(forever)).find(({ service }) => service === "echo"),
    );
  });

  test("keeps serving with the old container when the new one does not start, and can go back", async () => {
    const broken = pair.shadow.update("echo", { environment: { BROKEN: "1" } }, forever);
    await expect(broken).rejects.toMatchObject({
      code: "MIRROR_UNAVAILABLE",
      message: expect.stringContaining("exit code 3"),
      hint: expect.stringContaining("cannot start: BROKEN is set"),
    });
    expect(await get(pair.shadow)).toMatch(/^echo-/);
    await pair.shadow.update("echo", { environment: { BROKEN: null } }, forever);
    expect(await pair.shadow.configuration(forever)).toContainEqual(
      (await pair.control.configuration(forever)).find(({ service }) => service === "echo"),
    );
  });

  test("freezes a service with all replicas it gets meanwhile, and thaws them ready", async () => {
    await pair.shadow.freeze(["echo"], forever);
    await pair.shadow.scale("echo", 2, forever);
    const echo = (await pair.shadow.configuration(forever)).find(({ service }) => service === "echo");
    expect(echo?.replicas).toBe(2);
    const early = get(pair.shadow);
    expect(await Promise.race([early, pair.shadow.logs("echo", 1, forever).then(() => "still waiting")])).toBe(
      "still waiting",
    );
    await pair.shadow.thaw(["echo"], forever);
    expect(await early).toMatch(/^echo-/);
    expect(Object.values(await answeredBy(pair.shadow, 10))).toEqual([5, 5]);
    await pair.shadow.scale("echo", 1, forever);
  });

  test("never counts less CPU than before, also when containers were replaced", async () => {
    const before = new Map((await pair.shadow.usage(forever)).map((usage) => [usage.service, usage]));
    await pair.shadow.update("echo", { environment: { GREETING: "again" } }, forever);
    await pair.shadow.update("echo", { environment: { GREETING: null } }, forever);
    for (const { service, cpuSeconds, memoryBytes } of await pair.shadow.usage(forever)) {
      expect(cpuSeconds, service).toBeGreaterThanOrEqual(before.get(service)?.cpuSeconds ?? Number.NaN);
      expect(memoryBytes, service).toBeGreaterThan(0);
    }
  });

  test("tells a process that was restarted or replaced from one that stayed, whoever did it", async () => {
    const { docker } = await openEngine();
    const before = await echoProcesses();
    await pair.shadow.scale("echo", 2, forever);
    const beside = await echoProcesses();
    expect(beside).toHaveLength(2);
    expect(beside).toEqual(expect.arrayContaining([...before]));
    await pair.shadow.scale("echo", 1, forever);
    await pair.shadow.freeze(["echo"], forever);
    await pair.shadow.thaw(["echo"], forever);
    expect(await echoProcesses()).toEqual(before);
    const [containerId = ""] = before[0]?.split(" ") ?? [];
    await docker.getContainer(containerId).restart({ t: 1 });
    const restarted = await echoProcesses();
    expect(restarted).toHaveLength(1);
    expect(restarted).not.toEqual(before);
    expect(restarted[0]).toContain(containerId);
    await pair.shadow.scale("echo", 0, forever);
    expect(await echoProcesses()).toEqual([]);
    await pair.shadow.scale("echo", 1, forever);
    expect(await echoProcesses()).not.toEqual(restarted);
  });

  test("reports a service that was scaled to nothing, and brings it back", async () => {
    const before = await pair.shadow.configuration(forever);
    await pair.shadow.scale("echo", 0, forever);
    const after = await pair.shadow.configuration(forever);
    expect(after).toEqual(before.map((it) => (it.service === "echo" ? { ...it, replicas: 0 } : it)));
    await pair.shadow.scale("echo", 1, forever);
    expect(await pair.shadow.configuration(forever)).toEqual(before);
  });

  test("refuses a second server on a database's data", async () => {
    await expect(pair.shadow.scale("db", 2, forever)).rejects.toMatchObject({ code: "REPLAY_FAILED" });
  });
});

/** The machine's own way out, from the kernel's routing table. */
function defaultGateway(): string {
  const route = readFileSync("/proc/net/route", "utf8")
    .split("\n")
    .map((line) => line.split("\t"));
  const hex = route.find(([, destination]) => destination === "00000000")?.[2] ?? "010200C0";
  return [6, 4, 2, 0].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)).join(".");
}
