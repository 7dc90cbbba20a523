import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fingerprint } from "../../src/mirror/fingerprint.ts";
import { familyOf as keyPattern } from "../../src/mirror/state/family.ts";
import { type BarrierStates, compareAtBarrier } from "../../src/replay/proof/barrier.ts";
import { describeNoise, learnNoise, type Noise } from "../../src/replay/proof/noise.ts";
import { anyState, fingerprintFrom, type StateNote } from "../support/fingerprint-builder.ts";

const QUIET: Noise = { tables: [], rowsApart: {}, columns: [], keyPatterns: [], sequences: [] };
const JOBS = "db/db/shop/rows/jobs";
const ORDERS = "db/db/shop/rows/orders";

/** What traffic makes of a state: the same on both twins. */
const note: StateNote = {
  resources: { "service/worker/replicas": "1", "db/db/shop/schema/jobs": "table" },
  tables: {
    [JOBS]: { id: ["1", "2"], status: ["done", "queued"], created_at: ["t1", "t2"] },
    [ORDERS]: { id: ["1"], total: ["10"] },
  },
  keys: { "redis/cache/stock:1": "a", "redis/cache/flag": "on" },
};
const before: StateNote = {
  ...note,
  tables: { ...note.tables, [JOBS]: { id: ["1"], status: ["queued"], created_at: ["t1"] } },
  keys: { ...note.keys, "redis/cache/stock:1": "b" },
};

function compare(
  given: { shadow: StateNote; control?: StateNote } & Partial<Omit<BarrierStates, "shadow" | "control">>,
) {
  const { shadow, control, ...rest } = given;
  return compareAtBarrier({
    reference: fingerprintFrom(before),
    control: fingerprintFrom(control ?? note),
    noise: QUIET,
    consequences: [],
    ...rest,
    shadow: fingerprintFrom(shadow),
  });
}

const residue = (given: Parameters<typeof compare>[0]) =>
  compare(given).residue.map(({ kind, path }) => `${kind} ${path}`);

