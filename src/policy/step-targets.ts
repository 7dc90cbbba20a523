import type { ActionStep } from "../plan/action.ts";
import { overlaps } from "../plan/pattern-overlap.ts";
import { encodeSegment, resourcePath } from "../plan/resource-pattern.ts";
import type { SqlReading } from "./sql/read-sql.ts";

/** A resource that a step names to change it; one of the patterns fits. */
export type Target = readonly string[];

/**
 * The resources that a step names to change them, as far as its words decide it. What a program or a request changes is
 * not among them: the quiet twin shows it.
 * @param database - name of the database behind a service; `*` while the mirror is not known
 */
export function targetsOfStep(
  step: ActionStep,
  sql: SqlReading | undefined,
  database: (service: string) => string,
): readonly Target[] {
  switch (step.uses) {
    case "scale":
      return [[resourcePath("service", step.with.service, "replicas")]];
    case "update":
      return updateTargets(step);
    case "sql": {
      const { service } = step.with;
      const name = database(service);
      const base = `db/${encodeSegment(service)}/${name === "*" ? name : encodeSegment(name)}`;
      return (sql?.statements ?? []).flatMap(({ targets }) =>
        targets.map((patterns) => patterns.map((pattern) => `${base}/${pattern}`)),
      );
    }
    case "redis":
      return step.with.commands.flatMap((command) =>
        writtenKeys(command).map((key) => [resourcePath("redis", step.with.service, key)]),
      );
    default:
      return [];
  }
}

/** Targets that no declaration of the action reaches. */
export function undeclaredTargets(targets: readonly Target[], changes: readonly string[]): readonly Target[] {
  return targets.filter((patterns) => !patterns.some((pattern) => changes.some((one) => overlaps(one, pattern))));
}

function updateTargets({ with: change }: Extract<ActionStep, { uses: "update" }>): readonly Target[] {
  const { service, environment = {}, image, memoryBytes, cpus } = change;
  return [
    ...Object.keys(environment).map((name) => ["env", name]),
    ...(image === undefined ? [] : [["image"]]),
    ...(memoryBytes === undefined ? [] : [["memory"]]),
    ...(cpus === undefined ? [] : [["cpus"]]),
  ].map((names) => [resourcePath("service", service, ...names)]);
}

const FIRST_ARGUMENT_IS_THE_KEY =
  /^(set|setex|psetex|setnx|append|setrange|incr|incrby|incrbyfloat|decr|decrby|getset|getdel|setbit|hset|hsetnx|hmset|hdel|hincrby|hincrbyfloat|lpush|rpush|lpop|rpop|lrem|lset|ltrim|linsert|sadd|srem|spop|zadd|zrem|zincrby|xadd|xdel|xtrim|pfadd|geoadd|restore)$/i;

/** Keys that a command writes, where its words say which; `EXPIRE` and its like change no content. */
function writtenKeys([verb = "", ...args]: readonly string[]): readonly string[] {
  if (/^(del|unlink)$/i.test(verb)) return args;
  if (/^(mset|msetnx)$/i.test(verb)) return args.filter((_, index) => index % 2 === 0);
  return FIRST_ARGUMENT_IS_THE_KEY.test(verb) ? args.slice(0, 1) : [];
}
