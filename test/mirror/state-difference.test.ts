import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { Difference, Fingerprint } from "../../src/mirror/fingerprint.ts";
import { configurationResources } from "../../src/mirror/state/configuration-state.ts";
import {
  coarseDifference,
  difference,
  hasExpired,
  sameState,
  sequencesGoneBack,
} from "../../src/mirror/state/difference.ts";
import { livesChanged } from "../../src/mirror/state/key-lives.ts";
import { hashTableSql, quoted, type TableShape, tableFingerprint } from "../../src/mirror/state/postgres-rows.ts";
import { schemaResources } from "../../src/mirror/state/postgres-schema.ts";
import {
  differenceOfRows,
  differingBuckets,
  uncomparedDifference,
  withinLimit,
} from "../../src/mirror/state/row-differences.ts";
import { writtenElsewhere } from "../../src/mirror/state/written-elsewhere.ts";
import { anyState, fingerprintFrom } from "../support/fingerprint-builder.ts";

const EMPTY: Fingerprint = { resources: {}, tables: {}, keys: {}, takenMs: 0 };
const SHAPE: TableShape = { namespace: "public", table: "t", columns: ["id", "name", "password"], primaryKey: ["id"] };

describe("the difference of two fingerprints", () => {
  test("is empty exactly when the states are the same", () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        const [before, after] = [fingerprintFrom(a), fingerprintFrom(b)];
        expect(coarseDifference(before, before)).toEqual([]);
        expect(sameState(before, after)).toBe(inOneOrder(before) === inOneOrder(after));
      }),
    );
  });

  test("backwards is the same list with before and after exchanged", () => {
    fc.assert(
      fc.property(anyState, anyState, (a, b) => {
        const [before, after] = [fingerprintFrom(a), fingerprintFrom(b)];
        const opposite = { added: "removed", removed: "added", changed: "changed" } as const;
        expect(coarseDifference(after, before)).toEqual(
          coarseDifference(before, after).map(
            ({ path, kind, before: was, after: is }): Difference => ({
              path,
              kind: opposite[kind],
              ...(is === undefined ? {} : { before: is }),
              ...(was === undefined ? {} : { after: was }),
            }),
          ),
        );
      }),
    );
  });

  test("reports a table as a whole where its rows cannot be located, and takes the rows where they can", async () => {
    const before = fingerprintFrom({ resources: {}, keys: {}, tables: { "db/d/x/rows/t": { id: ["1"] } } });
    const after = fingerprintFrom({ resources: {}, keys: {}, tables: { "db/d/x/rows/t": { id: ["1", "2"] } } });
    const row: Difference = { path: "db/d/x/rows/t/2", kind: "added" };
    expect(await difference(before, after, { locate: async () => [row] })).toEqual([row]);
    expect(await difference(before, after, { locate: async () => [] })).toEqual([]);
    expect((await difference(before, after, { locate: async () => undefined })).map(({ path }) => path)).toEqual([
      "db/d/x/rows/t",
    ]);
  });

  test("tells a key that reached its end from one that was removed", () => {
    const before: Fingerprint = { ...EMPTY, keys: { a: "1", b: "1" }, expiring: { a: 60_000 }, storeEpochMs: 0 };
    const after: Fingerprint = { ...EMPTY, storeEpochMs: 61_000 };
    expect(coarseDifference(before, after).map(({ path }) => path)).toEqual(["b"]);
    expect(hasExpired("a", before, { ...after, storeEpochMs: 30_000 })).toBe(false);
  });

  test.each([
    ["7", "9", 0],
    ["9", "7", 1],
    ["0", "1", 0],
    ["5", "0", 1],
    ["-3", "-5", 0],
    ["-5", "-3", 1],
  ])("a sequence that goes from %s to %s has gone back %i times", (was, is, count) => {
    const at = (value: string): Fingerprint => ({ ...EMPTY, sequences: { s: value } });
    expect(sequencesGoneBack(at(was), at(is))).toHaveLength(count);
  });
});