describe("at the barrier", () => {
  test("two twins that served the same and carry nothing of the plan show nothing", () => {
    expect(compare({ shadow: note })).toEqual({ residue: [], mayBeInHand: [], consequences: [], noise: [] });
  });

  test("configuration and schema must be what they were, whatever was declared or learned", () => {
    const shadow = { ...note, resources: { ...note.resources, "service/worker/replicas": "3" } };
    expect(residue({ shadow, consequences: ["**"], directEffects: [] })).toEqual(["changed service/worker/replicas"]);
  });

  test("a column of a table that traffic writes must hold what it holds on the control", () => {
    const shadow = { ...note, tables: { ...note.tables, [JOBS]: { ...note.tables[JOBS], status: ["done", "lost"] } } };
    expect(residue({ shadow })).toEqual([`changed ${JOBS}/(some)/status`]);
  });

  test("rows in another order are the same rows", () => {
    const shadow = {
      ...note,
      tables: { ...note.tables, [JOBS]: { id: ["2", "1"], status: ["queued", "done"], created_at: ["t2", "t1"] } },
    };
    expect(residue({ shadow })).toEqual([]);
  });

  test("a difference in learned noise is noted and forgiven", () => {
    const shadow = { ...note, tables: { ...note.tables, [JOBS]: { ...note.tables[JOBS], created_at: ["t1", "t3"] } } };
    const noise = learnNoise(fingerprintFrom(note), fingerprintFrom(shadow));
    expect(noise.columns).toEqual([`${JOBS}/(some)/created_at`]);
    expect(compare({ shadow, noise })).toEqual({
      residue: [],
      mayBeInHand: [],
      consequences: [],
      noise: [`${JOBS}/(some)/created_at`],
    });
  });

  test("only in data that traffic writes may a difference be work in hand", () => {
    const late = { ...note.tables[JOBS], status: ["queued", "queued"] };
    const shadow = {
      ...note,
      resources: { ...note.resources, "service/worker/replicas": "3" },
      tables: { ...note.tables, [JOBS]: late, [ORDERS]: { id: ["1"], total: ["11"] } },
    };
    const { residue: left, mayBeInHand } = compare({ shadow });
    expect(left).toHaveLength(3);
    expect(mayBeInHand.map(({ path }) => path)).toEqual([`${JOBS}/(some)/status`]);
  });

  test("data under a declared pattern is a consequence where traffic writes the table", () => {
    const shadow = { ...note, tables: { ...note.tables, [JOBS]: { ...note.tables[JOBS], status: ["done", "done"] } } };
    const { residue: left, consequences } = compare({ shadow, consequences: [`${JOBS}/*/status`] });
    expect(left).toEqual([]);
    expect(consequences.map(({ path }) => path)).toEqual([`${JOBS}/(some)/status`]);
  });

  test("a race seen before the plan explains a few rows at the end, never a table that lost half of them", () => {
    const jobs = (count: number) => Array.from({ length: count }, (_, index) => String(index + 1));
    const shadow = (rows: number): StateNote => ({
      ...note,
      tables: { ...note.tables, [JOBS]: { id: jobs(rows), status: jobs(rows), created_at: jobs(rows) } },
    });
    const noise: Noise = { ...QUIET, tables: [JOBS], rowsApart: { [JOBS]: 2 } };
    expect(residue({ shadow: shadow(10), noise })).toEqual([]);
    expect(residue({ shadow: shadow(100), noise })).not.toEqual([]);
  });

  const jobsOf = (count: number, status: (index: number) => string = String): StateNote => {
    const ids = Array.from({ length: count }, (_, index) => String(index + 1));
    const rows = { id: ids, status: ids.map((_, index) => status(index)), created_at: ids };
    return { ...note, tables: { ...note.tables, [JOBS]: rows } };
  };

  test("requests that one twin alone failed explain their share of what traffic made, and only where it is missing", () => {
    const control = jobsOf(1001);
    const failed = { unserved: { control: 0, shadow: 0.01 } };
    expect(residue({ control, shadow: jobsOf(990) })).not.toEqual([]);
    expect(residue({ control, shadow: jobsOf(990), ...failed })).toEqual([]);
    expect(residue({ control, shadow: jobsOf(970), ...failed })).not.toEqual([]);
    expect(residue({ control, shadow: jobsOf(1011), ...failed })).not.toEqual([]);
    expect(residue({ control, shadow: jobsOf(1011), unserved: { control: 0.01, shadow: 0 } })).toEqual([]);
    expect(residue({ control, shadow: jobsOf(1001, () => "lost"), ...failed })).not.toEqual([]);
  });

  test("failed requests explain nothing in a table that the plan wrote itself", () => {
    const given = { control: jobsOf(1001), shadow: jobsOf(990), unserved: { control: 0, shadow: 0.01 } };
    expect(residue({ ...given, directEffects: [`${JOBS}/7/status`] })).not.toEqual([]);
    expect(residue({ ...given, directEffects: [`${ORDERS}/7/status`] })).toEqual([]);
  });

  test("a column whose values are noise may hold other values, not none and not all the same", () => {
    const control = jobsOf(100);
    const column = `${JOBS}/(some)/status`;
    const noise: Noise = { ...QUIET, columns: [column] };
    expect(residue({ control, shadow: jobsOf(100, (index) => `other ${index}`), noise })).toEqual([]);
    expect(residue({ control, shadow: jobsOf(100, () => "x"), noise })).toEqual([`changed ${column}`]);
    expect(residue({ control, shadow: jobsOf(100, (index) => (index < 50 ? "NULL" : String(index))), noise })).toEqual([
      `changed ${column}`,
    ]);
  });

  test("a table that traffic does not write must be exactly what it was", () => {
    const shadow = { ...note, tables: { ...note.tables, [ORDERS]: { id: ["1"], total: ["11"] } } };
    expect(residue({ shadow, consequences: [`${ORDERS}/**`] })).toEqual([`changed ${ORDERS}/(some)/total`]);
    expect(residue({ shadow, consequences: [`${ORDERS}/**`], directEffects: [`${ORDERS}/1/total`] })).not.toEqual([]);
    expect(residue({ shadow, consequences: [`${ORDERS}/**`], directEffects: ["service/worker/replicas"] })).toEqual([]);
  });

  test("values that changed places in a table that traffic does not write are found too", () => {
    const both = { id: ["1", "2"], total: ["10", "20"] };
    const withTwo = (orders: StateNote["tables"][string]) => ({
      ...note,
      tables: { ...note.tables, [ORDERS]: orders },
    });
    const control = withTwo(both);
    const shadow = withTwo({ id: ["1", "2"], total: ["20", "10"] });
    const reference = fingerprintFrom({ ...before, tables: { ...before.tables, [ORDERS]: both } });
    expect(residue({ shadow, control, reference })).toEqual([`changed ${ORDERS}`]);
  });

  test("a new family of keys that the control does not know is residue", () => {
    const shadow = { ...note, keys: { ...note.keys, "redis/cache/orphan:17": "x" } };
    expect(residue({ shadow })).toEqual(["added redis/cache/orphan:17"]);
  });

  test("a key that traffic does not write must hold what it held", () => {
    const shadow = { ...note, keys: { ...note.keys, "redis/cache/flag": "off" } };
    expect(residue({ shadow })).toEqual(["changed redis/cache/flag"]);
  });

  test("a key that the plan itself set must be put back, however exactly it was declared", () => {
    const flag = "redis/cache/flag";
    const shadow = { ...note, keys: { ...note.keys, [flag]: "off" } };
    expect(residue({ shadow, consequences: [flag], directEffects: [flag] })).toEqual([`changed ${flag}`]);
    expect(residue({ shadow, consequences: ["redis/**"], directEffects: [flag] })).toEqual([`changed ${flag}`]);
    expect(residue({ shadow, consequences: ["redis/**"] })).toEqual([`changed ${flag}`]);
    expect(residue({ shadow, consequences: ["redis/**"], directEffects: [] })).toEqual([]);
    const stock = { ...note, keys: { ...note.keys, "redis/cache/stock:1": "c" } };
    const direct = { consequences: ["redis/**"], directEffects: ["redis/cache/stock:1"] };
    expect(residue({ shadow: stock, ...direct })).toEqual(["changed redis/cache/stock:1"]);
  });

  test("a key that traffic writes must hold what it holds on the control, unless its family is noise", () => {
    const shadow = { ...note, keys: { ...note.keys, "redis/cache/stock:1": "c" } };
    expect(residue({ shadow })).toEqual(["changed redis/cache/stock:1"]);
    const noise = { ...QUIET, keyPatterns: ["redis/cache/stock:*"] };
    expect(compare({ shadow, noise })).toEqual({
      residue: [],
      mayBeInHand: [],
      consequences: [],
      noise: ["redis/cache/stock:*"],
    });
  });

  const keyed = (count: number, value: (index: number) => string, prefix = "session:"): StateNote => ({
    ...note,
    keys: {
      ...note.keys,
      ...Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`redis/cache/${prefix}${index}`, value(index)] as const),
      ),
    },
  });

  test("noise in one key of a family is no licence to lose the whole family", () => {
    const control = keyed(400, String);
    const oneApart = keyed(400, (index) => (index === 7 ? "other" : String(index)));
    const noise = learnNoise(fingerprintFrom(control), fingerprintFrom(oneApart));
    expect(residue({ control, shadow: oneApart, noise })).toEqual([]);
    expect(residue({ control, shadow: note, noise })).toHaveLength(400);
    expect(residue({ control, shadow: keyed(400, () => "wiped"), noise })).toHaveLength(400);
  });

  test("noise in every key of a family stays noise however many there are by the end, but for those that are gone", () => {
    const noise = learnNoise(fingerprintFrom(keyed(40, String)), fingerprintFrom(keyed(40, (index) => `at ${index}`)));
    const control = keyed(4000, String);
    const late = (count: number) => keyed(count, (index) => `at ${index}`);
    expect(residue({ control, shadow: late(4000), noise })).toEqual([]);
    expect(residue({ control, shadow: late(3998), noise })).toEqual([]);
    expect(residue({ control, shadow: late(3000), noise })).toHaveLength(4000);
    expect(residue({ control, shadow: late(3700), noise })).toHaveLength(4000);
    expect(residue({ control, shadow: late(3700), noise, unserved: { control: 0, shadow: 0.01 } })).toEqual([]);
  });

  test("noise never covers a key that the plan wrote itself, unless traffic writes that very key as well", () => {
    const key = "redis/cache/session:1";
    const shadow = keyed(3, (index) => (index === 1 ? "x" : String(index)));
    const given = { control: keyed(3, String), shadow, noise: { ...QUIET, keyPatterns: ["redis/cache/session:*"] } };
    const directEffects = [key];
    expect(residue({ ...given, directEffects })).toEqual([]);
    const reference = fingerprintFrom({ ...before, keys: { ...before.keys, [key]: "1" } });
    expect(residue({ ...given, reference, directEffects })).toEqual([`changed ${key}`]);
    expect(residue({ ...given, reference, directEffects: [] })).toEqual([]);
  });

  test("requests that overtook each other swap values within a family of keys, and that is noise; a new value is not", () => {
    const sessions = (...values: readonly string[]): StateNote => ({
      ...note,
      keys: {
        ...note.keys,
        ...Object.fromEntries(values.map((value, index) => [`redis/cache/session:${index}`, value])),
      },
    });
    const control = sessions("anna", "bert", "carl");
    expect(compare({ control, shadow: sessions("bert", "anna", "carl") })).toMatchObject({
      residue: [],
      consequences: [],
      noise: ["redis/cache/session:*"],
    });
    expect(learnNoise(fingerprintFrom(control), fingerprintFrom(sessions("bert", "anna", "carl"))).keyPatterns).toEqual(
      [],
    );
    expect(residue({ control, shadow: sessions("bert", "anna", "mallory") })).toEqual([
      "changed redis/cache/session:2",
    ]);
    expect(residue({ control, shadow: sessions("bert", "bert", "carl") })).toEqual(["changed redis/cache/session:0"]);
  });

  test("a key at the end of its life is not a difference", () => {
    const control: Fingerprint = { ...fingerprintFrom(note), storeEpochMs: 5000 };
    const shadow: Fingerprint = {
      ...fingerprintFrom({ ...note, keys: { ...note.keys, "redis/cache/lock": "x" } }),
      expiring: { "redis/cache/lock": 5400 },
      storeEpochMs: 5000,
    };
    const states = { reference: fingerprintFrom(before), control, noise: QUIET, consequences: [] };
    expect(learnNoise(control, shadow).keyPatterns).toEqual([]);
    expect(compareAtBarrier({ ...states, shadow: { ...shadow, expiring: {} } }).residue).not.toEqual([]);
  });

  test("numbers handed out stay handed out: only a step back is residue", () => {
    const at = (value: string): Fingerprint => ({
      ...fingerprintFrom(note),
      sequences: { "db/db/shop/sequence/jobs_id_seq": value },
    });
    const states = { reference: at("5"), control: at("9"), noise: QUIET, consequences: [] };
    expect(compareAtBarrier({ ...states, shadow: at("12") })).toMatchObject({
      residue: [],
      noise: ["db/db/shop/sequence/jobs_id_seq"],
    });
    expect(compareAtBarrier({ ...states, shadow: at("4") }).residue).toHaveLength(1);
  });

  test("a sequence that ran further than rows and traffic explain was thrown forward, and nothing forgives that", () => {
    const at = (value: string, rows: readonly string[] = ["1", "2"]): Fingerprint => ({
      ...fingerprintFrom({ ...note, tables: { [JOBS]: { id: rows } } }),
      sequences: { "db/db/shop/sequence/jobs_id_seq": value },
      strides: { "db/db/shop/sequence/jobs_id_seq": 1 },
    });
    const states = { reference: at("5"), control: at("9"), noise: QUIET, consequences: ["**"] };
    const found = (shadow: Fingerprint, more: Partial<BarrierStates> = {}) =>
      compareAtBarrier({ ...states, shadow, ...more }).residue.map(({ path }) => path);
    expect(found(at("2147483000"))).toEqual(["db/db/shop/sequence/jobs_id_seq"]);
    expect(found(at("2147483000"), { drawn: { "db/db/shop/sequence/jobs_id_seq": 2_000_000_000 } })).toEqual([]);
    const grown = Array.from({ length: 3_000 }, (_, row) => `${row}`);
    expect(found(at("4000", grown))).not.toContain("db/db/shop/sequence/jobs_id_seq");
  });

  test("a program that only the shadow runs and an engine's file that changed there are left by the plan", () => {
    const at = (more: Partial<Fingerprint>): Fingerprint => ({
      ...fingerprintFrom(note),
      programs: { "process/api/node": "1" },
      ofEngine: { "file/api/etc/hosts": "a" },
      ...more,
    });
    const states = { reference: at({}), control: at({}), noise: QUIET, consequences: ["**"] };
    const left = at({ programs: { "process/api/node": "1", "process/api/nc": "1" } });
    expect(compareAtBarrier({ ...states, shadow: left }).residue.map(({ path }) => path)).toEqual(["process/api/nc"]);
    expect(compareAtBarrier({ ...states, shadow: left, control: left }).residue).toEqual([]);
    const moved = at({ ofEngine: { "file/api/etc/hosts": "b" } });
    expect(compareAtBarrier({ ...states, shadow: moved }).residue).toHaveLength(1);
  });

  test("a database that nobody compares must not be written to, but where traffic does so too", () => {
    const at = (written: string): Fingerprint => ({
      ...fingerprintFrom(note),
      written: { "db/db/shop/rows": "5 inserted", "db/db/billing/rows": `${written} inserted` },
    });
    const states = { reference: at("5"), noise: QUIET, consequences: [] };
    expect(compareAtBarrier({ ...states, control: at("5"), shadow: at("6") }).residue).toHaveLength(1);
    expect(compareAtBarrier({ ...states, control: at("6"), shadow: at("7") }).residue).toEqual([]);
  });
});

