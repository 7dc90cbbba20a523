import type { Clock } from "../../core/clock.ts";
import { CanaryError } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { Difference, Fingerprint, ResourcePath } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import { hasExpired, valuesDiffering } from "../state/difference.ts";
import { DIGEST_LUA, keyPath, keyValue } from "../state/redis-keys.ts";
import { pairsOf } from "../state/redis-server.ts";
import { databasesIn, readRedis } from "../state/redis-state.ts";
import type { StoreState } from "../state/store-state.ts";
import type { Twin } from "../twin.ts";
import type { StoreSnapshot } from "./snapshot.ts";
import { unverified } from "./unverified.ts";

type RedisSpec = Extract<StateSpec, { kind: "redis" }>;

/** One key as Redis itself writes it down. */
interface DumpedKey {
  readonly database: string;
  readonly key: Buffer;
  /** What was left of its life, ms; 0 for keys that do not end. */
  readonly ttlMs: number;
  readonly payload: Buffer;
  /** `type:sha1` of the value. */
  readonly digest: string;
}

/** Keys per round trip: short enough that Redis never stalls for long. */
const PAGE_KEYS = 500;
/** Keys and bytes of one script that restores; the first one also empties Redis, so most snapshots come back at once. */
const BATCH_KEYS = 20_000;
const BATCH_BYTES = 16 * 1024 * 1024;

/** [cursor, [key, ttl ms, payload, digest, ...]] of one page. */
const DUMP_SCRIPT = `
redis.call('SELECT', ARGV[1])
local page = redis.call('SCAN', ARGV[2], 'COUNT', ARGV[3])
${DIGEST_LUA}
local answer = {}
for _, key in ipairs(page[2]) do
  local payload = redis.call('DUMP', key)
  if payload then
    answer[#answer + 1] = key
    local ttl = redis.call('PTTL', key)
    answer[#answer + 1] = ttl < 0 and '0' or tostring(math.max(1, ttl))
    answer[#answer + 1] = payload
    answer[#answer + 1] = digestOf(key)
  end
end
return { page[1], answer }`;

/** Restores each payload under a name of its own, digests it and removes it again, before anybody else is served. */
const SCRATCH_SCRIPT = `
${DIGEST_LUA}
local answer = {}
for i = 1, #ARGV do
  redis.call('RESTORE', KEYS[1], 0, ARGV[i], 'REPLACE')
  answer[i] = digestOf(KEYS[1])
  redis.call('DEL', KEYS[1])
end
return answer`;

/** ARGV[1] is `empty` or `keep`, then database, key, ttl and payload of each key. */
const RESTORE_SCRIPT = `
if ARGV[1] == 'empty' then redis.call('FLUSHALL') end
for i = 2, #ARGV, 4 do
  redis.call('SELECT', ARGV[i])
  redis.call('RESTORE', ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], 'REPLACE')
end
return 'OK'`;

const SCRATCH_KEY = "canary:scratch";

/**
 * Keeps every key in this process, as Redis dumps it, so that no FLUSHALL of a plan takes the snapshot with it.
 * @throws CanaryError SNAPSHOT_UNVERIFIED when a value does not come back as it was, or there is too much of it
 */
