import { openCheckpoint, originOf } from "./checkpoint.ts";
import type { Checkpoint } from "./ledger.ts";
import { isIncluded, leafHash } from "./merkle.ts";
import type { NoteVerifier } from "./signed-note.ts";

const HEADER = "c2sp.org/tlog-proof@v1";
const HASHES_MAX = 63;

/** A proof file that was checked against an entry, or why it proves nothing. */
export type CheckedProof =
  | { readonly kind: "proven"; readonly index: number; readonly checkpoint: Checkpoint }
  | { readonly kind: "problem"; readonly message: string };

/** An inclusion proof as a text of its own (C2SP tlog-proof). @param hashes - from the leaf upwards */
export function proofText(index: number, hashes: readonly Buffer[], checkpoint: Checkpoint): string {
  const lines = [HEADER, `index ${index}`, ...hashes.map((hash) => hash.toString("base64"))];
  return `${lines.join("\n")}\n\n${checkpoint.note}`;
}

/**
 * Whether a proof shows that these very bytes are an entry of the log; needs nothing but the log's public key.
 * @param verifierOf - who may sign for a log of that name
 */
export function checkProof(
  text: string,
  entry: Uint8Array,
  verifierOf: (origin: string) => readonly NoteVerifier[],
): CheckedProof {
  const end = text.indexOf("\n\n");
  const [header, indexLine, ...lines] = text.slice(0, Math.max(0, end)).split("\n");
  const index = /^index (?<index>0|[1-9]\d{0,15})$/.exec(indexLine ?? "")?.groups?.["index"];
  if (header !== HEADER || index === undefined || lines.length > HASHES_MAX) {
    return { kind: "problem", message: "is no tlog-proof" };
  }
  const hashes = lines.map((line) => Buffer.from(line, "base64"));
  if (hashes.some((hash, at) => hash.length !== 32 || hash.toString("base64") !== lines[at])) {
    return { kind: "problem", message: "has a line that is no hash" };
  }
  const note = text.slice(end + 2);
  const origin = originOf(note) ?? "";
  const opened = openCheckpoint(note, origin, verifierOf(origin));
  if (opened.kind === "problem") return { kind: "problem", message: `its checkpoint ${opened.message}` };
  const { checkpoint } = opened;
  const root = Buffer.from(checkpoint.root, "hex");
  return isIncluded({ leaf: leafHash(entry), index: Number(index), size: checkpoint.size, hashes, root })
    ? { kind: "proven", index: Number(index), checkpoint }
    : { kind: "problem", message: `does not show that this is entry ${index}` };
}
