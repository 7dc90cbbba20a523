import { createPublicKey, hash, type KeyObject, sign, verify } from "node:crypto";
import { invariant } from "../core/invariant.ts";

// C2SP signed-note: text that ends with a newline, an empty line, then signature lines.

const ED25519 = 0x01;
/** Ahead of the 32 bytes of an Ed25519 public key in SPKI DER (RFC 8410). */
const SPKI_PREFIX = Buffer.from("302a300506032b6570032100", "hex");
const SIGNATURES_MAX = 64;
const NAME = /^[^\s+]{1,200}$/u;
const SIGNATURE_LINE = /^— (?<name>[^\s+]{1,200}) (?<base64>[A-Za-z0-9+/]{8,2000}={0,2})$/u;

/** Who may sign a note: a name, and an Ed25519 key. */
export interface NoteVerifier {
  readonly name: string;
  readonly publicKey: KeyObject;
}

/** Who signs a note. */
export interface NoteSigner extends NoteVerifier {
  readonly privateKey: KeyObject;
}

/** What a note says, or why it is not believed. */
export type OpenedNote =
  | { readonly kind: "signed"; readonly text: string; readonly by: readonly NoteVerifier[] }
  | { readonly kind: "problem"; readonly message: string };

/** A text with one signature. @param text - ends with a newline, has no other control character */
export function signNote(text: string, signer: NoteSigner): string {
  invariant(isNoteText(text), "the text of a note ends with a newline and has no control characters");
  const signature = sign(null, Buffer.from(text), signer.privateKey);
  const line = Buffer.concat([keyIdOf(signer), signature]).toString("base64");
  return `${text}\n— ${signer.name} ${line}\n`;
}

/**
 * Reads a note. Signatures of others are ignored; at least one of ours must be there, and none of ours may be wrong.
 * @param verifiers - whose signatures count
 */
export function openNote(note: string, verifiers: readonly NoteVerifier[]): OpenedNote {
  const end = note.lastIndexOf("\n\n");
  const text = note.slice(0, end + 1);
  if (end === -1 || !isNoteText(text)) return { kind: "problem", message: "is no signed note" };
  const lines = note.slice(end + 2).split("\n");
  if (lines.pop() !== "" || lines.length === 0 || lines.length > SIGNATURES_MAX) {
    return { kind: "problem", message: "is no signed note" };
  }
  const by: NoteVerifier[] = [];
  for (const line of lines) {
    const { name, base64 } = SIGNATURE_LINE.exec(line)?.groups ?? {};
    if (name === undefined || base64 === undefined)
      return { kind: "problem", message: "has a line that is no signature" };
    const bytes = Buffer.from(base64, "base64");
    if (bytes.toString("base64") !== base64) return { kind: "problem", message: "has a line that is no signature" };
    const known = verifiers.find((one) => one.name === name && keyIdOf(one).equals(bytes.subarray(0, 4)));
    if (known === undefined) continue;
    if (!verify(null, Buffer.from(text), known.publicKey, bytes.subarray(4))) {
      return { kind: "problem", message: `has a signature of ${name} that does not fit` };
    }
    by.push(known);
  }
  return by.length === 0
    ? { kind: "problem", message: "is not signed by a trusted key" }
    : { kind: "signed", text, by };
}

/** The verifier as one line, as other tools take it: `name+<key id>+<key>`. */
export function verifierKey(verifier: NoteVerifier): string {
  const key = Buffer.concat([Buffer.from([ED25519]), rawKeyOf(verifier)]);
  return `${verifier.name}+${keyIdOf(verifier).toString("hex")}+${key.toString("base64")}`;
}

/** Reads such a line; `undefined` where it is none, or its key id is not that of its key. */
export function parseVerifierKey(line: string): NoteVerifier | undefined {
  // Base64 has plus signs of its own: only the first two separate.
  const { name, id, base64 } =
    /^(?<name>[^\s+]{1,200})\+(?<id>[0-9a-f]{8})\+(?<base64>\S{44})$/u.exec(line)?.groups ?? {};
  if (name === undefined || base64 === undefined) return undefined;
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 33 || bytes[0] !== ED25519) return undefined;
  const der = Buffer.concat([SPKI_PREFIX, bytes.subarray(1)]);
  const verifier = { name, publicKey: createPublicKey({ key: der, format: "der", type: "spki" }) };
  return keyIdOf(verifier).toString("hex") === id ? verifier : undefined;
}

/** Whether a text can name a signer or a log: no spaces, no plus sign. */
export function isNoteName(name: string): boolean {
  return NAME.test(name);
}

function keyIdOf(verifier: NoteVerifier): Buffer {
  const named = Buffer.concat([Buffer.from(`${verifier.name}\n`), Buffer.from([ED25519]), rawKeyOf(verifier)]);
  return hash("sha256", named, "buffer").subarray(0, 4);
}

function rawKeyOf({ publicKey }: NoteVerifier): Buffer {
  const der = publicKey.export({ type: "spki", format: "der" });
  invariant(der.subarray(0, SPKI_PREFIX.length).equals(SPKI_PREFIX), "notes are signed with Ed25519");
  return der.subarray(SPKI_PREFIX.length);
}

function isNoteText(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: exactly those are forbidden.
  return text.endsWith("\n") && !/[\u0000-\u0009\u000b-\u001f\u007f]/u.test(text) && text.isWellFormed();
}