describe("databases that are not compared", () => {
  const at = (shop: string, billing: string): Fingerprint => ({
    ...EMPTY,
    resources: { "db/db/shop/schema/orders": "" },
    written: { "db/db/shop/rows": `${shop} inserted`, "db/db/billing/rows": `${billing} inserted` },
  });

  test.each([
    ["the compared one alone was written to", at("5", "7"), at("9", "7"), 0],
    ["another one was written to", at("5", "7"), at("5", "8"), 1],
    ["another one began to count anew", at("5", "7"), at("6", "0"), 1],
    ["the server crashed and counts anew in all of them", at("5", "7"), at("1", "0"), 0],
    ["the compared one was replaced by a copy and another one written to", at("5", "0"), at("1", "1"), 1],
  ])("show that %s", (_, before, after, count) => {
    expect(writtenElsewhere(before, after)).toHaveLength(count);
  });
});

test("a database that the server's own upkeep wrote to, without any client, was not written to by anybody", () => {
  const at = (written: string): Fingerprint => ({ ...EMPTY, written: { "db/db/billing/rows": written } });
  const before = at("5 inserted, 4 sessions");
  expect(writtenElsewhere(before, at("9 inserted, 4 sessions"))).toEqual([]);
  expect(writtenElsewhere(before, at("9 inserted, 5 sessions"))).toHaveLength(1);
  // A client that only read.
  expect(writtenElsewhere(before, at("5 inserted, 6 sessions"))).toEqual([]);
});

describe("the life of a key", () => {
  const at = (storeEpochMs: number, endsEpochMs: number): Fingerprint => ({
    ...EMPTY,
    keys: { k: "string:1 ends" },
    expiring: { k: endsEpochMs },
    storeEpochMs,
  });

  test.each([
    ["goes on", at(0, 60_000), at(30_000, 60_000), 0],
    ["is renewed by whoever holds it", at(0, 60_000), at(30_000, 90_000), 0],
    ["is renewed while the half was left", at(0, 60_000), at(10_000, 130_000), 0],
    ["is cut short", at(0, 60_000), at(10_000, 12_000), 1],
    ["is drawn out beyond every renewal", at(0, 60_000), at(10_000, 600_000), 1],
  ])("that %s is told where nothing explains it", (_, before, after, count) => {
    expect(livesChanged(before, after)).toHaveLength(count);
  });
});

describe("rows", () => {
  const row = (id: string, name: string | null, password = "x") => ({ k0: id, v0: id, v1: name, v2: password });

  test("are compared by key down to the column, secrets as digests", () => {
    const found = differenceOfRows({
      table: "rows/t",
      shape: SHAPE,
      before: [row("1", "a"), row("2", "b"), row("4", null, "old")],
      after: [row("1", "a"), row("3", "c"), row("4", "null", "new")],
    });
    expect(found.map(({ kind, path }) => `${kind} ${path}`)).toEqual([
      "removed rows/t/2",
      "added rows/t/3",
      "changed rows/t/4/name",
      "changed rows/t/4/password",
    ]);
    expect(JSON.stringify(found)).not.toMatch(/"(?:old|new)"/);
  });

  test("have keys that cannot be taken for two keys, a report's own words, or a secret", () => {
    const shape = { ...SHAPE, primaryKey: ["a", "b"] };
    const keyed = (k0: string, k1: string) =>
      differenceOfRows({ table: "t", shape, before: [], after: [{ k0, k1, v0: "", v1: "", v2: "" }] })[0]?.path;
    expect(keyed("1,2", "3")).toBe("t/1%2C2,3");
    expect(keyed("(some)", "x/y")).toBe("t/%28some),x%2Fy");
    expect(
      differenceOfRows({
        table: "t",
        shape: { ...SHAPE, primaryKey: ["token"] },
        before: [],
        after: [{ k0: "s3cr3t" }],
      })[0]?.path,
    ).toMatch(/^t\/sha256:[0-9a-f]{12}$/);
  });

  test("beyond the limit are compared column by column", () => {
    const bucket = (number: number, rows: string, h1: string) => ({
      bucket: number,
      rows,
      whole: h1,
      h0: "1",
      h1,
      h2: null,
    });
    const before = [bucket(1, "40000", "5"), bucket(2, "30000", "6"), bucket(3, "10", "7")];
    const after = [bucket(1, "40000", "8"), bucket(2, "30000", "9"), bucket(3, "10", "7")];
    const differing = differingBuckets(before, after);
    expect(differing).toEqual([1, 2]);
    const { compared, uncompared } = withinLimit(differing, (number) => (number === 1 ? 40_000 : 30_000));
    expect([compared, uncompared]).toEqual([[1], [2]]);
    expect(uncomparedDifference({ table: "rows/t", shape: SHAPE, buckets: uncompared, before, after })).toEqual([
      { path: "rows/t/(uncompared)/name", kind: "changed" },
    ]);
    const fewer = [bucket(1, "40000", "5"), bucket(2, "29999", "6")];
    expect(uncomparedDifference({ table: "rows/t", shape: SHAPE, buckets: [2, 3], before, after: fewer })[0]).toEqual({
      path: "rows/t/(uncompared)",
      kind: "changed",
      before: "30010 rows",
      after: "29999 rows",
    });
  });

  test("within the limit are never left out", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(LIMITS.rowsComparedMax / 10), { maxLength: 10 }), (sizes) => {
        const buckets = sizes.map((_, index) => index);
        expect(withinLimit(buckets, (bucket) => sizes[bucket] ?? 0).uncompared).toEqual([]);
      }),
    );
  });

  test("of negative and huge hash sums add up to one fixed-width word", () => {
    const sum = "-98765432109876543210";
    const { sha, rows, columns, held, buckets } = tableFingerprint(SHAPE, [
      { bucket: 3, rows: "2", whole: sum, h0: "1", h1: sum, h2: null, f0: "2", f1: "1", f2: "0", s0: "-1", s2: null },
    ]);
    expect(sha).toMatch(/^[0-9a-f]{24}$/);
    expect([rows, columns["password"], buckets.length, buckets[3]]).toEqual([2, "0".repeat(24), 256, `2:${sum}`]);
    expect(held?.["password"]).toEqual({ filled: 0, slots: 0 });
    expect(Object.values(held ?? {})).toContainEqual({ filled: 2, slots: 64 });
  });
});

