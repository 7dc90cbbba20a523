import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { userInfo } from "node:os";

/** A journal holds the undos of a plan, a reference the state of a twin; what is larger is neither. */
const BYTES_MAX = 256 * 1024 * 1024;

/** A file of this user's own: its text, and when it was last written (epoch, ms). */
export interface PrivateText {
  readonly text: string;
  readonly writtenEpochMs: number;
}

/**
 * Reads a file that is believed, and acted upon, because this user wrote it.
 * @throws Error where somebody else may have: a link, another owner, a mode that lets others read or write; when it is missing or too large
 */
export async function readPrivateText(file: string): Promise<PrivateText> {
  await using handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW);
  const info = await handle.stat();
  const { uid } = userInfo();
  if (!info.isFile() || info.size > BYTES_MAX) throw new Error(`${file} is no file of a size that is read`);
  // Where users have no numbers it is -1, and there are no modes either.
  if (uid >= 0 && info.uid !== uid) throw new Error(`${file} belongs to somebody else`);
  if (uid >= 0 && (info.mode & 0o077) !== 0) throw new Error(`others can read or write ${file}`);
  return { text: await handle.readFile("utf8"), writtenEpochMs: info.mtimeMs };
}
