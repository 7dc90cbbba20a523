import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Intent } from "../../src/core/intent-log.ts";
import { type ActionStep, ActionStepSchema } from "../../src/plan/action.ts";
import type { Action } from "../../src/plan/plan.ts";
import { undoWords } from "../../src/replay/actions/derive-undo.ts";
import { replayPlan } from "../../src/replay/proof/load-replay.ts";
import type { Performance } from "../../src/replay/proof/perform-action.ts";
import { undoPlan } from "../../src/replay/proof/undo-plan.ts";
import { planOf } from "../support/action-builder.ts";
import { manualClock } from "../support/manual-clock.ts";
import { shopWorld } from "../support/simulated-shop.ts";
import { type SimulatedBehaviour, type SimulatedTwin, simulatedTwin } from "../support/simulated-twin.ts";
import { plainFile, type SimulatedWorld } from "../support/simulated-world.ts";

const never = new AbortController().signal;
const FLAG_FILE =
  '{ "flags": { "a": { "state": "ENABLED", "variants": { "on": true, "off": false }, "defaultVariant": "off" } } }';

const step = (uses: ActionStep["uses"], arguments_: Record<string, unknown>): ActionStep =>
  ActionStepSchema.parse({ uses, with: arguments_ });

function action(id: string, given: ActionStep): Action {
  return { id, what: id, why: "to see", requires: ["test"], changes: ["**"], step: given, timeoutSeconds: 30 };
}

function world(): SimulatedWorld {
  const shop = shopWorld();
  const settings = { bytes: Buffer.from([0, 255, 1]), attributes: { mode: 0o600, uid: 7, gid: 8 } };
  shop.files.set(
    "api",
    new Map([
      ["/flags.json", plainFile(Buffer.from(FLAG_FILE))],
      ["/blob", settings],
    ]),
  );
  return shop;
}

function stage(
  behaviour: SimulatedBehaviour = {},
): Performance & { readonly shadow: SimulatedTwin; readonly intents: Intent[] } {
  const intents: Intent[] = [];
  const clock = manualClock();
  return {
    proof: "load",
    shadow: simulatedTwin("shadow", world(), behaviour),
    clock,
    intents,
    intent: { record: async (intent) => void intents.push(intent) },
    axisMs: () => clock.monotonicMs(),
    baseDir: "/",
    onStep: () => undefined,
    onRecord: () => undefined,
  };
}

/** What a plan must put back; which processes serve is another matter. */
function stateOf({ services, keys, files, databases }: SimulatedWorld) {
  const configured = [...services].map(
    ([name, { processes: _, born: __, ...configuration }]) => [name, configuration] as const,
  );
  const held = [...files].map(([name, all]) => {
    const plain = [...all].map(([path, { bytes, attributes }]) => [
      path,
      Buffer.from(bytes).toString("hex"),
      attributes,
    ]);
    return [name, plain.sort()] as const;
  });
  return { services: new Map(configured), keys, files: held, databases };
}

async function undoOf(given: ActionStep): Promise<unknown> {
  const to = stage();
  await replayPlan({ plan: planOf(action("only", given)), to, signal: never });
  const act = to.intents.find((intent) => intent.kind === "act");
  return act?.kind === "act" ? act.undo : undefined;
}

