import { mkdir, open, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { CanaryError, messageOf } from "../core/errors.ts";
import type { Shelf } from "./shelf.ts";

/** A folder, best on another machine's disk: files appear whole, by a rename, and are flushed before. */
export function directoryShelf(folder: string): Shelf {
  return {
    description: folder,
    get: async (name) => {
      try {
        return await readFile(path.join(folder, name));
      } catch (cause) {
        if (hasCode(cause, "ENOENT")) return undefined;
        throw unavailable(folder, cause);
      }
    },
    put: async (name, bytes) => {
      const file = path.join(folder, name);
      try {
        await mkdir(path.dirname(file), { recursive: true, mode: 0o755 });
        await writeFlushed(`${file}.part`, bytes);
        await rename(`${file}.part`, file);
        await flushFolder(path.dirname(file));
      } catch (cause) {
        throw unavailable(folder, cause);
      }
    },
  };
}

async function writeFlushed(file: string, bytes: Uint8Array): Promise<void> {
  await using handle = await open(file, "w", 0o644);
  await handle.writeFile(bytes);
  await handle.sync();
}

/** The new name is in the folder, not in the file. */
async function flushFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

function hasCode(cause: unknown, code: string): boolean {
  return cause instanceof Error && "code" in cause && cause.code === code;
}

function unavailable(folder: string, cause: unknown): CanaryError {
  return new CanaryError({
    code: "LEDGER_UNAVAILABLE",
    message: `the copy in ${folder} can not be read or written: ${messageOf(cause)}`,
    hint: "Nothing is lost: shipping goes on from where the copy is.",
    cause,
  });
}
