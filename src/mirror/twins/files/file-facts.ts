import type { BigIntStats } from "node:fs";
import { maskedValue } from "../../../core/redact.ts";

/** What is compared of a file, folder or link. Times are not: copying a file changes them, and nobody reads them. */
export interface FileFact {
  readonly kind: "file" | "folder" | "link" | "other";
  /** Permission bits, set-user and sticky bits included. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  readonly writtenMs: number;
  /** Where a link leads. */
  readonly target?: string;
  /** Of a file's content; absent where it is too large to compare. */
  readonly sha256?: string;
}

/** In place of a value: the image has it, the container not any more. */
export const GONE = "gone";

const DIGEST_CHARS = 16;

/**
 * A file in the words of a fingerprint: equal texts are equal files. A content that is too large shows when it was written,
 * so that a change is seen though not proven.
 */
export function fileText(fact: FileFact): string {
  const owner = `${fact.mode.toString(8)} ${fact.uid}:${fact.gid}`;
  if (fact.kind === "link") return `link to ${maskedValue("target", fact.target ?? "?")}`;
  if (fact.kind !== "file") return `${fact.kind} ${owner}`;
  const content =
    fact.sha256 === undefined
      ? `too large to compare, written ${new Date(fact.writtenMs).toISOString()}`
      : `sha256:${fact.sha256.slice(0, DIGEST_CHARS)}`;
  return `file ${owner}, ${fact.size} bytes, ${content}`;
}

/** The same without its content, for a file that is compared in other words. */
export function withoutContent(text: string, instead: string): string {
  return text.replace(/, \d+ bytes, sha256:\w+/, `, ${instead}`);
}

/** What a file system says of an entry, but for its content. */
export function factOfStats(stats: BigIntStats): Omit<FileFact, "sha256" | "target"> {
  const kind = stats.isFile() ? "file" : stats.isDirectory() ? "folder" : stats.isSymbolicLink() ? "link" : "other";
  return {
    kind,
    mode: Number(stats.mode) & 0o7777,
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    size: Number(stats.size),
    writtenMs: Number(stats.mtimeMs),
  };
}
