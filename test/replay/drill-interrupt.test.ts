import { type AddressInfo, createServer } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import type { Address } from "../../src/mirror/twin.ts";
import { type ActionKind, ActionStepSchema } from "../../src/plan/action.ts";
import { KINDS } from "../../src/plan/kinds.ts";
import { interrupt, startPlay } from "../../src/replay/drill/play.ts";
import { scale } from "../support/action-builder.ts";
import { drillStage } from "../support/drill-stage-builder.ts";
import { manualClock } from "../support/manual-clock.ts";
import { NEVER } from "../support/simulated-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { plainFile } from "../support/simulated-world.ts";

const PATH = "/etc/app/flags.json";
const FLAGS = '{"flags":{"new":{"state":"ENABLED","variants":{"on":true,"off":false},"defaultVariant":"off"}}}';
const UPDATE = "UPDATE feature_flags SET enabled = true WHERE name = 'new'";

/** One step of every kind, with what makes it a step. */
const STEPS: Readonly<Record<ActionKind, object>> = {
  http: { service: "api", port: 8080, path: "/admin/flags/new", body: { on: true } },
  grpc: {
    service: "api",
    port: 50051,
    proto: "switch.proto",
    rpcService: "test.Switch",
    method: "Flip",
    message: { name: "lamp" },
  },
  sql: { service: "db", statements: [UPDATE], landed: "SELECT count(*) = 7 FROM feature_flags" },
  exec: { service: "api", argv: ["true"] },
  scale: { service: "worker", replicas: 3 },
  update: { service: "worker", environment: { SPEED: "2" } },
  restart: { service: "worker" },
  remove: { service: "worker" },
  file: { service: "api", path: PATH, replace: "new" },
  flag: { service: "api", path: PATH, flag: "new", defaultVariant: "on" },
  redis: { service: "cache", commands: [["SET", "k", "1"]] },
  wait: { seconds: 1 },
  probe: { service: "api", port: 8080, path: "/" },
  "query-metrics": { service: "api", metric: "up" },
  "query-logs": { service: "api", lines: 5 },
  ticket: { host: "tracker.example", path: "/issues", title: "t", body: "b" },
  "pull-request": {
    host: "git.example",
    repository: "shop/shop",
    title: "t",
    body: "b",
    branch: "b",
    diff: "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n",
  },
};

/** Somebody who takes what is sent and never answers. */
async function silentServer(): Promise<{ readonly address: Address; readonly heard: () => string }> {
  let heard = "";
  const server = createServer((socket) => {
    socket.on("data", (chunk) => {
      heard += chunk.toString("latin1");
    });
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { address: { host: "127.0.0.1", port: (server.address() as AddressInfo).port }, heard: () => heard };
}

/** Stops one step in its middle that took so long before. */
async function stop(kind: ActionKind, learnedMs: number) {
  const { address, heard } = await silentServer();
  const world = shopWorld();
  world.files.set("api", new Map([[PATH, plainFile(Buffer.from(FLAGS))]]));
  const action = {
    ...scale("act-1", { service: "worker", from: 1, to: 3 }),
    requires: ["postgres:write@shop"],
    step: ActionStepSchema.parse({ uses: kind, with: STEPS[kind] }),
  };
  const shadow = { address: () => address };
  const made = drillStage({ action, clock: manualClock(), learnedMs, world, shadow });
  const play = startPlay(made.stage);
  const went = await interrupt(play, action, NEVER);
  return { went, heard, begun: play.begun, operations: made.shadow.operations };
}

test("there is a step of every kind to be stopped", () => {
  expect(Object.keys(STEPS).sort()).toEqual(Object.keys(KINDS).sort());
});

test.each(Object.keys(KINDS) as ActionKind[])("%s is stopped in its middle, however fast it is", async (kind) => {
  const { went, begun } = await stop(kind, 20);
  expect(went).toMatchObject({ kind: "stopped" });
  expect(begun.map(({ id }) => id)).toEqual(["act-1"]);
});

test("SQL is stopped when its statements are at the server, and the landed query is not asked", async () => {
  const { operations } = await stop("sql", 20);
  // One question before anything, whether it is at its target already.
  expect(operations.filter((one) => one.endsWith(" db"))).toEqual(["sql db", "sql db"]);
});

test("a request is stopped when it has been sent whole, not before", async () => {
  const { heard } = await stop("http", 20);
  await expect.poll(heard).toContain('{"on":true}');
});
