import { link, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { type Owner, ownerState } from "../mirror/twins/owner.ts";

const OwnerSchema = z.strictObject({ pid: z.number().int(), startTicks: z.number().int(), bootId: z.string() });
const NAME = /^resume\.lock\.(\d{1,6})$/;

/**
 * Does something to a run's folder that two processes must not do at once; `undefined` where another one does it. A lock whose
 * holder is known to be dead is taken over, by a lock with the next number: of several who try, the file system lets one.
 */
export async function underResumeLock<T>(folder: string, owner: Owner, work: () => Promise<T>): Promise<T | undefined> {
  const held = await newestLock(folder);
  if (held.number > 0 && (await holderOf(path.join(folder, held.name))) !== "dead") return undefined;
  const file = path.join(folder, `resume.lock.${held.number + 1}`);
  if (!(await take(file, owner))) return undefined;
  try {
    return await work();
  } finally {
    await rm(file, { force: true });
  }
}

async function newestLock(folder: string): Promise<{ readonly number: number; readonly name: string }> {
  const locks = (await readdir(folder)).map((name) => ({ name, number: Number(NAME.exec(name)?.[1] ?? 0) }));
  return locks.reduce((newest, one) => (one.number > newest.number ? one : newest), { number: 0, name: "" });
}

/** A lock that can not be read has a holder who can not be shown to be dead. */
async function holderOf(file: string): ReturnType<typeof ownerState> {
  const owner = OwnerSchema.safeParse(
    await readFile(file, "utf8")
      .then(JSON.parse)
      .catch(() => undefined),
  );
  return owner.success ? await ownerState(owner.data) : "unknown";
}

/** The name appears with the whole content, or not at all because somebody else was first. */
async function take(file: string, owner: Owner): Promise<boolean> {
  const whole = `${file}.${owner.pid}.${owner.startTicks}`;
  try {
    await writeFile(whole, JSON.stringify(owner), { mode: 0o600 });
    await link(whole, file);
    return true;
  } catch {
    return false;
  } finally {
    await rm(whole, { force: true });
  }
}
