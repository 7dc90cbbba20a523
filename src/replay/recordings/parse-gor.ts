import { type ParsedRecording, type RawRequest, recordingInvalid } from "./recorded-request.ts";

/** Newline, three monkeys (U+1F435 U+1F648 U+1F649), newline. */
const SEPARATOR = Buffer.from("\n🐵🙈🙉\n", "utf8");
const HEAD_END = Buffer.from("\r\n\r\n", "latin1");
/** `<type> <id> <timestamp in ns> [<latency>]`; type 1 is a request, 2 and 3 are answers. */
const META = /^([123]) ([0-9A-Za-z]{1,64}) (\d{1,20})(?: -?\d+)?\r?$/;
const META_BYTES_MAX = 200;

/**
 * Reads a GoReplay file. Bodies may hold anything, the separator included, so their declared length is honoured before a
 * separator is looked for.
 * @throws CanaryError RECORDING_INVALID with the byte offset where a record should start and does not
 */
export function parseGor(bytes: Buffer, source: string): ParsedRecording {
  const timed: { readonly atNs: bigint; readonly request: Omit<RawRequest, "atMs"> }[] = [];
  let unusable = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const meta = readMeta(bytes, offset, source);
    const record = cutRecord(bytes, meta.payloadStart);
    if (meta.type === "1") {
      const request = record.complete ? parseHttp(bytes.subarray(meta.payloadStart, record.end)) : undefined;
      if (request === undefined) unusable += 1;
      else timed.push({ atNs: meta.atNs, request });
    }
    offset = record.next;
  }
  // Nanoseconds since 1970 exceed what a number holds exactly; their differences do not.
  const firstNs = timed[0]?.atNs ?? 0n;
  return { found: timed.map(({ atNs, request }) => ({ ...request, atMs: Number(atNs - firstNs) / 1e6 })), unusable };
}

function readMeta(bytes: Buffer, offset: number, source: string): { type: string; atNs: bigint; payloadStart: number } {
  const end = bytes.indexOf(0x0a, offset);
  const line = end < 0 || end - offset > META_BYTES_MAX ? "" : bytes.toString("latin1", offset, end);
  const match = META.exec(line);
  if (match === null) {
    const hint = "A record starts with `1 <id> <nanoseconds>`; the file may be cut, or be of another format.";
    throw recordingInvalid(`${source} (byte ${offset})`, "is not the start of a GoReplay record", hint);
  }
  return { type: match[1] ?? "", atNs: BigInt(match[3] ?? "0"), payloadStart: end + 1 };
}

/** Where the record's HTTP message ends and the next record starts; not complete if the file or its body stops short. */
function cutRecord(bytes: Buffer, start: number): { end: number; next: number; complete: boolean } {
  const declaredEnd = messageEnd(bytes, start);
  if (declaredEnd !== undefined && isSeparatorAt(bytes, declaredEnd)) {
    return { end: declaredEnd, next: declaredEnd + SEPARATOR.length, complete: true };
  }
  const found = bytes.indexOf(SEPARATOR, start);
  if (found < 0) return { end: bytes.length, next: bytes.length, complete: declaredEnd === bytes.length };
  return { end: found, next: found + SEPARATOR.length, complete: declaredEnd !== undefined && declaredEnd <= found };
}

function isSeparatorAt(bytes: Buffer, offset: number): boolean {
  return bytes.subarray(offset, offset + SEPARATOR.length).equals(SEPARATOR);
}

/** End of the message by its own declaration (Content-Length or chunks); `undefined` if it has no end in the file. */
function messageEnd(bytes: Buffer, start: number): number | undefined {
  const headEnd = bytes.indexOf(HEAD_END, start);
  if (headEnd < 0) return undefined;
  const head = readHead(bytes.subarray(start, headEnd));
  const bodyStart = headEnd + HEAD_END.length;
  if (head.isChunked) return readChunks(bytes, bodyStart)?.end;
  const end = bodyStart + head.contentLength;
  return end <= bytes.length ? end : undefined;
}

interface Head {
  readonly startLine: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly contentLength: number;
  readonly isChunked: boolean;
}

function readHead(bytes: Buffer): Head {
  const [startLine = "", ...lines] = bytes.toString("latin1").split("\r\n");
  const headers = lines.map((line) => {
    const colon = line.indexOf(":");
    return [line.slice(0, Math.max(0, colon)).trim(), line.slice(colon + 1).trim()] as const;
  });
  const headerValue = (name: string): string => headers.find(([key]) => key.toLowerCase() === name)?.[1] ?? "";
  const declared = /^\d{1,10}$/.test(headerValue("content-length")) ? Number(headerValue("content-length")) : 0;
  return { startLine, headers, contentLength: declared, isChunked: /chunked/i.test(headerValue("transfer-encoding")) };
}

function readChunks(bytes: Buffer, start: number): { readonly end: number; readonly body: Buffer } | undefined {
  const parts: Buffer[] = [];
  let offset = start;
  for (;;) {
    const lineEnd = bytes.indexOf("\r\n", offset, "latin1");
    const size = lineEnd < 0 ? "" : (bytes.toString("latin1", offset, lineEnd).split(";", 1)[0]?.trim() ?? "");
    if (!/^[0-9A-Fa-f]{1,8}$/.test(size)) return undefined;
    const length = Number.parseInt(size, 16);
    const dataStart = lineEnd + 2;
    if (length === 0) {
      // Trailers, if any, end with an empty line.
      const end = bytes.indexOf(
        bytes.subarray(dataStart, dataStart + 2).equals(HEAD_END.subarray(2)) ? "\r\n" : "\r\n\r\n",
        dataStart,
        "latin1",
      );
      if (end < 0) return undefined;
      return { end: end + (end === dataStart ? 2 : 4), body: Buffer.concat(parts) };
    }
    if (dataStart + length + 2 > bytes.length) return undefined;
    parts.push(bytes.subarray(dataStart, dataStart + length));
    offset = dataStart + length + 2;
  }
}

function parseHttp(message: Buffer): Omit<RawRequest, "atMs"> | undefined {
  const headEnd = message.indexOf(HEAD_END);
  const head = readHead(message.subarray(0, Math.max(0, headEnd)));
  const [method = "", target = "", protocol = "", ...rest] = head.startLine.split(" ");
  if (headEnd < 0 || rest.length > 0 || !protocol.startsWith("HTTP/")) return undefined;
  const raw = message.subarray(headEnd + HEAD_END.length);
  const body = head.isChunked
    ? readChunks(message, headEnd + HEAD_END.length)?.body
    : raw.subarray(0, head.contentLength);
  return { method, target, headers: head.headers, body: body === undefined || body.length === 0 ? undefined : body };
}
