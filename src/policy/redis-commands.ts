/** What a Redis command does, mildest first. */
export const REDIS_EFFECTS = ["read", "message", "keys", "access", "loss", "forbidden"] as const;
export type RedisEffect = (typeof REDIS_EFFECTS)[number];

/** One command's effect and why, as the end of a sentence. */
export interface RedisFinding {
  readonly effect: RedisEffect;
  readonly because: string;
  readonly irreversible?: true;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ""));

const READING = words(`
  get mget strlen getrange substr exists type ttl pttl expiretime pexpiretime keys scan randomkey dbsize dump object
  hget hmget hgetall hkeys hvals hlen hexists hstrlen hscan hrandfield llen lrange lindex lpos scard smembers sismember
  smismember srandmember sscan sinter sintercard sunion sdiff zcard zcount zscore zmscore zrank zrevrank zrange
  zrevrange zrangebyscore zrevrangebyscore zrangebylex zrevrangebylex zlexcount zscan zrandmember zinter zunion zdiff
  zintercard xlen xrange xrevrange xinfo xpending pfcount getbit bitcount bitpos bitfield_ro geodist geohash geopos
  georadius_ro georadiusbymember_ro geosearch lcs ping echo time info lastsave role memory slowlog latency command touch
`);

const WRITING = words(`
  set setex psetex setnx mset msetnx getset getdel getex append setrange incr incrby incrbyfloat decr decrby setbit
  bitfield bitop del unlink rename renamenx copy move expire pexpire expireat pexpireat persist restore sort
  hset hsetnx hmset hdel hincrby hincrbyfloat hexpire hpersist lpush rpush lpushx rpushx lpop rpop lrem lset ltrim
  linsert lmove rpoplpush lmpop sadd srem spop smove sinterstore sunionstore sdiffstore zadd zrem zincrby zpopmin zpopmax
  zremrangebyscore zremrangebyrank zremrangebylex zrangestore zinterstore zunionstore zdiffstore zmpop xadd xdel xtrim
  xgroup xack xclaim xautoclaim xsetid pfadd pfmerge geoadd geosearchstore georadius georadiusbymember
`);

/** `ACL LOG RESET`, `SLOWLOG RESET`, `LATENCY RESET`, `CONFIG RESETSTAT`: what a server recorded of what was done to it. */
const RECORDS = /^((acl log|slowlog|latency) reset|config resetstat)$/;

const RULES: readonly { readonly names: ReadonlySet<string>; readonly finding: RedisFinding }[] = [
  {
    names: words("flushall flushdb swapdb"),
    finding: { effect: "loss", because: "empties or swaps a whole database" },
  },
  {
    names: words("config acl module cluster failover replicaof slaveof save bgsave bgrewriteaof client"),
    finding: { effect: "access", because: "changes the server, not its keys" },
  },
  {
    names: words("eval evalsha eval_ro evalsha_ro fcall fcall_ro script function"),
    finding: { effect: "forbidden", because: "runs or changes code, which can not be read here" },
  },
  {
    names: words(
      "shutdown debug monitor subscribe psubscribe ssubscribe sync psync migrate multi exec watch select auth blpop brpop blmove brpoplpush bzpopmin bzpopmax xread xreadgroup wait waitaof quit reset hello",
    ),
    finding: { effect: "forbidden", because: "stops or blocks the connection, or leads to another server" },
  },
  {
    names: words("publish spublish"),
    finding: { effect: "message", because: "sends a message that nobody can take back", irreversible: true },
  },
];

/** Subcommands of the server's commands that only look. */
const LOOKING =
  /^(get|list|cat|whoami|getuser|users|log|dryrun|info|help|nodes|slots|shards|myid|keyslot|countkeysinslot|id|getname|kill-help|count)$/i;

/** What a command does, by its name; one that is not known is forbidden, because it may do anything. */
export function redisFinding(command: readonly string[]): RedisFinding {
  const [verb = "", subcommand = ""] = command;
  const name = verb.toLowerCase();
  const told = verb.toUpperCase();
  const line = command.join(" ").toLowerCase();
  if (RECORDS.test(line) || line.startsWith("latency reset "))
    return { effect: "loss", because: `calls ${line.toUpperCase()}, which loses records that nothing else holds` };
  if (READING.has(name)) return { effect: "read", because: "only reads" };
  if (WRITING.has(name)) return { effect: "keys", because: `writes keys (${told})` };
  const rule = RULES.find(({ names }) => names.has(name));
  if (rule === undefined) return { effect: "forbidden", because: `calls ${told}, which no rule knows` };
  if (rule.finding.effect === "access" && LOOKING.test(subcommand)) return { effect: "read", because: "only reads" };
  return { ...rule.finding, because: `calls ${told}, which ${rule.finding.because}` };
}

/** The gravest of several. */
export function gravestRedis(findings: readonly RedisFinding[]): RedisFinding {
  return findings.reduce(
    (worst, one) => (REDIS_EFFECTS.indexOf(one.effect) > REDIS_EFFECTS.indexOf(worst.effect) ? one : worst),
    { effect: "read", because: "only reads" },
  );
}
