import { connect, createServer, type Socket } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { systemClock } from "../../../src/cli/system.ts";
import { type FaultProxy, startFaultProxy } from "../../../src/mirror/proxy/fault-proxy.ts";
import type { Toxic } from "../../../src/mirror/twin-faults.ts";

const LINK = "api>db:5432";
const HELLO = Buffer.from("hello");
const never = new AbortController().signal;
const tools = {
  nowMs: systemClock.monotonicMs,
  sleep: (durationMs: number) => systemClock.sleep(durationMs, never),
  random: () => 0.5,
};

let open: AsyncDisposableStack;
let proxy: FaultProxy;
let port: number;

/** A dependency that says back what it hears, behind a proxy that knows this test as `api`. */
beforeEach(async () => {
  open = new AsyncDisposableStack();
  const sockets = new Set<Socket>();
  const echo = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.pipe(socket);
  });
  const target = await listen(echo);
  port = await freePort();
  open.defer(() => {
    for (const socket of sockets) socket.destroy();
    echo.close();
  });
  proxy = await startFaultProxy({
    host: "127.0.0.1",
    links: [{ id: LINK, from: "api", port, target: { host: "127.0.0.1", port: target } }],
    tools,
  });
  open.defer(() => proxy.close());
  proxy.know("127.0.0.1", "api");
});

afterEach(async () => await open.disposeAsync());

test("bytes pass unharmed and are counted while nothing is switched on", async () => {
  const { received, ended } = await talk(Buffer.alloc(300_000, "a"));
  expect({ bytes: received, ended }).toEqual({ bytes: 300_000, ended: "end" });
  expect(proxy.traffic(LINK)).toMatchObject({ connections: 1, bytesUp: 300_000, bytesDown: 300_000 });
});

test("a caller that nobody named gets nothing", async () => {
  proxy.know("127.0.0.1", "stranger");
  expect(await talk(HELLO)).toMatchObject({ received: 0, ended: "ECONNRESET" });
});

test("latency delays what comes back, on connections that were open before as well", async () => {
  const socket = connect({ host: "127.0.0.1", port });
  await once(socket, "connect");
  socket.write("x");
  await once(socket, "data");
  proxy.setToxics(LINK, [{ type: "latency", latencyMs: 80 }]);
  const startedMs = tools.nowMs();
  socket.write("x");
  await once(socket, "data");
  expect(tools.nowMs() - startedMs).toBeGreaterThanOrEqual(75);
  socket.destroy();
  expect((await proxy.probe(LINK, HELLO, 1000)).tookMs).toBeGreaterThanOrEqual(75);
});

test("a latency delays and does not throttle: many chunks together take no longer than one", async () => {
  proxy.setToxics(LINK, [{ type: "latency", latencyMs: 60 }]);
  const { tookMs, returnedBytes } = await proxy.echo(LINK, 500_000, 5000);
  expect(returnedBytes).toBe(500_000);
  expect(tookMs).toBeGreaterThanOrEqual(55);
  expect(tookMs).toBeLessThan(1000);
});

test.each<[Toxic, string]>([
  [{ type: "down" }, "reset"],
  [{ type: "timeout", timeoutMs: 0 }, "silent"],
  [{ type: "timeout", timeoutMs: 20 }, "closed"],
  [{ type: "limit_data", bytes: 0 }, "closed"],
])("under %o a connection is %s", async (toxic, outcome) => {
  proxy.setToxics(LINK, [toxic]);
  expect((await proxy.probe(LINK, HELLO, 200)).outcome).toBe(outcome);
  proxy.setToxics(LINK, []);
  expect((await proxy.probe(LINK, HELLO, 1000)).outcome).toBe("answered");
});

test("reset_peer resets a connection that says nothing after its time", async () => {
  proxy.setToxics(LINK, [{ type: "reset_peer", timeoutMs: 30 }]);
  const { outcome, tookMs } = await proxy.probe(LINK, new Uint8Array(), 1000);
  expect(outcome).toBe("reset");
  expect(tookMs).toBeGreaterThanOrEqual(25);
});

