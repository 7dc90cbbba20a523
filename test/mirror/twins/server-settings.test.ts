import { expect, test } from "vitest";
import type { StateSpec } from "../../../src/mirror/mirror-spec.ts";
import { addedSettings, commandWith, commandWithout } from "../../../src/mirror/twins/server-settings.ts";

const STATE_SPECS: readonly StateSpec[] = [
  { kind: "postgres", service: "db", port: 5432, database: "shop", user: "shop", password: "shop" },
  { kind: "redis", service: "cache", port: 6379 },
];
const image = { command: ["postgres"], environment: { PG_MAJOR: "15" } };
const added = (service: { command?: readonly string[]; entrypoint?: readonly string[] }, major = "15") =>
  addedSettings({ state: STATE_SPECS }, { name: "db", ...service }, { ...image, environment: { PG_MAJOR: major } });

test("a database is started with a logical log that may not fill the disk", () => {
  expect(added({})).toEqual(["wal_level=logical", "max_slot_wal_keep_size=2GB"]);
  expect(added({ command: ["postgres", "-c", "shared_buffers=64MB"] })).toHaveLength(2);
  expect(added({ command: ["-c", "shared_buffers=64MB"] })).toHaveLength(2);
  expect(added({}, "12")).toEqual(["wal_level=logical"]);
});

test.each([
  ["its command says which log it keeps", { command: ["postgres", "-c", "wal_level=minimal"] }],
  ["its command is another program", { command: ["sh", "-c", "exec postgres"] }],
  ["its entry point is its own", { entrypoint: ["/start.sh"] }],
])("nothing is added where %s", (_, service) => expect(added(service)).toEqual([]));

test("only databases that are state are given anything", () => {
  expect(addedSettings({ state: STATE_SPECS }, { name: "cache" }, image)).toEqual([]);
  expect(addedSettings({ state: [] }, { name: "db" }, image)).toEqual([]);
});

test("the command that is reported is the mirror's own again", () => {
  const settings = added({});
  const started = commandWith(settings, {}, image);
  expect(started).toEqual(["postgres", "-c", "wal_level=logical", "-c", "max_slot_wal_keep_size=2GB"]);
  expect(commandWithout(settings, started ?? [])).toEqual(["postgres"]);
  expect(commandWithout(settings, ["postgres", "-c", "other=1"])).toEqual(["postgres", "-c", "other=1"]);
  expect(commandWith([], {}, image)).toBeUndefined();
});