describe("the undo that is read before an action acts", () => {
  test.each([
    ["scale", { service: "worker", replicas: 3 }, { uses: "scale", with: { service: "worker", replicas: 1 } }],
    ["remove", { service: "api" }, { uses: "scale", with: { service: "api", replicas: 1 } }],
    [
      "update",
      { service: "api", environment: { PORT: "9", NEW: "x" }, cpus: 2, image: "api:2" },
      {
        uses: "update",
        with: { service: "api", environment: { PORT: "8080", NEW: null }, image: "sha256:api", cpus: null },
      },
    ],
    [
      "file",
      { service: "api", path: "/blob", remove: true },
      {
        uses: "file",
        with: {
          service: "api",
          path: "/blob",
          replaceBase64: "AP8B",
          attributes: { mode: "0600", uid: 7, gid: 8 },
        },
      },
    ],
    [
      "file",
      { service: "api", path: "/new", replace: "x" },
      { uses: "file", with: { service: "api", path: "/new", remove: true } },
    ],
    [
      "flag",
      { service: "api", path: "/flags.json", flag: "a", defaultVariant: "on" },
      {
        uses: "file",
        with: {
          service: "api",
          path: "/flags.json",
          replace: FLAG_FILE,
          attributes: { mode: "0644", uid: 0, gid: 0 },
        },
      },
    ],
    [
      "redis",
      {
        service: "cache",
        commands: [
          ["SET", "stock:1", "9"],
          ["SET", "new", "1"],
        ],
      },
      {
        uses: "redis",
        with: {
          service: "cache",
          commands: [],
          restore: [
            { key: "stock:1", dumpHex: "35" },
            { key: "new", dumpHex: null },
          ],
        },
      },
    ],
  ] as const)("%s %j", async (uses, arguments_, undo) => {
    expect(await undoOf(step(uses, { ...arguments_ }))).toEqual(undo);
    // What is written into the log of intents can be read from it again.
    expect(ActionStepSchema.safeParse(undo).success).toBe(true);
  });

  test("is none for what needs none, and the plan's own where it gives one", async () => {
    expect(await undoOf(step("restart", { service: "api" }))).toBeNull();
    const to = stage();
    const own = step("scale", { service: "worker", replicas: 2 });
    const given = { ...action("own", step("scale", { service: "worker", replicas: 3 })), rollback: own };
    await replayPlan({ plan: planOf(given), to, signal: never });
    expect(to.intents[0]).toMatchObject({ kind: "act", undo: own });
  });

  test("that can not be read keeps the action from acting, and leaves nothing to undo", async () => {
    const to = stage({
      interrupt: (operation) => {
        if (operation.startsWith("read")) throw new Error("replicas hold different contents");
      },
    });
    const outcome = await replayPlan({
      plan: planOf(
        action("more", step("scale", { service: "worker", replicas: 2 })),
        action("file", step("file", { service: "api", path: "/blob", replace: "x" })),
      ),
      to,
      signal: never,
    });
    expect(outcome).toMatchObject({
      end: { kind: "failed", actionId: "file", message: "replicas hold different contents" },
    });
    expect(outcome.acted.map(({ id }) => id)).toEqual(["more"]);
    expect(to.shadow.operations.some((operation) => operation.startsWith("write"))).toBe(false);
  });

  test("is shown without secrets and without long contents", () => {
    const words = undoWords(
      step("file", { service: "api", path: "/s", replace: `password=hunter2hunter2 ${"x".repeat(9000)}` }),
    );
    expect(words).toContain("[masked]");
    expect(words).not.toContain("hunter2");
    expect(words.length).toBeLessThan(500);
  });
});

describe("whatever a plan does with kinds that are undone from the state before", () => {
  const service = fc.constantFrom("api", "worker");
  const path = fc.constantFrom("/flags.json", "/blob", "/new");
  const key = fc.constantFrom("stock:1", "stock:2", "new");
  const steps: fc.Arbitrary<ActionStep> = fc.oneof(
    fc.record({ service, replicas: fc.integer({ min: 0, max: 4 }) }).map((with_) => step("scale", with_)),
    service.map((name) => step("remove", { service: name })),
    fc
      .record({ service, value: fc.constantFrom("1", "2", null), cpus: fc.constantFrom(1, 2, null) })
      .map(({ service: name, value, cpus }) =>
        step("update", { service: name, environment: { PORT: value, A: value }, cpus }),
      ),
    fc.record({ path, replace: fc.string() }).map((with_) => step("file", { service: "api", ...with_ })),
    path.map((at) => step("file", { service: "api", path: at, remove: true })),
    fc
      .constantFrom("on", "off")
      .map((variant) => step("flag", { service: "api", path: "/flags.json", flag: "a", defaultVariant: variant })),
    fc.record({ key, value: fc.string() }).map(({ key: name, value }) =>
      step("redis", {
        service: "cache",
        commands: [
          ["SET", name, value],
          ["APPEND", name, "!"],
        ],
      }),
    ),
    key.map((name) => step("redis", { service: "cache", commands: [["DEL", name]] })),
    service.map((name) => step("restart", { service: name })),
  );

  test("the state after undoing is the state before, also when it was stopped in the middle", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(steps, { minLength: 1, maxLength: 6 }),
        fc.option(fc.nat(40)),
        async (all, stopAfter) => {
          const human = new AbortController();
          let operations = 0;
          const to = stage({
            interrupt: () => {
              operations += 1;
              if (operations === stopAfter) human.abort(new Error("stop"));
            },
          });
          const plan = planOf(...all.map((one, index) => action(`a${index}`, one)));
          const { acted } = await replayPlan({ plan, to, signal: human.signal });
          expect(await undoPlan(acted, to, never)).not.toHaveProperty("failed");
          expect(stateOf(to.shadow.world)).toEqual(stateOf(world()));
        },
      ),
      { numRuns: 300 },
    );
  });
});
