// What the fault proxy costs while no toxic is on: round trips of 64 bytes, direct and through it, one after the other.
// npx node bench/drill/proxy-cost.ts [round trips]
import { connect, createServer, type Socket } from "node:net";
import { argv, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { startFaultProxy } from "../../src/mirror/proxy/fault-proxy.ts";

const COUNT = Number(argv[2] ?? "20000");
const PROXY_PORT = 23_917;
const never = new AbortController().signal;

const echo = createServer({ noDelay: true }, (socket) => {
  // The proxy closes by a reset.
  socket.on("error", () => socket.destroy());
  socket.pipe(socket);
});
const target = await new Promise<number>((resolve) =>
  echo.listen({ host: "127.0.0.1", port: 0 }, () => resolve((echo.address() as { port: number }).port)),
);
const proxy = await startFaultProxy({
  host: "127.0.0.1",
  links: [{ id: "link", from: "bench", port: PROXY_PORT, target: { host: "127.0.0.1", port: target } }],
  tools: {
    nowMs: systemClock.monotonicMs,
    sleep: (durationMs) => systemClock.sleep(durationMs, never),
    random: () => 0.5,
  },
});
proxy.know("127.0.0.1", "bench");

const sockets = await Promise.all([open(target), open(PROXY_PORT)]);
const tookMs: [number[], number[]] = [[], []];
for (let round = 0; round < COUNT + 500; round++) {
  // Alternating, so that a busy machine disturbs both alike.
  for (const [which, socket] of sockets.entries()) {
    const ms = await roundTrip(socket);
    if (round >= 500) tookMs[which === 0 ? 0 : 1].push(ms);
  }
}
for (const quantile of [0.5, 0.95, 0.99]) {
  const [direct = 0, through = 0] = tookMs.map(
    (all) => all.toSorted((a, b) => a - b)[Math.floor(quantile * all.length)],
  );
  const more = (1000 * (through - direct)).toFixed(0);
  stdout.write(
    `p${100 * quantile}: direct ${direct.toFixed(3)} ms, through the proxy ${through.toFixed(3)} ms (+${more} us)\n`,
  );
}
for (const socket of sockets) socket.destroy();
proxy.close();
echo.close();

function open(port: number): Promise<Socket> {
  return new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true }, () => resolve(socket));
  });
}

async function roundTrip(socket: Socket): Promise<number> {
  const startedMs = systemClock.monotonicMs();
  const answered = new Promise((resolve) => socket.once("data", resolve));
  socket.write(Buffer.alloc(64, "x"));
  await answered;
  return systemClock.monotonicMs() - startedMs;
}
