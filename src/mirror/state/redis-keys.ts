import { encodeSegment, resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";

/**
 * Lua: `digestOf(key)` is `type:sha1` of a value, or false where there is none, so that values never leave Redis.
 * Unordered types are hashed member by member and the digests sorted: two encodings of one set are the same set. Of a hash it
 * counts which fields end by themselves (from Redis 7.4 on), of a stream its groups with what they have delivered and not heard
 * of again, and whether its next entry would be dated in the future.
 */
export const DIGEST_LUA = `
local function flat(value)
  if type(value) ~= 'table' then return #tostring(value) .. ':' .. tostring(value) end
  local parts = {}
  for i, part in ipairs(value) do parts[i] = flat(part) end
  return '[' .. table.concat(parts) .. ']'
end
local function unordered(members, width, mark)
  local digests = {}
  for i = 1, #members, width do
    local member = flat(members[i])
    if width == 2 then member = member .. flat(members[i + 1]) end
    digests[#digests + 1] = redis.sha1hex(member .. (mark and mark[members[i]] or ''))
  end
  table.sort(digests)
  return table.concat(digests)
end
local fields_end = true
local function ending_fields(key, members)
  local ends = {}
  for from = 1, fields_end and #members or 0, 2000 do
    local names = {}
    for i = from, math.min(from + 1999, #members), 2 do names[#names + 1] = members[i] end
    local lives = redis.pcall('HPTTL', key, 'FIELDS', #names, unpack(names))
    if lives.err then fields_end = false return ends end
    for i, life in ipairs(lives) do if life >= 0 then ends[names[i]] = ' ends' end end
  end
  return ends
end
local function named(list)
  local values = {}
  for i = 1, #list, 2 do values[list[i]] = list[i + 1] end
  return values
end
local function groups_of(key)
  local parts = {}
  for _, entry in ipairs(redis.call('XINFO', 'GROUPS', key)) do
    local group = named(entry)
    local waiting = {}
    for _, one in ipairs(redis.call('XPENDING', key, group.name, '-', '+', 10000)) do
      waiting[#waiting + 1] = one[1] .. ' ' .. one[2] .. ' ' .. one[4]
    end
    parts[#parts + 1] = flat({ group.name, group['last-delivered-id'], tostring(group['entries-read']), group.pending, waiting })
  end
  table.sort(parts)
  local last = named(redis.call('XINFO', 'STREAM', key))['last-generated-id']
  local ahead = tonumber(string.match(last, '^%d+')) / 1000 > redis.call('TIME')[1] + 60
  return (#parts > 0 and flat(parts) or '') .. (ahead and ' ahead' or '')
end
local function digestOf(key)
  local kind = redis.call('TYPE', key)['ok']
  local content
  if kind == 'string' then content = redis.call('GET', key)
  elseif kind == 'hash' then
    local members = redis.call('HGETALL', key)
    content = unordered(members, 2, ending_fields(key, members))
  elseif kind == 'set' then content = unordered(redis.call('SMEMBERS', key), 1)
  elseif kind == 'list' then content = flat(redis.call('LRANGE', key, 0, -1))
  elseif kind == 'zset' then content = flat(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'))
  elseif kind == 'stream' then content = flat(redis.call('XRANGE', key, '-', '+')) .. groups_of(key)
  else content = redis.call('DUMP', key) end
  return content and (kind .. ':' .. redis.sha1hex(content))
end
`;

/** The value of a key in a fingerprint: a key that ends by itself is another one than a key that stays. */
export function keyValue(digest: string, { ends }: { readonly ends: boolean }): string {
  return ends ? `${digest} ends` : digest;
}

/** `redis/<service>/<key>`; keys of a database other than 0 stand under `redis/<service>/db<n>/`. */
export function keyPath(store: { readonly service: string }, database: string, key: Buffer): ResourcePath {
  const above = database === "0" ? [store.service] : [store.service, `db${database}`];
  return `${resourcePath("redis", ...above)}/${keySegment(key)}`;
}

/**
 * Keys are bytes. Where they are no UTF-8 every byte beyond ASCII is percent-encoded: decoded, that is no UTF-8 either, so that it
 * is no other key's segment.
 */
function keySegment(key: Buffer): string {
  try {
    return encodeSegment(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(key));
  } catch {
    return [...key]
      .map((byte) =>
        byte < 0x80 ? encodeSegment(String.fromCharCode(byte)) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
      )
      .join("");
  }
}
