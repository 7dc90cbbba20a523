import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { Intent } from "../../src/core/intent-log.ts";
import type { Action, Plan } from "../../src/plan/plan.ts";
import type { StepEvent, StepRecord } from "../../src/replay/proof/perform-action.ts";
import type { QuietProof } from "../../src/replay/proof/proofs.ts";
import { proveQuietly } from "../../src/replay/proof/quiet-proof.ts";
import { planOf, scale, setEnvironment, sqlAction } from "../support/action-builder.ts";
import { manualClock } from "../support/manual-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { type SimulatedBehaviour, simulatedPair } from "../support/simulated-twin.ts";

interface Proven {
  readonly proof: QuietProof;
  readonly directEffects: readonly string[];
  readonly intents: readonly Intent[];
  readonly events: readonly StepEvent[];
  readonly records: readonly StepRecord[];
  readonly pair: ReturnType<typeof simulatedPair>;
}

async function prove(
  plan: Plan,
  options: {
    readonly shadow?: SimulatedBehaviour;
    readonly allowed?: readonly string[];
    readonly signal?: AbortSignal;
    readonly intents?: Intent[];
    readonly pair?: ReturnType<typeof simulatedPair>;
    readonly traceless?: ReadonlySet<string>;
  } = {},
): Promise<Proven> {
  const pair =
    options.pair ??
    simulatedPair({
      spec: shopSpec,
      world: shopWorld(),
      ...(options.shadow === undefined ? {} : { shadow: options.shadow }),
    });
  const intents = options.intents ?? [];
  const events: StepEvent[] = [];
  const records: StepRecord[] = [];
  const { directEffects, ...proof } = await proveQuietly({
    plan,
    pair,
    state: simulatedState,
    baseline: fingerprintOf(pair.shadow.world),
    allowedChanges: options.allowed ?? ["**"],
    ...(options.traceless === undefined ? {} : { traceless: options.traceless }),
    intent: { record: async (intent) => void intents.push(intent) },
    clock: manualClock(),
    axisMs: () => -1,
    baseDir: "/",
    signal: options.signal ?? new AbortController().signal,
    onStep: (event) => void events.push(event),
    onRecord: (record) => void records.push(record),
  });
  return { proof, directEffects, intents, events, records, pair };
}

const paths = (proof: QuietProof, index = 0) =>
  proof.actions[index]?.effects.map(({ kind, path }) => `${kind} ${path}`);

describe("a plan that keeps its word", () => {
  const plan = planOf(scale("more", { service: "worker", from: 1, to: 3 }), {
    ...sqlAction("index", "CREATE INDEX jobs_kind ON jobs (kind)", "DROP INDEX jobs_kind"),
    changes: ["db/db/shop/schema/jobs/index/jobs_kind"],
  });

  test("has exactly the effects it declares, each attributed to its action, and leaves nothing", async () => {
    const { proof } = await prove(plan);
    expect(paths(proof, 0)).toEqual(["changed service/worker/replicas"]);
    expect(paths(proof, 1)).toEqual(["added db/db/shop/schema/jobs/index/jobs_kind"]);
    expect(proof).toEqual({
      actions: proof.actions.map((action) => ({ ...action, undeclared: [], absent: [], noOp: false })),
      residue: [],
    });
  });

  test("is undone last action first", async () => {
    const { records, pair } = await prove(plan);
    expect(records.map(({ id, phase, proof, landed }) => `${proof} ${phase} ${id} ${landed}`)).toEqual([
      "quiet act more true",
      "quiet act index true",
      "quiet undo index true",
      "quiet undo more true",
    ]);
    expect(fingerprintOf(pair.shadow.world)).toEqual(fingerprintOf(pair.control.world));
  });

  test("has every undo in the intent log before the action acts", async () => {
    const trail: string[] = [];
    const intents: Intent[] = [];
    await prove(plan, {
      intents: Object.assign(intents, { push: (intent: Intent) => trail.push(intent.kind) }),
      shadow: { interrupt: (operation) => void (/^(scale|sql)/.test(operation) && trail.push(operation)) },
    });
    expect(trail).toEqual([
      "act",
      "scale worker",
      "landed",
      "act",
      "sql db",
      "landed",
      "undo",
      "sql db",
      "undone",
      "undo",
      "scale worker",
      "undone",
    ]);
  });

  test("never touches the control", async () => {
    const { pair } = await prove(plan);
    expect(pair.control.operations.filter((operation) => operation !== "configuration")).toEqual([]);
  });
});

