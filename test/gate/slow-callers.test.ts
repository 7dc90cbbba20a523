import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { request as httpsRequest } from "node:https";
import { type AddressInfo, connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { boundConnections } from "../../src/gate/http/connections.ts";
import type { TlsMaterial } from "../../src/gate/http/gate-server.ts";
import { gateWorld, tokenOf } from "./gate-world.ts";

/** Sends bytes, never the rest; what came back when the other side had enough. */
async function unfinished(url: string, bytes: string): Promise<string> {
  const { hostname, port } = new URL(url);
  return await new Promise((resolve) => {
    let received = "";
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    socket.setEncoding("latin1").on("data", (text: string) => {
      received += text;
    });
    socket.on("error", () => undefined).on("close", () => resolve(received));
  });
}

test("who sends half a head or half a body and then waits is hung up on, and others are answered meanwhile", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  const head = `POST /v1/verdicts HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${tokenOf("any")}\r\n`;
  const slow = Array.from({ length: 20 }, (_, index) =>
    unfinished(gate.url, index % 2 === 0 ? head : `${head}content-length: 100\r\n\r\n{`),
  );
  expect((await gate.ask("/healthz")).status).toBe(200);
  for (const answer of await Promise.all(slow)) expect(answer).toMatch(/^(HTTP\/1\.1 408 |HTTP\/1\.1 400 |$)/);
  expect((await gate.ask("/v1/decisions/1", { as: "any" })).status).toBe(404);
});

/** Opens a connection of its own that never hangs up, whatever the other side does; `ended` once that has hung up. */
async function staying(
  url: string,
  bytes: string,
): Promise<{ readonly socket: Socket; readonly ended: Promise<void> }> {
  const { hostname, port } = new URL(url);
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true }, () => socket.write(bytes));
  const ended = new Promise<void>((resolve) => socket.once("end", resolve).once("close", () => resolve()));
  await new Promise((resolve) => socket.on("error", resolve).once("connect", resolve));
  return { socket: socket.resume(), ended };
}

test("who never hangs up gives the connection back all the same, and takes no more of them than one address may", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve();
  const head = "POST /v1/verdicts HTTP/1.1\r\nhost: x\r\n";
  const opened = await Promise.all(
    Array.from({ length: LIMITS.gateConnectionsPerAddressMax }, () => staying(gate.url, head)),
  );
  try {
    await (await staying(gate.url, head)).ended;
    await expect(gate.ask("/healthz")).rejects.toThrow();
    await Promise.all(opened.map(({ ended }) => ended));
    expect((await gate.ask("/healthz")).status).toBe(200);
  } finally {
    for (const { socket } of opened) socket.destroy();
  }
});

test("one address holds as many connections as the operator lets it", async () => {
  await using world = await gateWorld();
  await using gate = await world.serve({ connections: { perAddressMax: 2 } });
  const head = "POST /v1/verdicts HTTP/1.1\r\nhost: x\r\n";
  const opened = [await staying(gate.url, head), await staying(gate.url, head)];
  try {
    await (await staying(gate.url, head)).ended;
    expect(opened.map(({ socket }) => socket.readableEnded)).toEqual([false, false]);
  } finally {
    for (const { socket } of opened) socket.destroy();
  }
});

/** A certificate that signs itself. */
function selfSigned(): TlsMaterial {
  const folder = mkdtempSync(path.join(tmpdir(), "canary-gate-tls-"));
  const made =
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key -out cert -subj /CN=gate -days 2";
  try {
    execFileSync("openssl", made.split(" "), { cwd: folder, stdio: "ignore" });
    const [cert, key] = ["cert", "key"].map((name) => readFileSync(path.join(folder, name), "utf8"));
    return { cert: cert ?? "", key: key ?? "" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The beginning of a TLS record that announces a handshake of 512 bytes, of which nothing more comes. */
const HALF_A_HELLO = "\x16\x03\x01\x02\x00\x01";

test("who never finishes a TLS handshake is hung up on after the time that the gate allows, and gives the connection back", async () => {
  await using world = await gateWorld();
  const tls = selfSigned();
  await using patient = await world.serve({ tls, connections: { handshakeMsMax: LIMITS.gateHandshakeMsMax } });
  await using hasty = await world.serve({ tls, connections: { perAddressMax: 1, handshakeMsMax: 2000 } });
  // The patient gate's was opened first, so that it would end first if the times were the same.
  const waited = await staying(patient.url, HALF_A_HELLO);
  const cut = await staying(hasty.url, HALF_A_HELLO);
  try {
    await cut.ended;
    expect(waited.socket.readableEnded).toBe(false);
    expect(await statusOverTls(hasty.url, tls)).toBe(200);
  } finally {
    for (const { socket } of [waited, cut]) socket.destroy();
  }
});

async function statusOverTls(url: string, { cert }: TlsMaterial): Promise<number | undefined> {
  return await new Promise((resolve, reject) => {
    const options = { ca: cert, agent: false, checkServerIdentity: () => undefined };
    const asked = httpsRequest(`${url}/healthz`, options, (response) => {
      response.resume().on("end", () => resolve(response.statusCode));
    });
    asked.on("error", reject).end();
  });
}

test("who asks and never reads the answer loses the connection", async () => {
  const server = createServer((_, response) => void response.end(Buffer.alloc(64 * 1024 * 1024)));
  boundConnections(server, LIMITS.gateConnectionsPerAddressMax);
  const closed = new Promise<void>((resolve) =>
    server.once("connection", (socket) => socket.once("close", () => resolve())),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1").pause();
  try {
    client.write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    await expect(closed).resolves.toBeUndefined();
  } finally {
    client.on("error", () => undefined).destroy();
    server.close();
  }
});
