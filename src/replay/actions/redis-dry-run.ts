import { messageOf } from "../../core/errors.ts";
import type { Twin } from "../../mirror/twin.ts";
import type { StepOf } from "../../plan/action.ts";
import { notLanded, type StepContext, type StepOutcome } from "./step-result.ts";

/**
 * Queues the commands in a MULTI, where the server checks their names, the number of their arguments and what the user may do,
 * and discards them. That a key is of the wrong type shows only when a command runs.
 */
export async function tryRedis(step: StepOf<"redis">, twin: Twin, { signal }: StepContext): Promise<StepOutcome> {
  const { service, commands } = step.with;
  await twin.redis({ service }, ["MULTI"]);
  try {
    for (const command of commands) {
      signal.throwIfAborted();
      const refused = await queue(command, service, twin);
      if (refused !== undefined) return notLanded(`${command[0]} was refused: ${refused}`);
    }
  } finally {
    await twin.redis({ service }, ["DISCARD"]);
  }
  return {
    landed: true,
    output: "",
    message: `${commands.length} ${commands.length === 1 ? "command" : "commands"} queued and discarded`,
  };
}

/** Why the server would not queue a command; a lost server is not an answer. */
async function queue(command: readonly string[], service: string, twin: Twin): Promise<string | undefined> {
  try {
    await twin.redis({ service }, command);
    return undefined;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name !== "CanaryError") return messageOf(thrown);
    throw thrown;
  }
}