describe("an effect", () => {
  const both = "UPDATE jobs SET status = 'done' WHERE id = '1'";

  test("that was not declared is named with its row", async () => {
    const { proof } = await prove(
      planOf({
        ...sqlAction("finish", both, "UPDATE jobs SET status = 'queued' WHERE id = '1'"),
        changes: ["db/db/shop/rows/jobs/2/status"],
      }),
    );
    expect(proof.actions[0]?.undeclared.map(({ path }) => path)).toEqual(["db/db/shop/rows/jobs/1/status"]);
    expect(proof.actions[0]?.absent).toEqual(["db/db/shop/rows/jobs/2/status"]);
  });

  test("outside the operator's patterns is undeclared even where the plan declares it", async () => {
    const { proof } = await prove(planOf(scale("more", { service: "worker", from: 1, to: 3 })), { allowed: ["db/**"] });
    expect(proof.actions[0]?.undeclared.map(({ path }) => path)).toEqual(["service/worker/replicas"]);
  });

  test("of the second action is not blamed on the first, in the same table and even the same row", async () => {
    const { proof } = await prove(
      planOf(
        sqlAction("first", both, "UPDATE jobs SET status = 'queued' WHERE id = '1'"),
        sqlAction(
          "second",
          "UPDATE jobs SET kind = 'import' WHERE id = '1'; UPDATE jobs SET status = 'done' WHERE id = '2'",
          "UPDATE jobs SET kind = 'fulfil' WHERE id = '1'; UPDATE jobs SET status = 'queued' WHERE id = '2'",
        ),
        sqlAction(
          "third",
          "UPDATE jobs SET status = 'queued' WHERE id = '1'",
          "UPDATE jobs SET status = 'done' WHERE id = '1'",
        ),
      ),
    );
    expect(paths(proof, 0)).toEqual(["changed db/db/shop/rows/jobs/1/status"]);
    expect(paths(proof, 1)).toEqual(["changed db/db/shop/rows/jobs/1/kind", "changed db/db/shop/rows/jobs/2/status"]);
    expect(paths(proof, 2)).toEqual(["changed db/db/shop/rows/jobs/1/status"]);
    expect(proof.residue).toEqual([]);
  });

  test("is seen for any rows that are written, and gone for none that are put back", async () => {
    const row = fc.record({
      id: fc.integer({ min: 1, max: 9 }).map(String),
      status: fc.constantFrom("done", "lost", "queued"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 4 }), async (writes) => {
        const statement = ({ id, status }: { id: string; status: string }) =>
          `UPDATE jobs SET status = '${status}' WHERE id = '${id}'`;
        const actions = writes.map((write, index) =>
          sqlAction(`write-${index}`, statement(write), "UPDATE jobs SET status = 'queued'"),
        );
        const { proof } = await prove(planOf(...actions));
        const before = new Map(Array.from({ length: 9 }, (_, n) => [String(n + 1), "queued"]));
        for (const [index, { id, status }] of writes.entries()) {
          expect(paths(proof, index)).toEqual(
            before.get(id) === status ? [] : [`changed db/db/shop/rows/jobs/${id}/status`],
          );
          before.set(id, status);
        }
        expect(proof.residue).toEqual([]);
      }),
      { numRuns: 50 },
    );
  });
});

