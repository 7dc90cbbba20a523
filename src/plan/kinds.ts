import type { ActionKind, ActionStep } from "./action.ts";

/**
 * What a kind of step is by its nature, whatever its arguments.
 * idempotent: doing it again changes nothing more, and nothing has to be put back; reversible: the state before can be
 * put back exactly; compensable: another step can make up for it, but not as if nothing had been; irreversible: nothing
 * takes it back.
 */
export type Reversibility = "idempotent" | "reversible" | "compensable" | "irreversible";

/** Where an undo comes from: read from the state before the step acts, given by the plan only, or not needed at all. */
export type UndoSource = "derived" | "given" | "none";

/** One row of the table of kinds. */
export interface KindFacts {
  readonly reversibility: Reversibility;
  /** How the target itself tries the step without doing it; absent where it offers nothing. */
  readonly dryRun?: "transaction" | "validation";
  readonly undo: UndoSource;
}

/** Every kind with its nature, the one table of it; docs/actions.md shows the same. Tier floors are policy's (src/policy/classify.ts). */
export const KINDS: Readonly<Record<ActionKind, KindFacts>> = {
  http: { reversibility: "compensable", undo: "given" },
  grpc: { reversibility: "compensable", undo: "given" },
  sql: { reversibility: "compensable", dryRun: "transaction", undo: "given" },
  // Nothing but the comparison of states says that the undo of a program makes up for it.
  exec: { reversibility: "compensable", undo: "given" },
  scale: { reversibility: "reversible", undo: "derived" },
  update: { reversibility: "reversible", undo: "derived" },
  restart: { reversibility: "idempotent", undo: "none" },
  remove: { reversibility: "reversible", undo: "derived" },
  file: { reversibility: "reversible", dryRun: "validation", undo: "derived" },
  flag: { reversibility: "reversible", dryRun: "validation", undo: "derived" },
  redis: { reversibility: "reversible", undo: "derived" },
  wait: { reversibility: "idempotent", undo: "none" },
  probe: { reversibility: "idempotent", undo: "none" },
  "query-metrics": { reversibility: "idempotent", undo: "none" },
  "query-logs": { reversibility: "idempotent", undo: "none" },
  ticket: { reversibility: "compensable", undo: "none" },
  "pull-request": { reversibility: "compensable", undo: "none" },
};

/** Commands of Redis that name all the keys they touch, so that the state before can be read; others need a `rollback`. */
const KEYED_COMMANDS = new Set(
  (
    "set get getset getdel getex setex psetex setnx mset msetnx append incr incrby incrbyfloat decr decrby setrange setbit " +
    "del unlink expire pexpire expireat pexpireat persist rename renamenx copy restore " +
    "hset hsetnx hmset hdel hincrby hincrbyfloat lpush rpush lpushx rpushx lpop rpop lrem lset ltrim linsert lmove rpoplpush " +
    "sadd srem spop smove sinterstore sunionstore sdiffstore zadd zrem zincrby zpopmin zpopmax zremrangebyscore " +
    "zremrangebyrank zremrangebylex zrangestore zinterstore zunionstore zdiffstore pfadd pfmerge geoadd geosearchstore " +
    "xadd xdel xtrim bitop bitfield exists type ttl pttl strlen getrange mget hget hmget hgetall hlen llen lrange lindex scard " +
    "smembers sismember zcard zrange zscore zrank"
  ).split(" "),
);

/** Why no undo can be read from the state before this step acts; `undefined` where one can, or where none is needed. */
export function undoUnderivable(step: ActionStep): string | undefined {
  if (step.uses === "redis") {
    const unknown = step.with.commands.find(([verb = ""]) => !KEYED_COMMANDS.has(verb.toLowerCase()));
    return unknown === undefined ? undefined : `${unknown[0]} does not name every key that it touches`;
  }
  return KINDS[step.uses].undo === "given" ? `${step.uses} can do anything` : undefined;
}

/**
 * Whether a request only asks, as far as words can tell: a GET of a plain path. One that brings arguments (a query, a body) may
 * be an order: `GET /admin/flush?all=1`.
 */
export function onlyAsks(request: {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}): boolean {
  return request.method === "GET" && !request.path.includes("?") && request.body === undefined;
}

/** Whether nothing has to be put back after this step: it only reads, is the same when done again, or only proposes. */
export function needsNoUndo(step: ActionStep): boolean {
  return KINDS[step.uses].undo === "none" || (step.uses === "http" && onlyAsks(step.with));
}
