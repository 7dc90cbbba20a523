import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StateSpec } from "../../src/mirror/mirror-spec.ts";
import { dataFolders } from "../../src/mirror/state/data-folders.ts";
import { troubleIn } from "../../src/mirror/state/error-pattern.ts";
import { flagResources } from "../../src/mirror/state/flag-state.ts";
import { surroundingsOf } from "../../src/mirror/state/surroundings.ts";
import { fileCollector } from "../../src/mirror/twins/files/file-collector.ts";
import type { FileFact } from "../../src/mirror/twins/files/file-facts.ts";
import { NEVER } from "../support/simulated-clock.ts";

const FACT: FileFact = { kind: "file", mode: 0o644, uid: 0, gid: 0, size: 3, writtenMs: 0, sha256: "a".repeat(64) };

describe("what a store writes itself", () => {
  const source = (settings: readonly string[]) => ({
    configuration: async () => [
      {
        service: "cache",
        replicas: 1,
        imageId: "i",
        command: [],
        environment: {},
        mounts: ["volume:cache-data:/data:rw", "bind:conf:/conf:ro"],
      },
    ],
    sql: async () => [{ folder: "/var/lib/postgresql/data" }],
    redis: async () => settings,
  });
  const stores: readonly StateSpec[] = [
    { kind: "redis", service: "cache", port: 6379 },
    { kind: "postgres", service: "db", port: 5432, database: "shop", user: "u", password: "p" },
  ];
  const paths = async (settings: readonly string[]) =>
    (await dataFolders(source(settings), stores, NEVER)).map(({ path }) => path);

  test("is a folder of PostgreSQL and files of Redis, so that its users and settings stay files", async () => {
    expect(await paths(["dir", "/data", "dbfilename", "dump.rdb", "aclfile", "/data/users.acl"])).toEqual([
      "/data/dump.rdb",
      "/data/temp-*",
      "/var/lib/postgresql/data",
    ]);
  });

  test("is unknown where it does not say: then its volumes are not compared as files, and those of others are", async () => {
    expect(await paths([])).toEqual(["/var/lib/postgresql/data", "/data"]);
  });
});

describe("flags", () => {
  const file = (content: unknown) =>
    flagResources({ service: "api", path: "/f", resource: "file/api/f", text: JSON.stringify(content) });

  test("are one resource a member, and whatever stands beside them is told too", () => {
    const flags = { dark: { state: "ENABLED", variants: { on: true, off: false }, defaultVariant: null } };
    expect(
      file({ $schema: "x", flags, $evaluators: { isProd: { "==": [1, 1] } }, metadata: { version: "7" } }),
    ).toEqual({
      "flags/api/dark/state": "ENABLED",
      "flags/api/dark/variants": '{"off":false,"on":true}',
      "flags/api/dark/defaultVariant": "null",
      "flags/api/(evaluators)/isProd": '{"==":[1,1]}',
      "flags/api/(file)/metadata": '{"version":"7"}',
    });
  });

  test("fifteen that are replaced by one are fifteen removed", () => {
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, n) => [`flag-${n}`, { state: "ENABLED" }]));
    const [before, after] = [
      Object.keys(file({ flags: many })),
      Object.keys(file({ flags: { "flag-3": many["flag-3"] } })),
    ];
    expect(before.filter((path) => !after.includes(path))).toHaveLength(14);
  });

  test.each([
    ["no JSON", { text: "{" }, "flags/api/(unreadable)"],
    ["no flag file", { text: "[]" }, "flags/api/(unreadable)"],
    ["missing", {}, "flags/api/(missing)"],
    ["different in its replicas", { problem: "replicas differ" }, "flags/api/(unreadable)"],
  ])("a file that is %s is a resource of its own", (_, given, path) => {
    expect(Object.keys(flagResources({ service: "api", path: "/f", resource: "file/api/f", ...given }))).toEqual([
      path,
    ]);
  });

  test("a file that is compared flag by flag counts with its permissions only", () => {
    const flag = { service: "api", path: "/f", resource: "file/api/f" };
    const listing = {
      files: { "file/api/f": "file 644 0:0, 3 bytes, sha256:aaaa" },
      inImage: {},
      sinceStart: [],
      unseen: [],
    };
    const read = (text: string) => surroundingsOf(listing, [{ ...flag, text }], [], []).files?.["file/api/f"];
    expect(read('{"flags":{}}')).toBe("file 644 0:0, compared flag by flag");
    expect(read("broken")).toBe("file 644 0:0, 3 bytes, sha256:aaaa");
  });
});