test("what a timeout swallowed is gone, so its connections are reset when it is lifted", async () => {
  proxy.setToxics(LINK, [{ type: "timeout", timeoutMs: 0 }]);
  const talking = talk(HELLO);
  await expect.poll(() => proxy.traffic(LINK).bytesUp).toBe(HELLO.length);
  proxy.setToxics(LINK, []);
  expect(await talking).toMatchObject({ received: 0, ended: "ECONNRESET" });
});

test("bandwidth, slicer, slow_close and limit_data show in what an echo gives back", async () => {
  proxy.setToxics(LINK, [{ type: "bandwidth", kilobytesPerSecond: 100 }]);
  expect((await proxy.echo(LINK, 10_000, 2000)).tookMs).toBeGreaterThanOrEqual(95);
  proxy.setToxics(LINK, [{ type: "slicer", averageBytes: 100, delayMs: 1 }]);
  expect((await proxy.echo(LINK, 2000, 2000)).pieces).toBeGreaterThanOrEqual(10);
  proxy.setToxics(LINK, [{ type: "slow_close", delayMs: 60 }]);
  expect((await proxy.echo(LINK, 10, 2000)).closeMs).toBeGreaterThanOrEqual(55);
  proxy.setToxics(LINK, [{ type: "limit_data", bytes: 7 }]);
  expect((await proxy.echo(LINK, 100, 2000)).returnedBytes).toBe(7);
});

test("a toxicity meets only its share of the connections", async () => {
  proxy.setToxics(LINK, [{ type: "down", toxicity: 0.5 }]);
  // Every connection draws 0.5 here, which a share of 0.5 does not reach.
  expect((await proxy.probe(LINK, HELLO, 1000)).outcome).toBe("answered");
  proxy.setToxics(LINK, [{ type: "down", toxicity: 0.51 }]);
  expect((await proxy.probe(LINK, HELLO, 1000)).outcome).toBe("reset");
});

test("of the connections that a toxic meets only the caller's own are counted, open ones and new ones", async () => {
  const met = (): number => proxy.traffic(LINK).met;
  const open = connect({ host: "127.0.0.1", port });
  open.write("x");
  await once(open, "data");
  expect(met()).toBe(0);
  proxy.setToxics(LINK, [{ type: "latency", latencyMs: 1, toxicity: 0.51 }]);
  expect(met()).toBe(1);
  await proxy.probe(LINK, HELLO, 1000);
  expect(met()).toBe(1);
  await talk(HELLO);
  expect(met()).toBe(2);
  // Every connection draws 0.5 here.
  proxy.setToxics(LINK, [{ type: "latency", latencyMs: 1, toxicity: 0.5 }]);
  await talk(HELLO);
  expect(met()).toBe(0);
  open.destroy();
});

test("a toxic meets one way or the other, and one on each way meets both", async () => {
  const latency = { type: "latency", latencyMs: 40 } as const;
  proxy.setToxics(LINK, [{ ...latency, stream: "upstream" }]);
  expect((await proxy.probe(LINK, HELLO, 1000)).tookMs).toBeGreaterThanOrEqual(35);
  proxy.setToxics(LINK, [{ ...latency, stream: "upstream" }, latency]);
  expect((await proxy.probe(LINK, HELLO, 1000)).tookMs).toBeGreaterThanOrEqual(75);
});

async function talk(bytes: Buffer): Promise<{ readonly received: number; readonly ended: string }> {
  const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
  let received = 0;
  socket.on("data", (chunk) => {
    received += chunk.length;
  });
  const ended = new Promise<string>((resolve) => {
    socket.once("end", () => resolve("end"));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? "error"));
  });
  socket.end(bytes);
  return { ended: await ended, received };
}

function once(socket: Socket, event: "connect" | "data"): Promise<unknown> {
  return new Promise((resolve) => socket.once(event, resolve));
}

function listen(server: ReturnType<typeof createServer>): Promise<number> {
  return new Promise((resolve) =>
    server.listen({ host: "127.0.0.1", port: 0 }, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : 0);
    }),
  );
}

async function freePort(): Promise<number> {
  const server = createServer();
  const free = await listen(server);
  await new Promise((resolve) => server.close(resolve));
  return free;
}
