import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { load } from "@grpc/proto-loader";
import { describe, expect, onTestFinished, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { Address, Twin } from "../../src/mirror/twin.ts";
import { type ActionStep, ActionStepSchema } from "../../src/plan/action.ts";
import { actionIdentity } from "../../src/replay/actions/action-identity.ts";
import { alreadyAtTarget, executeStep } from "../../src/replay/actions/execute-step.ts";
import { manualClock } from "../support/manual-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { type SimulatedBehaviour, simulatedTwin } from "../support/simulated-twin.ts";

const FIXTURES = fileURLToPath(new URL("fixtures", import.meta.url));
const never = new AbortController().signal;

const step = (uses: ActionStep["uses"], arguments_: Record<string, unknown>): ActionStep =>
  ActionStepSchema.parse({ uses, with: arguments_ });

async function execute(
  given: ActionStep,
  behaviour: SimulatedBehaviour = {},
  options: { readonly signal?: AbortSignal; readonly clock?: ReturnType<typeof manualClock> } = {},
) {
  const twin = simulatedTwin("shadow", shopWorld(), behaviour);
  const context = {
    clock: options.clock ?? manualClock(),
    signal: options.signal ?? never,
    timeoutMs: 5000,
    baseDir: FIXTURES,
    actionId: "act-1",
    runId: "run-7",
  };
  return { twin, result: await executeStep(given, twin, context) };
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<Address> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

async function httpService(answer: { readonly status: number; readonly body: string }) {
  const requests: { readonly headers: IncomingMessage["headers"]; readonly method: string; readonly body: string }[] =
    [];
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    requests.push({ headers: request.headers, method: request.method ?? "", body });
    response.writeHead(answer.status).end(answer.body);
  });
  const address = await listen(server);
  return { requests, behaviour: { address: () => address } };
}

describe("http", () => {
  const post = step("http", { service: "api", port: 8080, path: "/admin/flags/new", body: { on: true } });

  test("lands with the expected status, says who acts, and keeps the answer without its secrets", async () => {
    const { requests, behaviour } = await httpService({ status: 200, body: '{"flag":"new","token":"t0p-s3cret"}' });
    const { result } = await execute(post, behaviour);
    expect(result).toMatchObject({ landed: true, output: 'HTTP 200\n{"flag":"new","token":"[masked]"}' });
    expect(requests[0]).toMatchObject({ method: "POST", body: '{"on":true}' });
    expect(requests[0]?.headers).toMatchObject({
      "content-type": "application/json",
      "x-canary-action": "run-7/act-1",
      traceparent: expect.stringMatching(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-01$/),
    });
  });

  test("a plan cannot act under another's name, however it spells the header", async () => {
    const { requests, behaviour } = await httpService({ status: 200, body: "" });
    const headers = { "X-Canary-Action": "other/other", TraceParent: "00-bad", tracestate: "a=b", "X-Own": "1" };
    await execute(step("http", { service: "api", port: 8080, path: "/", headers }), behaviour);
    expect(requests[0]?.headers).toMatchObject({ "x-canary-action": "run-7/act-1", "x-own": "1" });
    expect(requests[0]?.headers["traceparent"]).toMatch(/^00-[0-9a-f]{32}/);
    expect(requests[0]?.headers["tracestate"]).toBeUndefined();
  });

  test("each action has a trace of its own, and its act and undo a span each", () => {
    const parts = (actionId: string, phase: "act" | "undo"): readonly string[] =>
      actionIdentity({ runId: "run-7", actionId, phase }).headers.traceparent.split("-");
    const [act, undo, other] = [parts("a", "act"), parts("a", "undo"), parts("b", "act")];
    expect(act[1]).toBe(undo[1]);
    expect(act[2]).not.toBe(undo[2]);
    expect(other[1]).not.toBe(act[1]);
    expect(parts("a", "act")).toEqual(act);
  });

  test("does not land with another status", async () => {
    const { behaviour } = await httpService({ status: 503, body: "busy" });
    const { result } = await execute(post, behaviour);
    expect(result).toMatchObject({ landed: false, message: "POST /admin/flags/new answered 503, expected 200" });
  });

  test("keeps no more of a large answer than the limit", async () => {
    const { behaviour } = await httpService({ status: 200, body: "x".repeat(1_000_000) });
    const { result } = await execute(post, behaviour);
    expect(result.landed).toBe(true);
    expect(result.output).toHaveLength(64 * 1024);
  });

  test("does not land where nobody listens", async () => {
    const closed = createTcpServer();
    const address = await listen(closed);
    await new Promise((resolve) => closed.close(resolve));
    const { result } = await execute(post, { address: () => address });
    expect(result).toMatchObject({ landed: false, message: expect.stringContaining("ECONNREFUSED") });
  });

  test("does not land where nobody answers within the time box", async () => {
    const clock = manualClock();
    const address = await listen(createTcpServer(() => clock.advance(6000)));
    const { result } = await execute(post, { address: () => address }, { clock });
    expect(result).toMatchObject({ landed: false, message: "did not land within 5 s", durationMs: 6000 });
    expect(clock.sleeping).toBe(0);
  });
});

