import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CanaryError } from "../../src/core/errors.ts";
import type { StateSpec } from "../../src/mirror/mirror-spec.ts";
import { fingerprint } from "../../src/mirror/state/fingerprint.ts";
import { locateRows } from "../../src/mirror/state/locate-rows.ts";
import { keyPath } from "../../src/mirror/state/redis-keys.ts";
import type { TwinSource } from "../../src/mirror/state/store-state.ts";
import { NEVER, simulatedClock } from "../support/simulated-clock.ts";

const REDIS: StateSpec = { kind: "redis", service: "cache", port: 6379 };
const POSTGRES: StateSpec = { kind: "postgres", service: "db", port: 5432, database: "shop", user: "u", password: "p" };

/** A Redis in words: one database, pages of keys as the script answers them. */
function redisSource(
  pages: readonly (readonly string[])[],
  settings: unknown = ["maxmemory", "0", "requirepass", "s3cr3t"],
): TwinSource {
  return {
    configuration: async () => [],
    processes: async () => [],
    programs: async () => [],
    files: async () => ({ files: {}, inImage: {}, sinceStart: [], unseen: [] }),
    flagFiles: async () => [],
    errorPatterns: async () => [],
    sql: () => Promise.reject(new Error("permission denied for table orders")),
    redis: async (_, [verb, ...rest]) => {
      if (verb === "INFO") return "# Keyspace\r\ndb0:keys=3,expires=1\r\n";
      if (verb === "CONFIG") return settings;
      if (verb === "ACL") return ["user default on nopass ~* &* +@all", "user app on #5e884898da ~app:* -@all +get"];
      if (verb === "FUNCTION")
        return [["library_name", "sums", "engine", "LUA", "functions", [], "library_code", "return 1"]];
      if (verb === "MODULE") throw new Error("ERR unknown command 'MODULE'");
      const page = Number(rest[3]);
      return ["1000", String(page + 1 < pages.length ? page + 1 : 0), pages[page] ?? []];
    },
  };
}

const take = (source: TwinSource, stores: readonly StateSpec[]) =>
  fingerprint(source, stores, { clock: simulatedClock(), signal: NEVER });

describe("a Redis", () => {
  test("is read page by page, keys that are answered twice counted once, secrets as digests", async () => {
    const taken = await take(
      redisSource([
        ["=a", "string:1", "-1", "=b/c", "hash:2", "500"],
        ["=a", "string:1", "-1"],
      ]),
      [REDIS],
    );
    expect(taken.keys).toEqual({ "redis/cache/a": "string:1", "redis/cache/b%2Fc": "hash:2 ends" });
    expect(taken.expiring).toEqual({ "redis/cache/b%2Fc": 1500 });
    expect(taken.storeEpochMs).toBe(1000);
    expect(taken.resources["redis/cache/setting/maxmemory"]).toBe("0");
    expect(JSON.stringify(taken)).not.toContain("s3cr3t");
  });

  test.each([
    ["a Map", new Map([["maxmemory", "0"]])],
    ["an object", { maxmemory: "0" }],
  ])("may answer its settings as %s", async (_, settings) => {
    const taken = await take(redisSource([[]], settings), [REDIS]);
    expect(taken.resources["redis/cache/setting/maxmemory"]).toBe("0");
  });

  test("tells its users with their rules, its functions by their code, and no password", async () => {
    const { resources, unseen } = await take(redisSource([[]]), [REDIS]);
    expect(resources["redis/cache/setting/acl:default"]).toBe("on nopass ~* &* +@all");
    expect(resources["redis/cache/setting/acl:app"]).toMatch(/^on #[0-9a-f]{12} ~app:\* -@all \+get$/);
    expect(resources["redis/cache/setting/function:sums"]).toMatch(/^code [0-9a-f]{12}$/);
    expect(JSON.stringify(resources)).not.toContain("5e884898da");
    expect(unseen).toEqual([]);
  });

  test("that does not tell its users says so", async () => {
    const source = redisSource([[]]);
    const guarded: TwinSource = {
      ...source,
      redis: async (store, command) => {
        if (command[0] === "ACL") throw new Error("NOPERM this user has no permissions to run the 'acl' command");
        return await source.redis(store, command);
      },
    };
    expect((await take(guarded, [REDIS])).unseen?.join()).toMatch(/^ACL LIST of cache: NOPERM/);
  });

  test("has keys of bytes, and no two of them are one", () => {
    const bytes = fc.uint8Array({ maxLength: 6 }).map((array) => Buffer.from(array));
    const text = fc.string({ unit: "binary", maxLength: 4 }).map((string) => Buffer.from(string, "utf8"));
    const key = fc.oneof(
      bytes,
      text,
      fc.constantFrom(
        Buffer.from([0xff]),
        Buffer.from("%FF"),
        Buffer.from("\uFFFD"),
        Buffer.from("\uFEFFa"),
        Buffer.from("a"),
      ),
    );
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(keyPath(REDIS, "0", a) === keyPath(REDIS, "0", b)).toBe(a.equals(b));
      }),
    );
  });

  test("that answers something else is an error, not an empty state", async () => {
    const source = {
      ...redisSource([[]]),
      redis: async (_: unknown, [verb]: readonly string[]) => (verb === "INFO" ? "db0:keys=1" : "?"),
    };
    await expect(take(source, [REDIS])).rejects.toMatchObject({ code: "MIRROR_UNAVAILABLE" });
  });
});

describe("a store that cannot be read", () => {
  test("is an error that names it and what is needed", async () => {
    const reading = take(redisSource([[]]), [POSTGRES]);
    await expect(reading).rejects.toMatchObject({
      code: "MIRROR_UNAVAILABLE",
      message: "the state of db cannot be read: permission denied for table orders",
    });
    const source = redisSource([[]]);
    const query = {
      table: "db/db/shop/rows/orders",
      stores: [POSTGRES],
      reference: source,
      changed: source,
      signal: NEVER,
    };
    await expect(locateRows(query)).rejects.toBeInstanceOf(CanaryError);
  });

  test("at first, because an action restarted it, is asked again", async () => {
    let refusals = 2;
    const source = redisSource([["=a", "string:1", "-1"]]);
    const restarting: TwinSource = {
      ...source,
      redis: async (store, command) => {
        if (refusals-- > 0) throw new CanaryError({ code: "MIRROR_UNAVAILABLE", message: "refused", hint: "" });
        return await source.redis(store, command);
      },
    };
    expect((await take(restarting, [REDIS])).keys).toEqual({ "redis/cache/a": "string:1" });
  });

  test("does not keep an abort waiting", async () => {
    const human = new AbortController();
    human.abort(new Error("stop"));
    const reading = fingerprint(redisSource([[]]), [REDIS, POSTGRES], {
      clock: simulatedClock(),
      signal: human.signal,
    });
    await expect(reading).rejects.toThrow("stop");
  });
});
