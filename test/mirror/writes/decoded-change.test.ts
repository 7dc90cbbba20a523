import fc from "fast-check";
import { expect, test } from "vitest";
import { decodedChange } from "../../../src/mirror/writes/decoded-change.ts";

test("an insert is its table and its columns, with the values as the server prints them", () => {
  const line = `table public.jobs: INSERT: id[integer]:7 kind[text]:'it''s: a "job"' due[timestamp with time zone]:null done[boolean]:false tags[text[]]:'{a,b}'`;
  expect(decodedChange(line)).toEqual({
    kind: "inserted",
    tables: [{ namespace: "public", table: "jobs" }],
    tuples: [
      [
        { name: "id", value: "7" },
        { name: "kind", value: `it's: a "job"` },
        { name: "due", value: undefined },
        { name: "done", value: "false" },
        { name: "tags", value: "{a,b}" },
      ],
    ],
  });
});

test("an update that moves a row tells its old key and its new values", () => {
  const change = decodedChange(
    `table public.jobs: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2 note[text]:' new-tuple: x' big[text]:unchanged-toast-datum`,
  );
  expect(change?.kind).toBe("updated");
  expect(change?.tuples.map((tuple) => tuple.map(({ value }) => value))).toEqual([
    ["1"],
    ["2", " new-tuple: x", undefined],
  ]);
});

test("names that need quotes are read without them", () => {
  const change = decodedChange(`table "my.schema"."Weird: ""t""": DELETE: "ID x"[bigint]:9`);
  expect(change).toEqual({
    kind: "deleted",
    tables: [{ namespace: "my.schema", table: 'Weird: "t"' }],
    tuples: [[{ name: "ID x", value: "9" }]],
  });
});

test("a truncation names every table, and a row without a key has no values", () => {
  expect(decodedChange(`table public.a, public."B, c": TRUNCATE: restart_seqs cascade`)?.tables).toEqual([
    { namespace: "public", table: "a" },
    { namespace: "public", table: "B, c" },
  ]);
  expect(decodedChange("table public.log: DELETE: (no-tuple-data)")?.tuples).toEqual([]);
});

test.each(["BEGIN", "COMMIT", "message: transactional: 1 prefix: canary, sz: 3 content:end", "table public.x", ""])(
  "%s is no change of rows",
  (line) => expect(decodedChange(line)).toBeUndefined(),
);

test("a line that was cut tells the columns before the cut", () => {
  const change = decodedChange(`table public.jobs: INSERT: id[integer]:7 kind[text]:'a long te`);
  expect(change?.tuples).toEqual([[{ name: "id", value: "7" }]]);
});

test("whatever names and values a row has, they are read back", () => {
  const quoteName = (name: string): string => `"${name.replaceAll('"', '""')}"`;
  const text = fc.string({ minLength: 1, unit: "grapheme" });
  const columns = fc.array(fc.record({ name: text, value: fc.option(text, { nil: undefined }) }), { minLength: 1 });
  fc.assert(
    fc.property(text, text, columns, (namespace, table, tuple) => {
      const printed = tuple.map(({ name, value }) => {
        const shown = value === undefined ? "null" : `'${value.replaceAll("'", "''")}'`;
        return `${quoteName(name)}[text]:${shown}`;
      });
      const line = `table ${quoteName(namespace)}.${quoteName(table)}: INSERT: ${printed.join(" ")}`;
      expect(decodedChange(line)).toEqual({ kind: "inserted", tables: [{ namespace, table }], tuples: [tuple] });
    }),
  );
});
