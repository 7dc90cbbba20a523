import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { CanaryError } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { PairBatch } from "../recording.ts";
import {
  CHUNK_HEADER_BYTES,
  columnsOn,
  FILE_HEADER_BYTES,
  headerProblem,
  PAIRS_FILE,
  payloadBytes,
  payloadIsWhole,
  readRecordHeader,
  toPairBatch,
} from "./pair-format.ts";

/** A file that ends before its end record: the driver died, or somebody cut it. */
export interface Truncation {
  /** Byte after the last complete chunk. */
  readonly offset: number;
  readonly rowsRead: number;
}

/** Holds the largest chunk (590 kB) with room to spare; small, because every block read becomes garbage. */
const READ_BYTES = 1024 * 1024;

/**
 * Streams the pairs of a finished recording in the order in which they were completed; memory stays flat.
 * Two requests (a row) take 36 bytes; 5 million rows were read in about a second.
 *
 * @param onTruncated - called once instead of throwing when the file stops short of its end record, so that a caller
 *   must choose to go on with what is there
 * @throws CanaryError RECORDING_INVALID with the offset: not a pairs file, damaged inside, or truncated and nobody asked
 */
export async function* readPairs(
  dir: string,
  onTruncated?: (truncation: Truncation) => void,
): AsyncGenerator<PairBatch, void, undefined> {
  const path = join(dir, PAIRS_FILE);
  await using file = await openPairs(path);
  const header = Buffer.alloc(FILE_HEADER_BYTES);
  await file.read(header, 0, FILE_HEADER_BYTES, 0);
  const problem = headerProblem(header);
  if (problem !== undefined) throw damaged(path, problem, 0);
  let offset = FILE_HEADER_BYTES;
  let rowsRead = 0;
  for (;;) {
    const block = await readBlock(file, offset);
    const parsed = parseBlock(block, { path, offset });
    for (const batch of parsed.batches) {
      rowsRead += batch.size;
      yield batch;
    }
    offset += parsed.bytesUsed;
    if (parsed.end !== undefined) {
      checkEnd(path, offset, rowsRead, parsed.end.rowsInAll);
      return;
    }
    if (parsed.bytesUsed === 0) break;
  }
  if (onTruncated === undefined) throw damaged(path, "stops before its end", offset);
  onTruncated({ offset, rowsRead });
}

/**
 * Chunks that stand completely in `block`, as batches; what is incomplete at its end is left for the next block.
 * @param at - where the block comes from, for messages
 * @throws CanaryError RECORDING_INVALID if bytes were changed
 */
export function parseBlock(
  block: Buffer,
  at: { readonly path: string; readonly offset: number },
): {
  readonly batches: readonly PairBatch[];
  readonly bytesUsed: number;
  readonly end?: { readonly rowsInAll: number };
} {
  const batches: PairBatch[] = [];
  let used = 0;
  while (used + CHUNK_HEADER_BYTES <= block.length) {
    const record = readRecordHeader(block, used);
    if (record.kind === "unknown") throw damaged(at.path, "has bytes that are no chunk", at.offset + used);
    if (record.kind === "end") return { batches, bytesUsed: used + CHUNK_HEADER_BYTES, end: record };
    const start = used + CHUNK_HEADER_BYTES;
    const end = start + payloadBytes(record.rows);
    if (end > block.length) break;
    if (!payloadIsWhole(block.subarray(start, end), record.crc)) {
      throw damaged(at.path, "has a chunk whose checksum differs", at.offset + used);
    }
    invariant(block.buffer instanceof ArrayBuffer, "blocks are read into plain memory");
    batches.push(toPairBatch(columnsOn(block.buffer, block.byteOffset + start, record.rows), record.rows));
    used = end;
  }
  return { batches, bytesUsed: used };
}

/** Up to `READ_BYTES` from `offset`, in memory of its own: the batches' columns are views on it. */
async function readBlock(file: FileHandle, offset: number): Promise<Buffer> {
  const { size } = await file.stat();
  const block = Buffer.from(new ArrayBuffer(Math.min(READ_BYTES, Math.max(0, size - offset))));
  let filled = 0;
  while (filled < block.length) {
    const { bytesRead } = await file.read(block, filled, block.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return block.subarray(0, filled);
}

function checkEnd(path: string, offset: number, rowsRead: number, rowsInAll: number): void {
  if (rowsRead !== rowsInAll) throw damaged(path, `holds ${rowsRead} rows where ${rowsInAll} were written`, offset);
}

async function openPairs(path: string): Promise<FileHandle> {
  try {
    return await open(path, "r");
  } catch (cause) {
    throw new CanaryError({
      code: "RECORDING_INVALID",
      message: `${path} cannot be read`,
      hint: "A recording is the folder `recording` inside a run's report folder.",
      cause,
    });
  }
}

function damaged(path: string, what: string, offset: number): CanaryError {
  return new CanaryError({
    code: "RECORDING_INVALID",
    message: `${path} ${what} (byte ${offset})`,
    hint: "The run was killed or the file was changed; what stands before that byte is intact.",
  });
}
