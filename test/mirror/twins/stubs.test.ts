import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { listenForStubs, type StubListener } from "../../../src/mirror/twins/stubs.ts";
import { manualClock } from "../../support/manual-clock.ts";

const payments = fileURLToPath(new URL("../../docker/fixtures/mini/payments.ts", import.meta.url));

function listen(role: "control" | "shadow", runId: string, handlersPath = payments): Promise<StubListener> {
  return listenForStubs({
    stubs: [{ host: "payments.example", handlersPath }],
    address: "127.0.0.1",
    role,
    runId,
    clock: manualClock(),
  });
}

async function call(listener: StubListener, host: string, path: string): Promise<string> {
  const { request } = await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const asked = request(
    { host: listener.host, port: listener.port, path, method: "POST", headers: { host } },
    async (response) => {
      const chunks = await response.toArray();
      resolve(`${response.statusCode} ${Buffer.concat(chunks).toString("utf8")}`);
    },
  );
  asked.on("error", reject).end("{}");
  return await promise;
}

test("each twin talks to an instance of its own, and every call is recorded", async () => {
  await using control = await listen("control", "stub-run");
  await using shadow = await listen("shadow", "stub-run");
  expect(await call(shadow, "payments.example", "/charge?x=1")).toBe('201 {"charge":1}');
  expect(await call(shadow, "payments.example:80", "/charge")).toBe('201 {"charge":2}');
  expect(await call(control, "payments.example", "/charge")).toBe('201 {"charge":1}');
  expect(shadow.calls().map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
    "POST /charge 201",
    "POST /charge 201",
  ]);
  expect(control.calls()).toHaveLength(1);
});

test("what no handler matches, and a host that nobody declared, is answered 501 and recorded", async () => {
  await using listener = await listen("shadow", "unmatched-run");
  expect(await call(listener, "payments.example", "/refunds")).toMatch(/^501 no stub answers POST/);
  expect(await call(listener, "evil.example", "/charge")).toMatch(/^501 /);
  expect(listener.calls().map(({ host, status }) => `${host} ${status}`)).toEqual([
    "payments.example 501",
    "evil.example 501",
  ]);
});

test("a module without handlers is refused by name", async () => {
  const wrong = fileURLToPath(new URL("../../../src/core/sha256.ts", import.meta.url));
  await expect(listen("shadow", "wrong-run", wrong)).rejects.toMatchObject({
    code: "MIRROR_INVALID",
    message: expect.stringContaining("payments.example does not export"),
  });
});
