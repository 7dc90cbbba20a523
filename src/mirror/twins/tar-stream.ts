/** One entry of an archive. Content is given apart, because it may be large. */
export type TarEntry =
  | { readonly kind: "file"; readonly path: string; readonly mode: number; readonly size: number }
  | { readonly kind: "link"; readonly path: string; readonly target: string };

const BLOCK = 512;
const NAME_BYTES_MAX = 100;
const TYPE_FLAG = { file: "0", link: "2", extended: "x" } as const;

/**
 * Header blocks of an entry in POSIX pax format, owner 0 and time 0, so that equal files give equal archives.
 * Names longer than 100 bytes go into an extended header. Source: POSIX.1-2017, utility `pax`, "ustar interchange format".
 */
export function tarHeader(entry: TarEntry): Buffer {
  const records: string[] = [];
  if (Buffer.byteLength(entry.path) > NAME_BYTES_MAX) records.push(paxRecord("path", entry.path));
  if (entry.kind === "link" && Buffer.byteLength(entry.target) > NAME_BYTES_MAX)
    records.push(paxRecord("linkpath", entry.target));
  const size = entry.kind === "file" ? entry.size : 0;
  const mode = entry.kind === "file" ? entry.mode : 0o777;
  const target = entry.kind === "link" ? entry.target : "";
  const header = block({ name: entry.path, mode, size, flag: TYPE_FLAG[entry.kind], target });
  if (records.length === 0) return header;
  const extension = Buffer.from(records.join(""));
  const extensionHeader = block({
    name: "pax",
    mode: 0o644,
    size: extension.length,
    flag: TYPE_FLAG.extended,
    target: "",
  });
  return Buffer.concat([extensionHeader, extension, tarPadding(extension.length), header]);
}

/** Zeros after a content of this many bytes, up to the next full block. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
}

/** What ends an archive. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

function block(fields: {
  readonly name: string;
  readonly mode: number;
  readonly size: number;
  readonly flag: string;
  readonly target: string;
}): Buffer {
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, at: number, width: number): void => {
    header.write(value.toString(8).padStart(width - 1, "0"), at, "ascii");
  };
  header.write(fields.name, 0, NAME_BYTES_MAX, "utf8");
  octal(fields.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(fields.size, 124, 12);
  octal(0, 136, 12);
  header.write(" ".repeat(8), 148, "ascii");
  header.write(fields.flag, 156, "ascii");
  header.write(fields.target, 157, NAME_BYTES_MAX, "utf8");
  header.write("ustar\u000000", 257, "latin1");
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
  return header;
}

/** `length key=value\n`, where the length counts its own digits too. */
function paxRecord(key: string, value: string): string {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  if (rest + String(length).length !== length) length = rest + String(length).length;
  return `${length} ${key}=${value}\n`;
}