describe("trouble in the output", () => {
  test.each([
    ['{"level":50,"msg":"boom"}'],
    ["2026-11-30 ERROR:  relation x does not exist"],
    ["TypeError: x is not a function"],
    ["connect ECONNREFUSED 10.0.0.7:5432"],
    ["request timed out"],
  ])("%s is seen", (line) => expect(troubleIn(line)).toBeDefined());

  test.each([['{"level":30,"err":null,"msg":"ok"}'], ["listening on 8080"], ["GET / 200 3 ms"]])("%s is none", (line) =>
    expect(troubleIn(line)).toBeUndefined(),
  );

  test("differs neither by numbers nor by identifiers, and shows no secret", () => {
    const line = (id: string, n: number) => `error: order ${id} failed after ${n} ms, password=hunter${n}22`;
    const [one, other] = [
      troubleIn(line("6f9619ff-8b86-d011-b42d-00c04fc964ff", 12)),
      troubleIn(line("11111111-2222-3333-4444-555555555555", 7)),
    ];
    expect(one?.pattern).toBe(other?.pattern);
    expect(JSON.stringify(one)).not.toContain("hunter");
  });

  test("of any text costs little and stays short", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 5000, unit: "binary" }), (text) => {
        expect(troubleIn(`error ${text}`)?.pattern.length ?? 0).toBeLessThanOrEqual(201);
      }),
    );
  });
});

describe("a look at files", () => {
  const root = (collector: ReturnType<typeof fileCollector>) =>
    collector.root({ prefix: ["file", "api"], startedMs: 100 });

  test("leaves out what is as in the image and tells of what replicas hold differently", () => {
    const collector = fileCollector();
    root(collector).add(["etc", "same"], FACT, FACT);
    root(collector).add(["etc", "a/b"], FACT);
    root(collector).add(["etc", "a/b"], { ...FACT, mode: 0o600, writtenMs: 200 });
    const { files, sinceStart } = collector.listing();
    expect(Object.keys(files)).toEqual(["file/api/etc/a%2Fb"]);
    expect(files["file/api/etc/a%2Fb"]).toMatch(/^file 600 .* \| file 644 /);
    expect(sinceStart).toEqual(["file/api/etc/a%2Fb"]);
  });

  test("says of contents that are too large that they can not be compared, and when they were written", () => {
    const collector = fileCollector();
    const to = root(collector);
    expect(to.claim(65 * 1024 * 1024)).toBe(false);
    const { sha256: _, ...large } = { ...FACT, size: 65 * 1024 * 1024 };
    to.add(["big"], large);
    expect(collector.listing().files["file/api/big"]).toContain(
      "too large to compare, written 1970-01-01T00:00:00.000Z",
    );
  });

  test("tells of files beyond the limit as one thing that changes with any of them", () => {
    const look = (lastMode: number): string | undefined => {
      const collector = fileCollector();
      const to = root(collector);
      for (let n = 0; n < 20_010; n++) to.add([String(n)], n === 20_009 ? { ...FACT, mode: lastMode } : FACT);
      return collector.listing().files["file/api/(uncompared)"];
    };
    expect(look(0o644)).toMatch(/^10 more files, too many to compare/);
    expect(look(0o644)).not.toBe(look(0o600));
  });
});
