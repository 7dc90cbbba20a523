import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import { DIGEST_LUA, keyPath, keyValue } from "./redis-keys.ts";
import { redisServer } from "./redis-server.ts";
import type { StateSource, StoreState } from "./store-state.ts";

type RedisSpec = Extract<StateSpec, { kind: "redis" }>;

/** Keys per round trip: short enough that Redis never stalls for long. */
const SCAN_COUNT = 500;

/**
 * Digests one page of keys inside Redis: [now, cursor, [key, type:sha1, ttl ms, ...]]. A key is `=` and itself, or `x` and its
 * bytes in hexadecimal where it is not plain ASCII, because a client reads answers as text.
 */
const SCAN_SCRIPT = `
redis.call('SELECT', ARGV[1])
local time = redis.call('TIME')
local page = redis.call('SCAN', ARGV[2], 'COUNT', ARGV[3])
${DIGEST_LUA}
local function shown(key)
  if not string.find(key, '[\\128-\\255]') then return '=' .. key end
  return 'x' .. string.gsub(key, '.', function(byte) return string.format('%02x', string.byte(byte)) end)
end
local answer = {}
for _, key in ipairs(page[2]) do
  local digest = digestOf(key)
  if digest then
    answer[#answer + 1] = shown(key)
    answer[#answer + 1] = digest
    answer[#answer + 1] = tostring(redis.call('PTTL', key))
  end
end
return { time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000)), page[1], answer }`;

/**
 * Every key of every database of a Redis (type and digest of the value, whether it ends), its settings, users and programs.
 * @throws CanaryError MIRROR_UNAVAILABLE when it cannot be read or holds more than LIMITS.redisKeysMax keys
 */
export async function readRedis(source: StateSource, store: RedisSpec, signal: AbortSignal): Promise<StoreState> {
  const keys: Record<ResourcePath, string> = {};
  const expiring: Record<ResourcePath, number> = {};
  let storeEpochMs = 0;
  let count = 0;
  for (const database of databasesIn(String(await source.redis(store, ["INFO", "keyspace"])))) {
    for (let cursor: string | undefined = "0"; cursor !== undefined; ) {
      signal.throwIfAborted();
      const page = parsePage(
        await source.redis(store, ["EVAL", SCAN_SCRIPT, "0", database, cursor, String(SCAN_COUNT)]),
      );
      storeEpochMs = page.nowEpochMs;
      for (const { key, digest, ttlMs } of page.entries) {
        const path = keyPath(store, database, key);
        keys[path] = keyValue(digest, { ends: ttlMs >= 0 });
        if (ttlMs >= 0) expiring[path] = page.nowEpochMs + ttlMs;
      }
      count += page.entries.length;
      if (count > LIMITS.redisKeysMax) throw tooManyKeys(store);
      cursor = page.cursor === "0" ? undefined : page.cursor;
    }
  }
  return { ...(await redisServer(source, store)), tables: {}, keys, sequences: {}, expiring, storeEpochMs };
}

/** Numbers of the databases that hold keys, from `INFO keyspace`. */
export function databasesIn(keyspace: string): readonly string[] {
  return [...keyspace.matchAll(/^db(\d+):/gm)].map((match) => match[1] ?? "0");
}

function parsePage(reply: unknown): {
  readonly nowEpochMs: number;
  readonly cursor: string;
  readonly entries: readonly { readonly key: Buffer; readonly digest: string; readonly ttlMs: number }[];
} {
  const [now, cursor, flat] = Array.isArray(reply) ? reply : [];
  if (!Array.isArray(flat)) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: "Redis answered the fingerprint script with something unexpected",
      hint: "The mirror's Redis must allow EVAL and be version 4 or later.",
    });
  }
  const entries = flat.flatMap((key, index) =>
    index % 3 === 0
      ? [{ key: keyBytes(String(key)), digest: String(flat[index + 1]), ttlMs: Number(flat[index + 2]) }]
      : [],
  );
  return { nowEpochMs: Number(now), cursor: String(cursor), entries };
}

function keyBytes(shown: string): Buffer {
  return shown.startsWith("x") ? Buffer.from(shown.slice(1), "hex") : Buffer.from(shown.slice(1), "utf8");
}

function tooManyKeys(store: RedisSpec): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `Redis service ${store.service} holds more than ${LIMITS.redisKeysMax} keys, too many to compare`,
    hint: "Seed the mirror with a sample of the keys.",
  });
}
