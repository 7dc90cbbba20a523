import { messageOf } from "../../core/errors.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import { actionIdentity } from "./action-identity.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

type RedisStep = StepOf<"redis">;
type Saved = NonNullable<RedisStep["with"]["restore"]>[number];

/** Under a connection that carries the action's name, runs the commands one after the other, puts saved keys back, then holds the `landed` command against its answer. */
export async function executeRedis(step: RedisStep, on: Twin, context: StepContext): Promise<StepOutcome> {
  const { connection } = actionIdentity(context);
  const twin: Twin = { ...on, redis: (store, command) => on.redis(store, command, connection) };
  const { service, commands, restore = [], landed } = step.with;
  const answers: string[] = [];
  for (const command of commands) {
    context.signal.throwIfAborted();
    try {
      answers.push(answerText(await twin.redis({ service }, command)));
    } catch (thrown) {
      if (!isRefusal(thrown)) throw thrown;
      return notLanded(`${command[0]} was refused: ${messageOf(thrown)}`, answers.join("\n"));
    }
  }
  for (const saved of restore) {
    context.signal.throwIfAborted();
    await putBack(saved, service, twin);
  }
  const done = [
    ...(commands.length === 0
      ? []
      : [`${commands.length} ${commands.length === 1 ? "command" : "commands"} acknowledged`]),
    ...(restore.length === 0 ? [] : [`${restore.length} ${restore.length === 1 ? "key" : "keys"} as before`]),
  ].join(", ");
  const output = answers.join("\n");
  if (landed !== undefined && !(await answersAs(landed, service, twin)))
    return notLanded(`${done}, but ${landed.command[0]} does not answer what was expected`, output);
  return { landed: true, output, message: done };
}

/** Whether the `landed` command answers as expected already, or every saved key is what it was. */
export async function redisAtTarget(step: RedisStep, twin: Twin): Promise<boolean> {
  const { service, commands, restore, landed } = step.with;
  if (landed !== undefined) return await answersAs(landed, service, twin);
  if (restore === undefined || commands.length > 0) return false;
  const now = await saveKeys(
    restore.map(({ key }) => key),
    service,
    twin,
  );
  return restore.every((saved, index) => saved.dumpHex === now[index]?.dumpHex);
}

/**
 * The values of keys as DUMP gives them, in hexadecimal: our connection speaks text, so the server turns its bytes into it.
 * The moment at which a key expires is kept, not the time that is left.
 */
export async function saveKeys(keys: readonly string[], service: string, twin: Twin): Promise<readonly Saved[]> {
  const saved: Saved[] = [];
  for (const key of keys) {
    const answer = await twin.redis({ service }, ["EVAL", SAVE_SCRIPT, "1", key]);
    const [dumpHex, expiresAt] = Array.isArray(answer) ? answer : [];
    const expiresAtMs = Number(expiresAt);
    saved.push({
      key,
      dumpHex: typeof dumpHex === "string" ? dumpHex : null,
      ...(expiresAtMs > 0 ? { expiresAtMs } : {}),
    });
  }
  return saved;
}

/** Keys that a command touches, as the server itself says. @throws the server's refusal for a command without keys */
export async function keysOf(command: readonly string[], service: string, twin: Twin): Promise<readonly string[]> {
  const answer = await twin.redis({ service }, ["COMMAND", "GETKEYS", ...command]);
  return Array.isArray(answer) ? answer.map(String) : [];
}

const SAVE_SCRIPT = `
  local dump = redis.call('DUMP', KEYS[1])
  if not dump then return { false, -1 } end
  local hex = string.gsub(dump, '.', function (c) return string.format('%02x', string.byte(c)) end)
  local left = redis.call('PTTL', KEYS[1])
  if left < 0 then return { hex, -1 } end
  local now = redis.call('TIME')
  return { hex, left + now[1] * 1000 + math.floor(now[2] / 1000) }`;

const RESTORE_SCRIPT = `
  local dump = string.gsub(ARGV[1], '..', function (hex) return string.char(tonumber(hex, 16)) end)
  return redis.call('RESTORE', KEYS[1], ARGV[2], dump, 'REPLACE', 'ABSTTL')`;

async function putBack(saved: Saved, service: string, twin: Twin): Promise<void> {
  const { key, dumpHex, expiresAtMs = 0 } = saved;
  const command = dumpHex === null ? ["DEL", key] : ["EVAL", RESTORE_SCRIPT, "1", key, dumpHex, String(expiresAtMs)];
  await twin.redis({ service }, command);
}

async function answersAs(
  landed: NonNullable<RedisStep["with"]["landed"]>,
  service: string,
  twin: Twin,
): Promise<boolean> {
  const answer = await twin.redis({ service }, landed.command).catch((thrown: unknown) => {
    if (isRefusal(thrown)) return undefined;
    throw thrown;
  });
  return answer !== undefined && answerText(answer) === answerText(landed.equals);
}

/** A refusal of the server is an answer; a lost server is not. */
function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name !== "CanaryError";
}

function answerText(answer: unknown): string {
  return JSON.stringify(answer, (_, value: unknown) => (typeof value === "number" ? String(value) : value)) ?? "null";
}