describe("an undo", () => {
  test("that leaves something is shown by what it left", async () => {
    const { proof } = await prove(planOf(scale("more", { service: "worker", from: 2, to: 3 })));
    expect(proof.residue).toEqual([{ path: "service/worker/replicas", kind: "changed", before: "1", after: "2" }]);
    expect(proof.failed).toBeUndefined();
  });

  test("that fails twice is reported, and the others are undone all the same", async () => {
    const { proof, pair } = await prove(
      planOf(
        scale("more", { service: "worker", from: 1, to: 3 }),
        sqlAction("index", "CREATE INDEX i ON jobs (kind)", "DROP INDEX other"),
      ),
    );
    expect(proof.failed).toMatchObject({
      actionId: "index",
      during: "undo",
      message: expect.stringContaining("other"),
    });
    expect(pair.shadow.world.services.get("worker")?.replicas).toBe(1);
    expect(proof.residue.map(({ path }) => path)).toEqual(["db/db/shop/schema/jobs/index/i"]);
  });

  test("that fails once is tried again", async () => {
    let refusals = 1;
    const { proof } = await prove(planOf(scale("more", { service: "worker", from: 1, to: 3 })), {
      shadow: {
        interrupt: (operation) => {
          if (operation === "scale worker" && refusals-- === 0) throw new Error("try again");
        },
      },
    });
    expect(proof.failed).toBeUndefined();
    expect(proof.residue).toEqual([]);
  });
});

describe("an action that fails", () => {
  const plan = planOf(
    scale("more", { service: "worker", from: 1, to: 3 }),
    sqlAction("broken", "UPDATE nothing SET a = '1'", "UPDATE nothing SET a = '0'"),
    scale("never", { service: "api", from: 1, to: 2 }),
  );

  test("stops the plan; what was done is undone, and an undo of nothing is not asked for", async () => {
    const { proof, records } = await prove(plan);
    expect(proof.failed).toMatchObject({
      actionId: "broken",
      during: "act",
      message: expect.stringContaining("nothing"),
    });
    expect(proof.actions.map(({ id }) => id)).toEqual(["more", "broken"]);
    expect(proof.residue).toEqual([]);
    expect(records.filter(({ phase }) => phase === "undo").map(({ id }) => id)).toEqual(["more"]);
  });

  test("half-way is undone like any other", async () => {
    const action = sqlAction(
      "half",
      "UPDATE jobs SET status = 'done' WHERE id = '1'",
      "UPDATE jobs SET status = 'queued' WHERE id = '1'",
    );
    const step = {
      ...action.step,
      with: {
        ...action.step.with,
        statements: [...action.step.with.statements, "UPDATE nothing SET a = '1'"],
        transaction: false,
      },
    };
    const { proof } = await prove(planOf({ ...action, step }));
    expect(proof.failed?.during).toBe("act");
    expect(paths(proof)).toEqual(["changed db/db/shop/rows/jobs/1/status"]);
    expect(proof.residue).toEqual([]);
  });
});

describe("an action that is at its target already", () => {
  test("is not performed, not undone and not called absent", async () => {
    const { proof, records } = await prove(planOf(scale("same", { service: "worker", from: 3, to: 1 })));
    expect(proof.actions).toEqual([{ id: "same", effects: [], undeclared: [], absent: [], noOp: true }]);
    expect(records).toEqual([]);
    expect(proof.residue).toEqual([]);
  });

  test("by its image shows only when it has been performed and changed nothing", async () => {
    const action = setEnvironment("image", "api", {});
    const { proof } = await prove(
      planOf({
        ...action,
        step: { uses: "update", with: { service: "api", image: "api:latest" } },
        changes: ["service/api/image"],
      }),
      { shadow: { imageId: () => "sha256:api" } },
    );
    expect(proof.actions[0]).toMatchObject({ noOp: true, absent: [] });
  });
});

