import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { maskedValue } from "../../core/redact.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import type { StateSource, StoreState } from "./store-state.ts";

type RedisSpec = Extract<StateSpec, { kind: "redis" }>;

/** Keys per round trip: short enough that Redis never stalls for long. */
const SCAN_COUNT = 500;

/**
 * Lua: `digestOf(key)` is `type:sha1` of a value, or false where there is none, so that values never leave Redis.
 * Unordered types are hashed member by member and the digests sorted: two encodings of one set are the same set.
 */
export const DIGEST_LUA = `
local function flat(value)
  if type(value) ~= 'table' then return #tostring(value) .. ':' .. tostring(value) end
  local parts = {}
  for i, part in ipairs(value) do parts[i] = flat(part) end
  return '[' .. table.concat(parts) .. ']'
end
local function unordered(members, width)
  local digests = {}
  for i = 1, #members, width do
    local member = flat(members[i])
    if width == 2 then member = member .. flat(members[i + 1]) end
    digests[#digests + 1] = redis.sha1hex(member)
  end
  table.sort(digests)
  return table.concat(digests)
end
local function digestOf(key)
  local kind = redis.call('TYPE', key)['ok']
  local content
  if kind == 'string' then content = redis.call('GET', key)
  elseif kind == 'hash' then content = unordered(redis.call('HGETALL', key), 2)
  elseif kind == 'set' then content = unordered(redis.call('SMEMBERS', key), 1)
  elseif kind == 'list' then content = flat(redis.call('LRANGE', key, 0, -1))
  elseif kind == 'zset' then content = flat(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'))
  elseif kind == 'stream' then content = flat(redis.call('XRANGE', key, '-', '+'))
  else content = redis.call('DUMP', key) end
  return content and (kind .. ':' .. redis.sha1hex(content))
end
`;

/** Digests one page of keys inside Redis: [now, cursor, [key, type:sha1, ttl ms, ...]]. */
const SCAN_SCRIPT = `
redis.call('SELECT', ARGV[1])
local time = redis.call('TIME')
local page = redis.call('SCAN', ARGV[2], 'COUNT', ARGV[3])
${DIGEST_LUA}
local answer = {}
for _, key in ipairs(page[2]) do
  local digest = digestOf(key)
  if digest then
    answer[#answer + 1] = key
    answer[#answer + 1] = digest
    answer[#answer + 1] = tostring(redis.call('PTTL', key))
  end
end
return { time[1] .. string.format('%03d', math.floor(tonumber(time[2]) / 1000)), page[1], answer }`;

/**
 * Every key of every database of a Redis (type and digest of the value; no TTL), and its settings.
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
        keys[path] = digest;
        if (ttlMs >= 0) expiring[path] = page.nowEpochMs + ttlMs;
      }
      count += page.entries.length;
      if (count > LIMITS.redisKeysMax) throw tooManyKeys(store);
      cursor = page.cursor === "0" ? undefined : page.cursor;
    }
  }
  return { resources: await settings(source, store), tables: {}, keys, sequences: {}, expiring, storeEpochMs };
}

/** `redis/<service>/<key>`; keys of a database other than 0 stand under `redis/<service>/db<n>/`. */
function keyPath(store: RedisSpec, database: string, key: string): ResourcePath {
  return database === "0"
    ? resourcePath("redis", store.service, key)
    : resourcePath("redis", store.service, `db${database}`, key);
}

async function settings(source: StateSource, store: RedisSpec): Promise<Readonly<Record<ResourcePath, string>>> {
  const path = (name: string): ResourcePath => resourcePath("redis", store.service, "setting", name);
  const reply = await source.redis(store, ["CONFIG", "GET", "*"]);
  return Object.fromEntries(pairsOf(reply).map(([name, value]) => [path(name), maskedValue(name, value)]));
}

/** RESP2 answers maps as flat lists, RESP3 as objects or Maps. */
export function pairsOf(reply: unknown): readonly (readonly [string, string])[] {
  if (Array.isArray(reply)) {
    return reply.flatMap((name, index) => (index % 2 === 0 ? [[String(name), String(reply[index + 1])] as const] : []));
  }
  const entries: Iterable<readonly [unknown, unknown]> = reply instanceof Map ? reply : Object.entries(reply ?? {});
  return [...entries].map(([name, value]) => [String(name), String(value)] as const);
}

/** Numbers of the databases that hold keys, from `INFO keyspace`. */
export function databasesIn(keyspace: string): readonly string[] {
  return [...keyspace.matchAll(/^db(\d+):/gm)].map((match) => match[1] ?? "0");
}

function parsePage(reply: unknown): {
  readonly nowEpochMs: number;
  readonly cursor: string;
  readonly entries: readonly { readonly key: string; readonly digest: string; readonly ttlMs: number }[];
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
    index % 3 === 0 ? [{ key: String(key), digest: String(flat[index + 1]), ttlMs: Number(flat[index + 2]) }] : [],
  );
  return { nowEpochMs: Number(now), cursor: String(cursor), entries };
}

function tooManyKeys(store: RedisSpec): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `Redis service ${store.service} holds more than ${LIMITS.redisKeysMax} keys, too many to compare`,
    hint: "Seed the mirror with a sample of the keys.",
  });
}
