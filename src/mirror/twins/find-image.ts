import { messageOf } from "../../core/errors.ts";
import type { ImageDetails } from "./engine.ts";
import type { RunContext } from "./run-context.ts";

/** Details of a local image, or `undefined`. */
export async function findImage(
  run: RunContext,
  reference: string,
  signal: AbortSignal,
): Promise<ImageDetails | undefined> {
  return await run.engine.read(`looking for image ${reference}`, signal, async (docker) => {
    try {
      return await docker.getImage(reference).inspect();
    } catch (cause) {
      if (/no such image/i.test(messageOf(cause))) return undefined;
      throw cause;
    }
  });
}

/** `NAME=value` lines as a record; a line without `=` is a variable that is unset. */
export function environmentOf(lines: readonly string[]): Readonly<Record<string, string>> {
  const pairs = lines.filter((line) => line.includes("=")).map((line) => line.split(/=(.*)/s).slice(0, 2));
  return Object.fromEntries(pairs.map(([name = "", value = ""]) => [name, value]));
}