describe("an action of which nothing is seen", () => {
  const missed = sqlAction(
    "miss",
    "UPDATE jobs SET status = 'done' WHERE id = '99'",
    "UPDATE jobs SET status = 'done' WHERE id = '99'",
  );

  test("though it landed is told as such: a write that missed, or one where nobody looks", async () => {
    const { proof } = await prove(planOf(missed));
    expect(proof.actions).toEqual([
      { id: "miss", effects: [], undeclared: [], absent: [], noOp: false, withoutEffect: "at-all" },
    ]);
  });

  test("and that declares changed answers is left to the load, which alone can show them", async () => {
    const { proof } = await prove(planOf({ ...missed, changes: [...missed.changes, "response/browse/body/price"] }));
    expect(proof.actions[0]?.withoutEffect).toBe("quietly");
  });

  test("is what one of upkeep or restarting is for", async () => {
    const upkeep = await prove(planOf(missed), { traceless: new Set(["miss"]) });
    expect(upkeep.proof.actions[0]).not.toHaveProperty("withoutEffect");
    const restart: Action = {
      ...missed,
      changes: [],
      step: { uses: "restart", with: { service: "worker", maxUnavailable: 1 } },
    };
    expect((await prove(planOf(restart))).proof.actions[0]).not.toHaveProperty("withoutEffect");
  });

  test("and that declared an exact path is absent as before", async () => {
    const { proof } = await prove(planOf({ ...missed, changes: ["db/db/shop/rows/jobs/99/status"] }));
    expect(proof.actions[0]?.absent).toEqual(["db/db/shop/rows/jobs/99/status"]);
  });
});

test("every path that an action changed is kept, however many the proof lists", async () => {
  const world = shopWorld();
  const jobs = world.databases.get("db")?.tables.get("jobs");
  const row = jobs?.rows.get("1") ?? {};
  for (let id = 1000; id < 1300; id++) jobs?.rows.set(String(id), { ...row, id: String(id) });
  const pair = simulatedPair({ spec: shopSpec, world });
  const all = sqlAction("all", "UPDATE jobs SET kind = 'import'", "UPDATE jobs SET kind = 'fulfil'");
  const { proof, directEffects } = await prove(planOf(all), { pair });
  expect(proof.actions[0]?.effects.length).toBeLessThan(300);
  expect(directEffects.length).toBeGreaterThanOrEqual(300);
  expect(directEffects.every((path) => path.endsWith("/kind"))).toBe(true);
});

describe("an abort", () => {
  test("at any operation is rethrown after everything was undone", async () => {
    const plan = planOf(
      scale("more", { service: "worker", from: 1, to: 3 }),
      sqlAction("index", "CREATE INDEX i ON jobs (kind)", "DROP INDEX IF EXISTS i"),
    );
    const { pair } = await prove(plan);
    const total = pair.shadow.operations.length;
    for (let stopAt = 0; stopAt < total; stopAt++) {
      const human = new AbortController();
      const reason = new CanaryError({ code: "ABORTED_BY_HUMAN", message: "stop", hint: "" });
      let seen = 0;
      const aborting = simulatedPair({
        spec: shopSpec,
        world: shopWorld(),
        shadow: { interrupt: () => void (seen++ === stopAt && human.abort(reason)) },
      });
      await expect(prove(plan, { pair: aborting, signal: human.signal }), `at operation ${stopAt}`).rejects.toBe(
        reason,
      );
      expect(fingerprintOf(aborting.shadow.world), `at operation ${stopAt}`).toEqual(
        fingerprintOf(aborting.control.world),
      );
    }
  });
});

test("an engine that is gone is an error and never a finding about the plan", async () => {
  const gone = new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "the engine is gone", hint: "" });
  let calls = 0;
  const plan = planOf(scale("more", { service: "worker", from: 1, to: 3 }));
  await expect(
    prove(plan, {
      shadow: {
        interrupt: () => {
          if (calls++ >= 1) throw gone;
        },
      },
    }),
  ).rejects.toBe(gone);
});
