import { open } from "node:fs/promises";
import { CanaryError, type ErrorCode } from "../core/errors.ts";

/**
 * Bytes of a regular file of limited size; one handle is looked at and read, so that it cannot be exchanged in between.
 * @throws CanaryError with the given code when it cannot be read or is too large
 */
export async function readBoundedFile(
  file: string,
  limits: { readonly code: ErrorCode; readonly bytesMax: number },
): Promise<Buffer> {
  try {
    await using handle = await open(file, "r");
    const stats = await handle.stat();
    if (stats.isFile() && stats.size <= limits.bytesMax) return await handle.readFile();
  } catch (cause) {
    throw new CanaryError({ code: limits.code, message: `cannot read ${file}`, hint: "Check the path.", cause });
  }
  const hint = `Name a file of at most ${limits.bytesMax} bytes.`;
  throw new CanaryError({ code: limits.code, message: `${file} is no file that is read`, hint });
}

/** The same as UTF-8 text. */
export async function readBoundedText(
  file: string,
  limits: { readonly code: ErrorCode; readonly bytesMax: number },
): Promise<string> {
  return (await readBoundedFile(file, limits)).toString("utf8");
}
