import { describe, expect, test } from "vitest";
import type { Difference, Fingerprint } from "../../src/mirror/fingerprint.ts";
import { quietEffects } from "../../src/replay/proof/quiet-effects.ts";
import { sqlAction } from "../support/action-builder.ts";
import { fingerprintFrom } from "../support/fingerprint-builder.ts";
import { NEVER } from "../support/simulated-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedState } from "../support/simulated-state.ts";
import { simulatedPair } from "../support/simulated-twin.ts";

const STEP = sqlAction("fill", "INSERT INTO jobs DEFAULT VALUES", "DELETE FROM jobs").step;
const SEQUENCE = "db/db/shop/sequence/jobs_id_seq";
const JOBS = "db/db/shop/rows/jobs";

/** The shop with so many jobs and this number as the last that was drawn. */
const at = (drawn: number, jobs = 3): Fingerprint => ({
  ...fingerprintFrom({
    resources: {},
    keys: {},
    tables: { [JOBS]: { id: Array.from({ length: jobs }, (_, row) => String(row)) } },
  }),
  sequences: { [SEQUENCE]: String(drawn) },
  strides: { [SEQUENCE]: 1 },
});

const added = (count: number): readonly Difference[] =>
  Array.from({ length: count }, (_, row) => ({ path: `${JOBS}/${row}`, kind: "added" }));

const seenFrom = (baseline: Fingerprint) =>
  quietEffects({
    pair: simulatedPair({ spec: shopSpec, world: shopWorld() }),
    state: simulatedState,
    baseline,
    signal: NEVER,
  });

const paths = (found: readonly Difference[]) => found.map(({ path }) => path);
const how = (locate: () => Promise<readonly Difference[]>) => ({ locate, step: STEP });
const nothing = { locate: async () => [], signal: NEVER };

describe("a sequence on the quiet twin", () => {
  test("that is thrown forward is an effect, and residue if nothing puts it back", async () => {
    const seen = seenFrom(at(3));
    expect(
      paths(
        await seen.ofAction(
          at(3),
          at(2_147_483_000),
          how(async () => []),
        ),
      ),
    ).toEqual([SEQUENCE]);
    expect(paths(await seen.left(at(3), at(2_147_483_000), nothing))).toEqual([SEQUENCE]);
    expect(paths(await seen.left(at(3), at(3), nothing))).toEqual([]);
  });

  test("that rows drew from is neither, also when those rows are gone again", async () => {
    const seen = seenFrom(at(3));
    const effects = await seen.ofAction(
      at(3),
      at(5_003, 5_003),
      how(async () => added(5_000)),
    );
    expect(paths(effects)).not.toContain(SEQUENCE);
    expect(seen.drawn()).toEqual({ [SEQUENCE]: 5_000 });
    expect(await seen.left(at(3), at(5_003), nothing)).toEqual([]);
  });

  test("that rows drew from can not be thrown on by what comes after", async () => {
    const seen = seenFrom(at(3));
    await seen.ofAction(
      at(3),
      at(5_003, 5_003),
      how(async () => added(5_000)),
    );
    expect(
      paths(
        await seen.ofAction(
          at(5_003, 5_003),
          at(50_000, 5_003),
          how(async () => []),
        ),
      ),
    ).toEqual([SEQUENCE]);
    expect(paths(await seen.left(at(3), at(50_000), nothing))).toEqual([SEQUENCE]);
  });

  test("that rows drew from twice, because they were tried first, is no effect", async () => {
    const seen = seenFrom(at(3));
    expect(
      paths(
        await seen.ofAction(
          at(3),
          at(10_003, 5_003),
          how(async () => added(5_000)),
        ),
      ),
    ).not.toContain(SEQUENCE);
  });

  test("may go on when an undo puts rows back under new numbers", async () => {
    const seen = seenFrom(at(9_000, 9_000));
    await seen.ofAction(
      at(9_000, 9_000),
      at(9_000, 3),
      how(async () => []),
    );
    expect(paths(await seen.left(at(9_000, 9_000), at(17_997, 9_000), nothing))).toEqual([]);
  });
});
