import { connect } from "node:net";
import { expect, test } from "vitest";
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
