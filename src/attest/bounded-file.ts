import { open } from "node:fs/promises";
import { CanaryError, type ErrorCode } from "../core/errors.ts";

/** How much of a file is read, and what whoever named it is told where that fails. */
interface Bounds {
  readonly code: ErrorCode;
  readonly bytesMax: number;
  /** What to do where there is no such file; "Check the path." where nothing else can be said. */
  readonly hint?: string;
}

/**
 * Bytes of a regular file of limited size; one handle is looked at and read, so that it cannot be exchanged in between.
 * @throws CanaryError with the given code when it cannot be read or is too large
 */
export async function readBoundedFile(file: string, limits: Bounds): Promise<Buffer> {
  try {
    await using handle = await open(file, "r");
    const stats = await handle.stat();
    if (stats.isFile() && stats.size <= limits.bytesMax) return await handle.readFile();
  } catch (cause) {
    const hint = limits.hint ?? "Check the path.";
    throw new CanaryError({ code: limits.code, message: `cannot read ${file}`, hint, cause });
  }
  const hint = `Name a file of at most ${limits.bytesMax} bytes.`;
  throw new CanaryError({ code: limits.code, message: `${file} is no file that is read`, hint });
}

/** The same as UTF-8 text. */
export async function readBoundedText(file: string, limits: Bounds): Promise<string> {
  return (await readBoundedFile(file, limits)).toString("utf8");
}
