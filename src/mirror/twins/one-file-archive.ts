import type { FileAttributes } from "../twin.ts";

// The engine moves files in and out of containers as tar archives (POSIX ustar). One plain file is all we move.

const BLOCK = 512;

/** What an archive of one path holds. */
export interface ArchivedFile {
  /** `link` is a symbolic link, `other` a folder, device, socket or the like. */
  readonly kind: "file" | "link" | "other";
  readonly bytes: Buffer;
  readonly attributes: FileAttributes;
}

/** An archive with one plain file. @param name - its name without folders; the engine says where it goes */
export function packFile(name: string, bytes: Buffer, attributes: FileAttributes): Buffer {
  const encoded = Buffer.from(name);
  // Longer names need an extension header first (POSIX.1-2001, "path").
  const longName = encoded.length > 100 ? [extendedHeader(name)] : [];
  const header = headerOf({ name: encoded.subarray(0, 100), size: bytes.length, type: "0", attributes });
  return Buffer.concat([...longName, header, padded(bytes), Buffer.alloc(2 * BLOCK)]);
}

/** The first entry of an archive; `undefined` when it ends before one. */
export function unpackFile(archive: Buffer): ArchivedFile | undefined {
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const header = archive.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return undefined;
    const size = numberAt(header, 124, 12);
    const type = String.fromCharCode(header[156] ?? 0);
    const body = archive.subarray(at + BLOCK, at + BLOCK + size);
    if (body.length < size) return undefined;
    // Extension headers of POSIX (x, g) and GNU (L, K) describe the entry that follows.
    if (!/[xgLK]/.test(type)) {
      const kind = type === "0" || type === "\0" ? "file" : type === "2" ? "link" : "other";
      const attributes = {
        mode: numberAt(header, 100, 8) & 0o7777,
        uid: numberAt(header, 108, 8),
        gid: numberAt(header, 116, 8),
      };
      return { kind, bytes: Buffer.from(body), attributes };
    }
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

function headerOf(entry: {
  readonly name: Buffer;
  readonly size: number;
  readonly type: "0" | "x";
  readonly attributes: FileAttributes;
}): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, "0")}\0`;
  entry.name.copy(header, 0);
  header.write(octal(entry.attributes.mode, 7), 100);
  header.write(octal(entry.attributes.uid, 7), 108);
  header.write(octal(entry.attributes.gid, 7), 116);
  header.write(octal(entry.size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write("        ", 148);
  header.write(entry.type, 156);
  header.write("ustar\x0000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return header;
}

function extendedHeader(name: string): Buffer {
  const text = ` path=${name}\n`;
  const bare = Buffer.byteLength(text);
  // The length counts its own digits.
  const digits = String(bare + String(bare + 3).length).length;
  const record = Buffer.from(`${bare + digits}${text}`);
  const attributes = { mode: 0o644, uid: 0, gid: 0 };
  return Buffer.concat([
    headerOf({ name: Buffer.from("extended"), size: record.length, type: "x", attributes }),
    padded(record),
  ]);
}

function padded(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK)]);
}

/** Octal text, or GNU's base 256 where the first bit is set. */
function numberAt(header: Buffer, at: number, length: number): number {
  const field = header.subarray(at, at + length);
  if (((field[0] ?? 0) & 0x80) !== 0) return field.subarray(1).reduce((value, byte) => value * 256 + byte, 0);
  return Number.parseInt(field.toString("latin1").replace(/[\0 ]/g, "") || "0", 8);
}