describe("whatever the state", () => {
  test("equal twins show neither residue nor consequences", () => {
    fc.assert(
      fc.property(anyState, anyState, (was, is) => {
        const now = fingerprintFrom({ ...is, resources: was.resources });
        const states = {
          reference: fingerprintFrom(was),
          control: now,
          shadow: now,
          noise: QUIET,
          consequences: ["**"],
        };
        expect(compareAtBarrier(states)).toEqual({ residue: [], mayBeInHand: [], consequences: [], noise: [] });
      }),
    );
  });

  test("a value planted in a column that is not noise is always found", () => {
    fc.assert(
      fc.property(anyState, anyState, fc.nat(), (was, is, pick) => {
        const tables = Object.keys(is.tables);
        const table = tables[pick % tables.length] ?? "";
        const planted = { ...is.tables[table], note: ["planted", "b", "c"] };
        const shadow = { ...is, resources: was.resources, tables: { ...is.tables, [table]: planted } };
        const control = fingerprintFrom({ ...is, resources: was.resources });
        const noise = { ...QUIET, columns: [`${table}/(some)/status`] };
        const left = compareAtBarrier({
          reference: fingerprintFrom(was),
          control,
          shadow: fingerprintFrom(shadow),
          noise,
          consequences: [],
        }).residue;
        expect(left.some(({ path }) => path === table || path === `${table}/(some)/note`)).toBe(true);
      }),
    );
  });

  test("no noise and no declaration hides a change of configuration or schema", () => {
    fc.assert(
      fc.property(anyState, anyState, anyState, (was, is, other) => {
        const noise = learnNoise(fingerprintFrom(is), fingerprintFrom(other));
        const shadow = { ...is, resources: { ...was.resources, "db/db/shop/schema/jobs/index/planted": "btree" } };
        const left = compareAtBarrier({
          reference: fingerprintFrom(was),
          control: fingerprintFrom({ ...is, resources: was.resources }),
          shadow: fingerprintFrom(shadow),
          noise,
          consequences: ["**"],
          directEffects: [],
        }).residue;
        expect(left.map(({ path }) => path)).toContain("db/db/shop/schema/jobs/index/planted");
      }),
    );
  });

  test("more noise never makes more residue", () => {
    fc.assert(
      fc.property(anyState, anyState, anyState, anyState, (was, control, shadow, other) => {
        const states = {
          reference: fingerprintFrom(was),
          control: fingerprintFrom(control),
          shadow: fingerprintFrom(shadow),
          consequences: [],
        };
        const noise = learnNoise(fingerprintFrom(control), fingerprintFrom(other));
        const count = (given: Noise) => compareAtBarrier({ ...states, noise: given }).residue.length;
        expect(count(noise)).toBeLessThanOrEqual(count(QUIET));
      }),
    );
  });

  test("what two twins differed in before the plan explains the same difference after it", () => {
    fc.assert(
      fc.property(anyState, anyState, (control, other) => {
        // Which tables exist is schema, and never noise.
        const shadow = { ...other, tables: { ...control.tables, ...commonTables(other, control) } };
        const noise = learnNoise(fingerprintFrom(control), fingerprintFrom(shadow));
        const nowhere = fingerprintFrom({ resources: shadow.resources, tables: {}, keys: {} });
        const { residue: left } = compareAtBarrier({
          reference: nowhere,
          control: fingerprintFrom(control),
          shadow: fingerprintFrom(shadow),
          noise,
          consequences: [],
        });
        expect(left).toEqual([]);
      }),
    );
  });

  test("twins that are equal before the plan teach no noise", () => {
    fc.assert(
      fc.property(anyState, (state) => {
        expect(describeNoise(learnNoise(fingerprintFrom(state), fingerprintFrom(state)))).toEqual([]);
      }),
    );
  });
});

test.each([
  ["session:42", "session:*"],
  ["session:7f3a99c0d1", "session:*"],
  ["cart:123e4567-e89b-12d3-a456-426614174000:items", "cart:*:items"],
  ["session:kJ8sT2bQx9LmZ4vN7pRw1yUc3eHaGdFo", "session:*"],
  ["customer-profile-settings", "customer-profile-settings"],
  ["customerProfileSettingsCache", "customerProfileSettingsCache"],
  ["feedback", "feedback"],
  ["feature-gate-A1b2-checkout9", "feature-gate-A*b*-checkout*"],
  ["billing-2fa-v1-key9b", "billing-*fa-v*-key*b"],
  ["session-9fA3kQ7zPw2LmX8d", "session-*"],
  ["stock:1:2", "stock:*:*"],
])("key %s belongs to the family %s", (key, pattern) => {
  expect(keyPattern(`redis/cache/${key}`)).toBe(`redis/cache/${pattern}`);
});

function commonTables(of: StateNote, and: StateNote): StateNote["tables"] {
  return Object.fromEntries(Object.entries(of.tables).filter(([path]) => and.tables[path] !== undefined));
}
