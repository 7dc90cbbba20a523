import { invariant } from "../core/invariant.ts";
import type { Checkpoint } from "./ledger.ts";
import { type NoteSigner, type NoteVerifier, openNote, signNote } from "./signed-note.ts";

/** A checkpoint that was read, or why it is not believed. */
export type OpenedCheckpoint =
  | { readonly kind: "checkpoint"; readonly checkpoint: Checkpoint }
  | { readonly kind: "problem"; readonly message: string };

const TEXT = /^(?<origin>[^\s+]{1,200})\n(?<size>0|[1-9]\d{0,15})\n(?<root>[A-Za-z0-9+/]{43}=)\n/u;

/** Signs a size and a root as a C2SP tlog-checkpoint; the name of the key is the origin of the log. */
export function signCheckpoint(size: number, root: Buffer, signer: NoteSigner): Checkpoint {
  invariant(Number.isSafeInteger(size) && size >= 0 && root.length === 32, "a checkpoint has a size and a root");
  const note = signNote(`${signer.name}\n${size}\n${root.toString("base64")}\n`, signer);
  return { origin: signer.name, size, root: root.toString("hex"), note };
}

/** Verifies a note and reads the checkpoint in it. @param origin - the log that it must be about */
export function openCheckpoint(note: string, origin: string, verifiers: readonly NoteVerifier[]): OpenedCheckpoint {
  const opened = openNote(note, verifiers);
  if (opened.kind === "problem") return opened;
  const { origin: named, size, root } = TEXT.exec(opened.text)?.groups ?? {};
  const bytes = Buffer.from(root ?? "", "base64");
  if (named === undefined || !Number.isSafeInteger(Number(size)) || bytes.toString("base64") !== root) {
    return { kind: "problem", message: "is no checkpoint" };
  }
  if (named !== origin) return { kind: "problem", message: `is of another log, ${named}` };
  return { kind: "checkpoint", checkpoint: { origin, size: Number(size), root: bytes.toString("hex"), note } };
}

/** The log that a note says it is about, unverified; to find the keys that may sign for it. */
export function originOf(note: string): string | undefined {
  return TEXT.exec(note)?.groups?.["origin"];
}