describe("grpc", () => {
  const call = (changes: Record<string, unknown> = {}): ActionStep =>
    step("grpc", {
      service: "inventory",
      port: 50051,
      proto: "switch.proto",
      rpcService: "test.Switch",
      method: "Flip",
      message: { name: "lamp" },
      ...changes,
    });

  async function grpcService(answer: { readonly error?: Partial<grpc.StatusObject>; readonly on?: boolean }) {
    const definition = await load(`${FIXTURES}/switch.proto`, { keepCase: true });
    const server = new grpc.Server();
    const seen: unknown[] = [];
    server.addService(definition["test.Switch"] as grpc.ServiceDefinition, {
      Flip: (request: grpc.ServerUnaryCall<unknown, unknown>, respond: grpc.sendUnaryData<unknown>) => {
        seen.push({ ...(request.request as object), by: request.metadata.get("x-canary-action")[0] });
        respond(answer.error ?? null, { on: answer.on ?? true });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    onTestFinished(() => server.forceShutdown());
    return { seen, behaviour: { address: () => ({ host: "127.0.0.1", port }) as const } };
  }

  test("lands with status OK and says who acts", async () => {
    const { seen, behaviour } = await grpcService({});
    const { result } = await execute(call(), behaviour);
    expect(result).toMatchObject({ landed: true, output: '{"on":true}', message: "test.Switch/Flip answered OK" });
    expect(seen).toEqual([{ name: "lamp", by: "run-7/act-1" }]);
  });

  test("does not land with any other status", async () => {
    const { behaviour } = await grpcService({ error: { code: grpc.status.FAILED_PRECONDITION, details: "locked" } });
    const { result } = await execute(call(), behaviour);
    expect(result).toMatchObject({
      landed: false,
      output: "locked",
      message: "test.Switch/Flip answered FAILED_PRECONDITION",
    });
  });

  test.each([
    ["a file outside the folder", { proto: "../execute-step.test.ts" }, "outside"],
    ["a file that is not there", { proto: "none.proto" }, "does not exist"],
    ["a file that is no proto", { proto: "broken.proto" }, "not a readable proto"],
    ["a service it does not have", { rpcService: "test.Lamp" }, "no unary method"],
    ["a method that streams", { method: "Watch" }, "no unary method"],
  ])("refuses %s", async (_, changes, message) => {
    await expect(execute(call(changes))).rejects.toMatchObject({
      code: "PLAN_INVALID",
      message: expect.stringContaining(message),
    });
  });
});

describe("sql", () => {
  const sql = (changes: Record<string, unknown>): ActionStep => step("sql", { service: "db", ...changes });
  const indexExists: SimulatedBehaviour = {
    onSql: (statement, database) =>
      statement.startsWith("SELECT index")
        ? [{ yes: database.tables.get("jobs")?.indexes.has("i") === true }]
        : undefined,
  };

  test("lands when all statements are acknowledged and the landed query agrees", async () => {
    const given = sql({ statements: ["CREATE INDEX i ON jobs (kind)"], landed: "SELECT index" });
    const { result, twin } = await execute(given, indexExists);
    expect(result.landed).toBe(true);
    expect(await alreadyAtTarget(given, twin, never)).toBe(true);
  });

  test("does not land when the landed query disagrees", async () => {
    const { result } = await execute(sql({ statements: ["DELETE FROM jobs"], landed: "SELECT index" }), indexExists);
    expect(result).toMatchObject({ landed: false, message: expect.stringContaining("landed query") });
  });

  test("leaves nothing of a transaction that fails, and shows the database's words", async () => {
    const given = sql({ statements: ["DELETE FROM jobs; -- all of them", "DROP INDEX nothing"] });
    const { result, twin } = await execute(given, {
      onSql: (statement) => (statement.startsWith("--") ? [] : undefined),
    });
    expect(result).toMatchObject({ landed: false, message: 'index "nothing" does not exist' });
    expect(twin.world.databases.get("db")?.tables.get("jobs")?.rows.size).toBe(9);
  });

  test("keeps what was done before the failure where no transaction was asked for", async () => {
    const given = sql({ statements: ["DELETE FROM jobs", "DROP INDEX nothing"], transaction: false });
    const { result, twin } = await execute(given);
    expect(result.landed).toBe(false);
    expect(twin.world.databases.get("db")?.tables.get("jobs")?.rows.size).toBe(0);
  });

  test("acts under its own name, with the rights and the time that it was given", async () => {
    const base = simulatedTwin("shadow", shopWorld());
    const works: unknown[] = [];
    const sqlAs: Twin["sqlAs"] = async (_, work) => void works.push(work);
    const context = {
      clock: manualClock(),
      signal: never,
      timeoutMs: 5000,
      baseDir: FIXTURES,
      actionId: "act-1",
      runId: "run-7",
      phase: "undo",
      rights: "rows",
    } as const;
    await executeStep(sql({ statements: ["DELETE FROM jobs"] }), { ...base, sqlAs }, context);
    const as = { runId: "run-7", actionId: "act-1", phase: "undo", rights: "rows" };
    expect(works).toEqual([{ as, statements: ["DELETE FROM jobs"], transaction: true, timeoutMs: 5000 }]);
  });

  test("asks its landed query of a server that lets it write nothing, whatever it calls", async () => {
    const asked: string[] = [];
    const base = simulatedTwin("shadow", shopWorld());
    const recording: Twin["sql"] = async (_, text) => {
      asked.push(text);
      return [{ yes: true }];
    };
    const given = sql({ statements: ["DELETE FROM jobs"], landed: "SELECT p.reprice IS NOT NULL FROM products p" });
    const context = { clock: manualClock(), signal: never, timeoutMs: 5000, baseDir: FIXTURES, actionId: "act-1" };
    const result = await executeStep(given, { ...base, sql: recording }, context);
    expect(result.landed).toBe(true);
    expect(await alreadyAtTarget(given, { ...base, sql: recording }, never)).toBe(true);
    expect(asked).toHaveLength(2);
    for (const text of asked)
      expect(text).toMatch(/set_config\('transaction_read_only', 'on', true\);\nSELECT p\.reprice/);
  });

  test.each([
    ["SELECT p.reprice IS NOT NULL FROM products p", ["SET TRANSACTION READ ONLY"], true],
    ["SELECT nextval('orders_id_seq')", [], false],
  ] as const)("is held to its words by the server where they only read: %s", async (statement, before, transaction) => {
    const base = simulatedTwin("shadow", shopWorld());
    const works: unknown[] = [];
    const sqlAs: Twin["sqlAs"] = async (_, work) => void works.push(work);
    const context = { clock: manualClock(), signal: never, timeoutMs: 5000, baseDir: FIXTURES, actionId: "act-1" };
    await executeStep(sql({ statements: [statement], transaction: false }), { ...base, sqlAs }, context);
    expect(works).toMatchObject([{ statements: [...before, statement], transaction }]);
  });

  test("that is stopped hands the stop on to whoever runs the statement", async () => {
    const clock = manualClock();
    const base = simulatedTwin("shadow", shopWorld());
    const sqlAs: Twin["sqlAs"] = (_, _work, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(new Error("canceling statement due to user request")));
        clock.advance(6000);
      });
    const context = { clock, signal: never, timeoutMs: 5000, baseDir: FIXTURES, actionId: "act-1" };
    const result = await executeStep(sql({ statements: ["DELETE FROM jobs"] }), { ...base, sqlAs }, context);
    expect(result).toMatchObject({ landed: false, message: "did not land within 5 s" });
  });
});

describe("exec", () => {
  const exec = step("exec", { service: "cache", argv: ["redis-cli", "ping"], expectExitCode: 0 });

  test.each([
    [0, true, "redis-cli exited with 0"],
    [3, false, "redis-cli exited with 3, expected 0"],
  ])("with exit code %i lands: %s", async (exitCode, landed, message) => {
    const { result } = await execute(exec, {
      onExec: () => ({ exitCode, stdout: "PONG", stderr: "PASSWORD=abc12345" }),
    });
    expect(result).toMatchObject({ landed, message, output: "PONG\nPASSWORD=[masked]" });
  });
});

describe("scale and update", () => {
  const update = step("update", {
    service: "api",
    environment: { POOL: "20", PORT: null },
    memoryBytes: 2 ** 28,
    cpus: 0.5,
  });

  test("land when the engine reports the new configuration, and are then at their target", async () => {
    for (const given of [update, step("scale", { service: "worker", replicas: 3 })]) {
      const { twin, result } = await execute(given);
      expect(result.landed).toBe(true);
      expect(await alreadyAtTarget(given, twin, never)).toBe(true);
      expect(await alreadyAtTarget(given, simulatedTwin("shadow", shopWorld()), never)).toBe(false);
    }
  });

  test("do not land when the engine reports something else", async () => {
    const twin = simulatedTwin("shadow", shopWorld());
    const deaf = { ...twin, scale: async () => undefined, update: async () => undefined };
    const context = { clock: manualClock(), signal: never, timeoutMs: 5000, baseDir: FIXTURES, actionId: "act-1" };
    expect(await executeStep(step("scale", { service: "worker", replicas: 3 }), deaf, context)).toMatchObject({
      landed: false,
      message: "worker runs 1 replica, not 3",
    });
    expect((await executeStep(update, deaf, context)).message).toBe(
      "api does not have the new environment POOL, environment PORT, memory, cpus",
    );
  });

  test("do not land when the service never gets ready, for that is the plan's fault while the engine answers", async () => {
    const unhealthy = new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: "api never became healthy",
      hint: "last lines: no such host",
    });
    const { result } = await execute(update, {
      interrupt: (operation) => {
        if (operation === "update api") throw unhealthy;
      },
    });
    expect(result).toMatchObject({
      landed: false,
      message: "api never became healthy",
      output: expect.stringContaining("no such host"),
    });
  });
});

describe("the harness's own trouble", () => {
  const scale = step("scale", { service: "worker", replicas: 3 });

  test("is an error: an engine that does not answer", async () => {
    const gone = new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "engine gone", hint: "" });
    await expect(execute(scale, { interrupt: () => Promise.reject(gone) })).rejects.toBe(gone);
  });

  test("is told from an abort, whose reason is thrown", async () => {
    const human = new AbortController();
    const reason = new Error("ctrl-c");
    const stopping = execute(scale, { interrupt: () => human.abort(reason) }, { signal: human.signal });
    await expect(stopping).rejects.toBe(reason);
  });

  test("never leaves a timer behind", async () => {
    const clock = manualClock();
    await execute(scale, {}, { clock });
    await execute(
      scale,
      { interrupt: () => Promise.reject(new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "gone", hint: "" })) },
      { clock },
    ).catch(() => undefined);
    expect(clock.sleeping).toBe(0);
  });
});
