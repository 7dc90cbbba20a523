import { expect, test } from "vitest";
import { publishVerdict } from "../../src/gate/publish.ts";
import { requestKey } from "../../src/gate/read-evidence.ts";
import { recentDecisions } from "../../src/gate/recent-decisions.ts";
import { type GateWorld, gateWorld } from "./gate-world.ts";

const ENVIRONMENT = "production/eu-west";

/** Publishes a plan and promotes it. */
async function promote(world: GateWorld, number: number): Promise<string> {
  const plan = world.plan(number);
  await publishVerdict(world.submission(plan), "ci", world.sources);
  const request = {
    plan: plan.sha256,
    environment: ENVIRONMENT,
    caller: { name: "ci", environments: ["production/*"] },
    change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
    key: requestKey("promotions", [String(number)]),
  } as const;
  const { decision } = await world.service.answer({ adapter: "promotions", mode: "promote", request });
  expect(decision.kind).toBe("admit");
  return plan.sha256;
}

/** Plans that a reader which starts now sees, and one that has followed from the beginning. */
async function seen(world: GateWorld, pastMs = 3_600_000) {
  const { size } = await world.ledger.head();
  const asOf = { atEpochMs: world.clock.nowEpochMs, size };
  const fresh = recentDecisions({ ledger: world.ledger, documents: world.sources.documents, pastMs });
  const [anew, followed] = await Promise.all([fresh.in(ENVIRONMENT, asOf), world.sources.recent.in(ENVIRONMENT, asOf)]);
  return { anew: anew.map(({ planSha256 }) => planSha256), followed: followed.map(({ planSha256 }) => planSha256) };
}

test("who follows the ledger sees the same admissions as who reads it anew, each once", async () => {
  await using world = await gateWorld();
  expect(await seen(world)).toEqual({ anew: [], followed: [] });
  const plans: string[] = [];
  for (let number = 0; number < 5; number++) {
    plans.push(await promote(world, number));
    world.clock.nowEpochMs += 7 * 60_000;
    const { anew, followed } = await seen(world);
    expect(new Set(anew)).toEqual(new Set(plans));
    expect(followed).toEqual(plans);
  }
});

test("what is longer ago than policy looks back is forgotten, and refusals are none", async () => {
  await using world = await gateWorld();
  await promote(world, 1);
  const plan = world.plan(1);
  const again = {
    plan: plan.sha256,
    environment: ENVIRONMENT,
    caller: { name: "ci", environments: ["production/*"] },
    change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
    key: requestKey("promotions", ["other"]),
  } as const;
  const { decision } = await world.service.answer({ adapter: "promotions", mode: "promote", request: again });
  expect(decision.kind).toBe("refuse");
  expect((await seen(world)).followed).toHaveLength(1);
  world.clock.nowEpochMs += 3_600_000;
  expect(await seen(world)).toEqual({ anew: [], followed: [] });
});

test("a promotion is counted once, however many parts it has, and never against itself", async () => {
  await using world = await gateWorld();
  const plan = world.plan(1);
  const { digest } = await publishVerdict(world.submission(plan), "ci", world.sources);
  const admit = async (part: string) => {
    const request = {
      plan: plan.sha256,
      environment: ENVIRONMENT,
      caller: { name: "ci", environments: ["production/*"] },
      change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
      key: requestKey("parts", [part]),
      step: { series: "cluster:eu", part: requestKey("part", [part]) },
    } as const;
    return (await world.service.answer({ adapter: "kubernetes", mode: "promote", request })).decision.kind;
  };
  expect([await admit("a"), await admit("b")]).toEqual(["admit", "admit"]);
  await promote(world, 2);
  const { anew, followed } = await seen(world);
  expect(anew).toHaveLength(2);
  expect(followed).toHaveLength(2);
  const { size } = await world.ledger.head();
  const others = await world.sources.recent.in(ENVIRONMENT, {
    atEpochMs: world.clock.nowEpochMs,
    size,
    besides: digest,
  });
  expect(others.map(({ planSha256 }) => planSha256)).toEqual([world.plan(2).sha256]);
});

test("questions that come at the same time take no entry twice", async () => {
  await using world = await gateWorld();
  await promote(world, 1);
  const { size } = await world.ledger.head();
  const asOf = { atEpochMs: world.clock.nowEpochMs, size };
  const answers = await Promise.all(Array.from({ length: 10 }, () => world.sources.recent.in(ENVIRONMENT, asOf)));
  expect(answers.map(({ length }) => length)).toEqual(Array.from({ length: 10 }, () => 1));
});

test("an environment that is asked about for the first time while somebody else admits is not counted twice", async () => {
  await using world = await gateWorld();
  const { size } = await world.ledger.head();
  await promote(world, 1);
  const fresh = recentDecisions({ ledger: world.ledger, documents: world.sources.documents, pastMs: 3_600_000 });
  const ask = async (asOfSize: number) =>
    (await fresh.in(ENVIRONMENT, { atEpochMs: world.clock.nowEpochMs, size: asOfSize })).length;
  expect(await ask(size)).toBe(0);
  expect(await ask((await world.ledger.head()).size)).toBe(1);
});