export async function snapshotRedis(
  twin: Twin,
  store: RedisSpec,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StoreSnapshot> {
  const { clock, signal } = options;
  const startMs = clock.monotonicMs();
  const original = await readRedis(twin, store, signal);
  const keys = await dumpAll(twin, store, signal);
  const made: Made = { original, keys, settings: await settingsOf(twin, store) };
  const takenMs = clock.monotonicMs() - startMs;
  await verify(twin, store, made, signal);
  return {
    facts: {
      service: store.service,
      kind: "redis",
      entries: keys.length,
      takenMs,
      verifiedMs: clock.monotonicMs() - startMs - takenMs,
    },
    restore: (restoreSignal) => restore(twin, store, made, restoreSignal),
    losses: async (lossSignal) => {
      const now = await readRedis(twin, store, lossSignal);
      const lost = keysApart(original, now).length;
      return lost === 0 ? [] : [{ path: resourcePath("redis", store.service), entries: lost }];
    },
  };
}

interface Made {
  readonly original: StoreState;
  readonly keys: readonly DumpedKey[];
  readonly settings: ReadonlyMap<string, string>;
}

/** Keys that are not what they were, but for those that ended by themselves. */
function keysApart(before: StoreState, after: StoreState): readonly Difference[] {
  const [was, is]: readonly [Fingerprint, Fingerprint] = [
    { ...before, takenMs: 0 },
    { ...after, takenMs: 0 },
  ];
  return valuesDiffering(was.keys, is.keys).filter(
    ({ kind, path }) => kind !== "removed" || !hasExpired(path, was, is),
  );
}

async function dumpAll(twin: Twin, store: RedisSpec, signal: AbortSignal): Promise<readonly DumpedKey[]> {
  const keys: DumpedKey[] = [];
  let bytes = 0;
  for (const database of databasesIn(String(await twin.redis(store, ["INFO", "keyspace"])))) {
    for (let cursor = "0", first = true; first || cursor !== "0"; first = false) {
      signal.throwIfAborted();
      const page = await twin.redisBytes(store, ["EVAL", DUMP_SCRIPT, "0", database, cursor, String(PAGE_KEYS)]);
      const [next, flat] = Array.isArray(page) ? page : [];
      const dumped = dumpedKeys(database, flat);
      keys.push(...dumped);
      bytes += dumped.reduce((sum, { key, payload }) => sum + key.length + payload.length, 0);
      if (bytes > LIMITS.snapshotBytesMax) throw tooLarge(store);
      cursor = String(next);
    }
  }
  return keys;
}

function dumpedKeys(database: string, flat: unknown): readonly DumpedKey[] {
  if (!Array.isArray(flat)) return [];
  const buffer = (value: unknown): Buffer => (Buffer.isBuffer(value) ? value : Buffer.from(String(value)));
  return flat.flatMap((key: unknown, at): readonly DumpedKey[] => {
    if (at % 4 !== 0) return [];
    const [ttlMs, payload, digest] = flat.slice(at + 1, at + 4);
    return [{ database, key: buffer(key), ttlMs: Number(ttlMs), payload: buffer(payload), digest: String(digest) }];
  });
}

/** Every value is restored under a scratch key and digested; the fingerprint says which keys there have to be. */
async function verify(twin: Twin, store: RedisSpec, made: Made, signal: AbortSignal): Promise<void> {
  const restored: Record<ResourcePath, string> = {};
  for (const batch of batches(made.keys)) {
    signal.throwIfAborted();
    const payloads = batch.map(({ payload }) => payload);
    const answer = await twin.redisBytes(store, ["EVAL", SCRATCH_SCRIPT, "1", SCRATCH_KEY, ...payloads]);
    const digests: readonly unknown[] = Array.isArray(answer) ? answer : [];
    batch.forEach(({ database, key, ttlMs }, index) => {
      restored[keyPath(store, database, key)] = keyValue(String(digests[index]), { ends: ttlMs > 0 });
    });
  }
  // A key that ends by itself may have ended between the two readings.
  const apart = valuesDiffering(made.original.keys, restored).filter(
    ({ kind, path }) => kind === "changed" || made.original.expiring[path] === undefined,
  );
  if (apart.length > 0) throw unverified(store.service, apart);
}

async function restore(twin: Twin, store: RedisSpec, made: Made, signal: AbortSignal): Promise<void> {
  const all = batches(made.keys);
  for (const [index, batch] of (all.length === 0 ? [[]] : all).entries()) {
    signal.throwIfAborted();
    const parts = batch.flatMap(({ database, key, ttlMs, payload }) => [database, key, String(ttlMs), payload]);
    await twin.redisBytes(store, ["EVAL", RESTORE_SCRIPT, "0", index === 0 ? "empty" : "keep", ...parts]);
  }
  const now = await settingsOf(twin, store);
  for (const [name, value] of made.settings) {
    // What cannot be set at run time cannot have been changed at run time either.
    if (now.get(name) !== value) await twin.redis(store, ["CONFIG", "SET", name, value]).catch(() => undefined);
  }
}

/** Settings as they are, secrets included: they stay in this process. */
async function settingsOf(twin: Twin, store: RedisSpec): Promise<ReadonlyMap<string, string>> {
  const reply = await twin.redis(store, ["CONFIG", "GET", "*"]);
  return new Map(pairsOf(reply));
}

function batches(keys: readonly DumpedKey[]): readonly (readonly DumpedKey[])[] {
  const all: DumpedKey[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const key of keys) {
    const last = all.at(-1);
    if (last === undefined || bytes + key.payload.length > BATCH_BYTES || last.length >= BATCH_KEYS) {
      all.push([key]);
      bytes = key.payload.length;
    } else {
      last.push(key);
      bytes += key.payload.length;
    }
  }
  return all;
}

function tooLarge(store: RedisSpec): CanaryError {
  return new CanaryError({
    code: "SNAPSHOT_UNVERIFIED",
    message: `Redis service ${store.service} holds more than ${LIMITS.snapshotBytesMax / 1024 / 1024} MiB, too much to keep`,
    hint: "Seed the mirror with a sample of the keys.",
  });
}
