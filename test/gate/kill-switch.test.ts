import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { killSwitchState, signKillSwitch } from "../../src/gate/kill-switch.ts";
import { gateWorld } from "./gate-world.ts";
import { ENVIRONMENT } from "./promotion-builder.ts";

async function served() {
  await using opening = new AsyncDisposableStack();
  const world = opening.use(await gateWorld());
  const gate = opening.use(await world.serve());
  const send = async (bundle: string): Promise<number> =>
    (await gate.ask("/v1/kill-switch", { body: { bundle }, as: "operator" })).status;
  const stateOf = async (scope = "*") => (await killSwitchState(world.sources, scope)).kind;
  const owned = opening.move();
  return { world, send, stateOf, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

test("an order about what this gate does not guard is refused, and not said to be in force", async () => {
  await using it = await served();
  for (const scope of ["production/*", "production/eu_west", "production", "a".repeat(64)])
    expect(await it.send(it.world.order(true, scope))).toBe(422);
  for (const scope of ["*", ENVIRONMENT.id, `sha256:${"a".repeat(64)}`])
    expect(await it.send(it.world.order(true, scope))).toBe(200);
});

test("a release that was signed for another ledger, or for none by name, lets nothing go on", async () => {
  await using it = await served();
  const { world, send, stateOf } = it;
  const sign = (isEngaged: boolean, ledger?: string) =>
    signKillSwitch(
      { scope: "*", isEngaged, reason: "fire", ...(ledger === undefined ? {} : { ledger }) },
      world.key("olga", "operator"),
      { atEpochMs: world.clock.nowEpochMs, nonce: randomBytes(16).toString("hex") },
    );
  expect(await send(sign(true, "staging.test/ledger"))).toBe(422);
  expect(await send(sign(true))).toBe(200);
  world.clock.nowEpochMs += 1;
  expect(await send(sign(false, "staging.test/ledger"))).toBe(422);
  expect(await send(sign(false))).toBe(422);
  expect(await stateOf()).toBe("engaged");
  expect(await send(sign(false, world.ledger.origin))).toBe(200);
  expect(await stateOf()).toBe("released");
});

test("a release that was signed before the last stop and arrives after it lets nothing go on; a stop always stops", async () => {
  await using it = await served();
  const { world, send, stateOf } = it;
  const early = world.order(false);
  const late = world.order(true);
  world.clock.nowEpochMs += 1000;
  expect(await send(world.order(true))).toBe(200);
  expect(await send(early)).toBe(422);
  expect(await stateOf()).toBe("engaged");
  world.clock.nowEpochMs += 1000;
  expect(await send(world.order(false))).toBe(200);
  expect(await stateOf()).toBe("released");
  expect(await send(late)).toBe(200);
  expect(await stateOf()).toBe("engaged");
});
