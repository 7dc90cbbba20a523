import { fileURLToPath } from "node:url";
import * as grpc from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { expect, test } from "vitest";
import { ROLES, type Role } from "../../../src/mirror/twin.ts";
import { startDriver } from "../../../src/replay/driver/start-driver.ts";
import type { DriverTargets } from "../../../src/replay/traffic-driver.ts";
import { FOREVER, scratchDir, watch } from "./loopback-twins.ts";

const FOLDER = fileURLToPath(new URL(".", import.meta.url));
const CALL = { proto: "inventory.proto", service: "test.inventory.Inventory", method: "Reserve" };

interface Item {
  readonly sku: string;
  readonly quantity: number;
  readonly reservation: string;
}

/** Two gRPC services on loopback; `answer` gives a reservation's id, a status code, or no answer at all. */
async function grpcTwins(
  answer: (role: Role, item: Item) => string | grpc.status | undefined,
): Promise<{ readonly targets: DriverTargets } & AsyncDisposable> {
  const definition = loadSync(`${FOLDER}inventory.proto`, { defaults: true })["test.inventory.Inventory"];
  const servers: grpc.Server[] = [];
  const raise = async (role: Role): Promise<DriverTargets[Role]> => {
    const server = new grpc.Server();
    servers.push(server);
    server.addService(definition as grpc.ServiceDefinition, {
      Reserve: (call: { readonly request: Item }, done: grpc.sendUnaryData<{ id: string }>) => {
        const result = answer(role, call.request);
        if (typeof result === "string") done(null, { id: result });
        else if (result !== undefined) done({ code: result, details: "as the test says" });
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    return { grpc: { host: "127.0.0.1", port } };
  };
  const [control = {}, shadow = {}] = await Promise.all(ROLES.map(raise));
  return {
    targets: { control, shadow },
    [Symbol.asyncDispose]: async () => {
      for (const server of servers) server.forceShutdown();
    },
  };
}

function mixOf(message: object, more: object = {}): object {
  return {
    ratePerSecond: 150,
    values: { sku: ["a", "b"] },
    mix: [{ route: "reserve", weight: 1, timeoutMs: 1500, grpc: { ...CALL, message }, ...more }],
  };
}

test("unary calls reach both twins with the same message and count as answered", async () => {
  await using scratch = await scratchDir();
  const received: Record<Role, string[]> = { control: [], shadow: [] };
  await using twins = await grpcTwins((role, item) => {
    received[role].push(`${item.sku} ${item.quantity}`);
    return "r-1";
  });
  const traffic = mixOf({ sku: "${pick:sku}", quantity: "${int:1:90}" });
  const watched = watch({ traffic, targets: twins.targets, ...scratch, baseDir: FOLDER });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 80);
  await driver.finish(FOREVER);
  expect(received.shadow.toSorted()).toEqual(received.control.toSorted());
  expect(new Set(received.control).size).toBeGreaterThan(20);
  expect(watched.pairs.every(({ arms }) => arms.control.status === 1000 && arms.shadow.outcome === "ok")).toBe(true);
});

test("an error status is an error with its code, and no answer is a time-out", async () => {
  await using scratch = await scratchDir();
  await using twins = await grpcTwins((role, item) =>
    role === "control" ? "r-1" : item.quantity === 1 ? grpc.status.INTERNAL : undefined,
  );
  const watched = watch({
    traffic: mixOf({ quantity: "${int:1:2}" }),
    targets: twins.targets,
    ...scratch,
    baseDir: FOLDER,
  });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 60);
  await driver.finish(FOREVER);
  const shadows = new Set(watched.pairs.map(({ arms }) => `${arms.shadow.outcome} ${arms.shadow.status}`));
  expect(shadows).toEqual(new Set(["http-error 1013", "timeout 0"]));
  expect(watched.pairs.every(({ arms }) => arms.control.outcome === "ok")).toBe(true);
});

test("a captured value of an answer is sent back to the twin that gave it", async () => {
  await using scratch = await scratchDir();
  const sentBack: Record<Role, Set<string>> = { control: new Set(), shadow: new Set() };
  await using twins = await grpcTwins((role, item) => {
    if (item.reservation !== "") sentBack[role].add(item.reservation);
    return `${role}-7`;
  });
  const traffic = {
    ratePerSecond: 150,
    mix: [
      { route: "reserve", weight: 1, grpc: CALL, capture: { hold: { json: "/id" } } },
      { route: "again", weight: 1, grpc: { ...CALL, message: { reservation: "${hold}" } } },
    ],
  };
  const watched = watch({ traffic, targets: twins.targets, ...scratch, baseDir: FOLDER });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 80);
  await driver.finish(FOREVER);
  expect(sentBack).toEqual({ control: new Set(["control-7"]), shadow: new Set(["shadow-7"]) });
});

test("a twin that is not there gives connection errors", async () => {
  await using scratch = await scratchDir();
  await using twins = await grpcTwins(() => "r-1");
  const targets = { ...twins.targets, shadow: { grpc: { host: "127.0.0.1", port: 1 } as const } };
  const watched = watch({ traffic: mixOf({}), targets, ...scratch, baseDir: FOLDER });
  await using driver = await startDriver(watched.options);
  await watched.until(() => watched.pairs.length >= 40);
  await driver.finish(FOREVER);
  expect(new Set(watched.pairs.map(({ arms }) => arms.shadow.outcome))).toEqual(new Set(["connection-error"]));
});

test.each([{ method: "Watch" }, { method: "Nothing" }, { service: "test.inventory.Nobody" }])(
  "%o is refused",
  async (wrong) => {
    await using scratch = await scratchDir();
    const address = { grpc: { host: "127.0.0.1", port: 1 } as const };
    const traffic = { ratePerSecond: 10, mix: [{ route: "r", weight: 1, grpc: { ...CALL, ...wrong } }] };
    const watched = watch({ traffic, targets: { control: address, shadow: address }, ...scratch, baseDir: FOLDER });
    await expect(startDriver(watched.options)).rejects.toMatchObject({ code: "SCENARIO_INVALID" });
  },
);
