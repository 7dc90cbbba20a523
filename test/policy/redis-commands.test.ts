import { expect, test } from "vitest";
import { redisFinding } from "../../src/policy/redis-commands.ts";

test.each([
  ["GET a", "read"],
  ["SET a b", "keys"],
  ["ACL LOG", "read"],
  ["ACL LOG RESET", "loss"],
  ["acl log reset", "loss"],
  ["SLOWLOG GET", "read"],
  ["SLOWLOG RESET", "loss"],
  ["LATENCY LATEST", "read"],
  ["LATENCY RESET command", "loss"],
  ["CONFIG RESETSTAT", "loss"],
  ["CONFIG SET maxmemory 1gb", "access"],
  ["FLUSHALL", "loss"],
])("%s: %s", (line, effect) => expect(redisFinding(line.split(" ")).effect).toBe(effect));