test("names of tables and columns cannot break out of the query", () => {
  const evil: TableShape = { namespace: 'a"; DROP', table: "b'c", columns: ['x" y'], primaryKey: ['x" y'] };
  expect(hashTableSql(evil)).toContain('"a""; DROP"."b\'c"');
  expect(quoted('x" y')).toBe('"x"" y"');
});

test("schema paths keep tables of other schemas apart and mask settings that hold secrets", () => {
  const name = { service: "db", database: "shop" };
  const resources = schemaResources(name, [
    { kind: "table", namespace: "public", parent: "", name: "jobs", definition: "t" },
    { kind: "table", namespace: "side", parent: "", name: "jobs", definition: "t" },
    { kind: "table", namespace: "public", parent: "", name: "side.jobs", definition: "t" },
    { kind: "index", namespace: "side", parent: "jobs", name: "i/1", definition: "btree" },
    { kind: "setting", namespace: "", parent: "", name: "app.api_key", definition: "s3cr3t" },
  ]);
  expect(Object.keys(resources)).toEqual(
    ["jobs", "side.jobs", "side%2Ejobs", "side.jobs/index/i%2F1", "setting/app.api_key"].map(
      (path) => `db/db/shop/schema/${path}`,
    ),
  );
  expect(Object.values(resources).join()).not.toContain("s3cr3t");
});

test("configuration becomes resources, secrets as digests", () => {
  const resources = configurationResources([
    {
      service: "api",
      replicas: 2,
      imageId: "sha256:1",
      command: ["node", "--token=s3cr3t-value"],
      environment: { PORT: "8080", DB_PASSWORD: "s3cr3t-value" },
      mounts: ["volume:b:/b:rw", "volume:a:/a:ro"],
    },
  ]);
  expect(resources["service/api/env/PORT"]).toBe("8080");
  expect(resources["service/api/memory"]).toBe("unlimited");
  expect(JSON.stringify(resources)).not.toContain("s3cr3t-value");
});

function inOneOrder({ resources, tables, keys }: Fingerprint): string {
  const entries = [resources, tables, keys].map((map) =>
    Object.entries<unknown>(map).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  return JSON.stringify(entries);
}
