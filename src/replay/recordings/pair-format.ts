import { crc32 } from "node:zlib";
import { invariant } from "../../core/invariant.ts";
import type { PairBatch } from "../recording.ts";

// The file layout is documented for other readers in docs/recording-format.md; a change there is a new version here.

/** Name of the columns' file inside a recording's folder. */
export const PAIRS_FILE = "pairs.bin";
export const PAIRS_VERSION = 1;
const FILE_MAGIC = Buffer.from("CANPAIRS", "latin1");
export const FILE_HEADER_BYTES = 16;
export const CHUNK_HEADER_BYTES = 16;
const CHUNK_MAGIC = 0x4b4e4843; // "CHNK"
const END_MAGIC = 0x21444e45; // "END!"
/** 8 intended + 4 sequence + 4 x 4 lag and service + 3 x 2 route and status + 2 outcome. */
export const ROW_BYTES = 36;
/** A chunk never holds more; a reader may rely on it. */
export const CHUNK_ROWS_MAX = 16_384;

/** One row's columns, as views on the chunk's payload, in the order of the file. */
export interface ChunkColumns {
  readonly intendedMs: Float64Array;
  readonly sequence: Uint32Array;
  readonly sendLagMs: readonly [Float32Array, Float32Array];
  readonly serviceMs: readonly [Float32Array, Float32Array];
  readonly route: Uint16Array;
  readonly status: readonly [Uint16Array, Uint16Array];
  readonly outcome: readonly [Uint8Array, Uint8Array];
}

/** Bytes of a payload of `rows` rows; padded so that the next chunk is aligned for its columns. */
export function payloadBytes(rows: number): number {
  return Math.ceil((rows * ROW_BYTES) / 8) * 8;
}

/** Views for `rows` rows on a payload that starts at `byteOffset` (a multiple of 8). */
export function columnsOn(buffer: ArrayBuffer, byteOffset: number, rows: number): ChunkColumns {
  invariant(byteOffset % 8 === 0, "a chunk's payload must be aligned to 8 bytes");
  let at = byteOffset;
  const take = (bytesPerRow: number): number => {
    const start = at;
    at += bytesPerRow * rows;
    return start;
  };
  return {
    intendedMs: new Float64Array(buffer, take(8), rows),
    sequence: new Uint32Array(buffer, take(4), rows),
    sendLagMs: [new Float32Array(buffer, take(4), rows), new Float32Array(buffer, take(4), rows)],
    serviceMs: [new Float32Array(buffer, take(4), rows), new Float32Array(buffer, take(4), rows)],
    route: new Uint16Array(buffer, take(2), rows),
    status: [new Uint16Array(buffer, take(2), rows), new Uint16Array(buffer, take(2), rows)],
    outcome: [new Uint8Array(buffer, take(1), rows), new Uint8Array(buffer, take(1), rows)],
  };
}

/** Columns of a chunk as the batch that everything later reads. */
export function toPairBatch(columns: ChunkColumns, rows: number): PairBatch {
  const arm = (index: 0 | 1): PairBatch["arms"]["control"] => {
    const sendLagMs = columns.sendLagMs[index];
    const serviceMs = columns.serviceMs[index];
    // Not stored: it is the sum of the two by definition.
    const latencyMs = new Float32Array(rows);
    for (let row = 0; row < rows; row++) latencyMs[row] = (sendLagMs[row] ?? 0) + (serviceMs[row] ?? 0);
    return { outcome: columns.outcome[index], status: columns.status[index], sendLagMs, latencyMs, serviceMs };
  };
  return {
    size: rows,
    sequence: columns.sequence,
    intendedMs: columns.intendedMs,
    route: columns.route,
    arms: { control: arm(0), shadow: arm(1) },
  };
}

/** The first bytes of the file. */
export function fileHeader(): Buffer {
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  FILE_MAGIC.copy(header);
  header.writeUInt32LE(PAIRS_VERSION, 8);
  header.writeUInt32LE(ROW_BYTES, 12);
  return header;
}

/** `undefined` if these bytes open a file that this version can read, else what is wrong with them. */
export function headerProblem(header: Buffer): string | undefined {
  if (header.length < FILE_HEADER_BYTES || !header.subarray(0, 8).equals(FILE_MAGIC)) return "is not a pairs file";
  const version = header.readUInt32LE(8);
  if (version !== PAIRS_VERSION) return `has version ${version}; this program reads version ${PAIRS_VERSION}`;
  return header.readUInt32LE(12) === ROW_BYTES ? undefined : "has rows of an unknown width";
}

/** Writes a chunk's header in front of its payload (`chunk` holds both). */
export function sealChunk(chunk: Buffer, rows: number): void {
  chunk.writeUInt32LE(CHUNK_MAGIC, 0);
  chunk.writeUInt32LE(rows, 4);
  chunk.writeUInt32LE(crc32(chunk.subarray(CHUNK_HEADER_BYTES)), 8);
  chunk.writeUInt32LE(0, 12);
}

/** The last record of a complete file: how many rows it has in all. */
export function endRecord(rowsInAll: number): Buffer {
  const record = Buffer.alloc(CHUNK_HEADER_BYTES);
  record.writeUInt32LE(END_MAGIC, 0);
  record.writeUInt32LE(rowsInAll % 2 ** 32, 4);
  record.writeUInt32LE(Math.floor(rowsInAll / 2 ** 32), 8);
  return record;
}

/** What stands at one place of the file. */
export type RecordHeader =
  | { readonly kind: "chunk"; readonly rows: number; readonly crc: number }
  | { readonly kind: "end"; readonly rowsInAll: number }
  | { readonly kind: "unknown" };

/** Reads the record header at `offset` of `bytes`, which must hold all of it. */
export function readRecordHeader(bytes: Buffer, offset: number): RecordHeader {
  const magic = bytes.readUInt32LE(offset);
  const low = bytes.readUInt32LE(offset + 4);
  if (magic === END_MAGIC) return { kind: "end", rowsInAll: bytes.readUInt32LE(offset + 8) * 2 ** 32 + low };
  if (magic !== CHUNK_MAGIC || low === 0 || low > CHUNK_ROWS_MAX) return { kind: "unknown" };
  return { kind: "chunk", rows: low, crc: bytes.readUInt32LE(offset + 8) };
}

/** True if the payload is what was written. */
export function payloadIsWhole(payload: Uint8Array, crc: number): boolean {
  return crc32(payload) === crc;
}
