import { open, rename } from "node:fs/promises";
import { CanaryError, messageOf } from "../core/errors.ts";
import type { Intent, IntentLog } from "../core/intent-log.ts";

// What a run and a drill write must still be there, whole, when the process or the machine ends in the middle.

/**
 * Writes into a folder, and says trouble with the disk in words for people; whatever else went wrong passes as it is.
 * @throws CanaryError REPLAY_FAILED when the disk is full or does not let us write
 */
export async function onDisk<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    throw new CanaryError({
      code: "REPLAY_FAILED",
      message: `cannot write into ${folder}: ${messageOf(cause)}`,
      hint: "There is no answer. Make room on the disk, or give a folder that can be written with --out, and run again.",
      cause,
    });
  }
}

/** Append-only file; each entry is on disk (fsync) before `record` resolves. */
export async function openIntentLog(file: string, firstSequence = 0): Promise<IntentLog & AsyncDisposable> {
  const handle = await open(file, "a", 0o600);
  let sequence = firstSequence;
  let last: Promise<unknown> = Promise.resolve();
  return {
    record: async (intent: Intent) => {
      const line = `${JSON.stringify({ sequence: sequence++, ...intent })}\n`;
      last = last.then(async () => {
        await handle.appendFile(line);
        await handle.sync();
      });
      await last;
    },
    [Symbol.asyncDispose]: async () => await handle.close(),
  };
}

/** Written beside and renamed, so that nobody ever reads half of it. @param mode - who may read it; the umask decides if absent */
export async function writeWhole(file: string, text: string, mode = 0o666): Promise<void> {
  const partial = `${file}.partial`;
  await writeDurably(partial, text, mode);
  await rename(partial, file);
}

/** Resolves when the text is on disk (fsync). */
export async function writeDurably(file: string, text: string, mode = 0o666): Promise<void> {
  const handle = await open(file, "w", mode);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
