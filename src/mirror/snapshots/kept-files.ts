import type { FileAttributes, Twin } from "../twin.ts";
import type { FileOfService } from "./snapshot.ts";

/** A file as it was, or that there was none. */
export interface KeptFile extends FileOfService {
  readonly bytes: Buffer | undefined;
  readonly attributes?: FileAttributes;
}

/** Reads files of a twin, each once. */
export async function keepFiles(
  twin: Twin,
  files: readonly FileOfService[],
  signal: AbortSignal,
): Promise<readonly KeptFile[]> {
  const once = new Map(files.map((file) => [JSON.stringify([file.service, file.path]), file]));
  const kept: KeptFile[] = [];
  for (const { service, path } of once.values()) {
    const bytes = await twin.readFile(service, path, signal);
    const attributes = bytes === undefined ? undefined : await twin.fileAttributes(service, path, signal);
    kept.push({ service, path, bytes, ...(attributes === undefined ? {} : { attributes }) });
  }
  return kept;
}

/** Writes back, on every replica, each file that is not what it was. */
export async function restoreFiles(twin: Twin, kept: readonly KeptFile[], signal: AbortSignal): Promise<void> {
  for (const { service, path, bytes, attributes } of kept) {
    const now = await twin.readFile(service, path, signal);
    if (sameBytes(now, bytes)) continue;
    await twin.writeFile(service, path, bytes, signal, ...(attributes === undefined ? [] : [attributes]));
  }
}

function sameBytes(one: Buffer | undefined, other: Buffer | undefined): boolean {
  return one === undefined || other === undefined ? one === other : one.equals(other);
}
