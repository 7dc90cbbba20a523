import { open } from "node:fs/promises";
import { join } from "node:path";
import { CanaryError, messageOf } from "../../core/errors.ts";
import {
  CHUNK_HEADER_BYTES,
  type ChunkColumns,
  columnsOn,
  endRecord,
  fileHeader,
  PAIRS_FILE,
  payloadBytes,
  sealChunk,
} from "../recordings/pair-format.ts";
import { OUTCOME_INDEX, type PairSlot } from "./pair-slot.ts";

/** Appends finished pairs to `pairs.bin`. */
export interface PairWriter {
  append(slot: PairSlot): void;
  /** Writes what has been appended; resolves with the file's length when it is on its way to the disk. */
  flush(): Promise<number>;
  /** Flushes, writes the end record and closes; resolves with the file's length. */
  end(): Promise<number>;
}

/** Rows collected at most before they are written, whatever the period: 2,000 a second fill it in 2 s. */
const ROWS_COLLECTED_MAX = 4096;
/** Chunks waiting for a slow disk; beyond it the disk is the bottleneck and memory would grow without end. */
const WAITING_BYTES_MAX = 32 * 1024 * 1024;

/**
 * Creates the file.
 * @param onWritten - the file's length after each chunk
 * @param onFailure - the disk is full, gone or too slow; nothing more is written
 * @throws CanaryError REPLAY_FAILED if the file cannot be created
 */
export async function startPairWriter(options: {
  readonly dir: string;
  readonly onWritten: (offset: number) => void;
  readonly onFailure: (error: CanaryError) => void;
}): Promise<PairWriter> {
  const path = join(options.dir, PAIRS_FILE);
  const file = await open(path, "w").catch((cause: unknown) => Promise.reject(writeFailed(path, cause)));
  const writes = serialWrites(file, options, path);
  let collected = emptyRows();
  let rowsInAll = 0;
  const seal = (): void => {
    if (collected.rows === 0) return;
    rowsInAll += collected.rows;
    writes.push(packChunk(collected.columns, collected.rows));
    collected = { columns: collected.columns, rows: 0 };
  };
  writes.push(fileHeader());
  return {
    append: (slot) => {
      writeRow(collected.columns, collected.rows, slot);
      collected.rows += 1;
      if (collected.rows === ROWS_COLLECTED_MAX) seal();
    },
    flush: () => {
      seal();
      return writes.drained();
    },
    end: async () => {
      seal();
      writes.push(endRecord(rowsInAll));
      const length = await writes.drained();
      await file.close();
      return length;
    },
  };
}

function emptyRows(): { columns: ChunkColumns; rows: number } {
  const columns = columnsOn(new ArrayBuffer(payloadBytes(ROWS_COLLECTED_MAX)), 0, ROWS_COLLECTED_MAX);
  return { columns, rows: 0 };
}

function writeRow(columns: ChunkColumns, row: number, slot: PairSlot): void {
  columns.intendedMs[row] = slot.intendedMs;
  columns.sequence[row] = slot.sequence;
  columns.route[row] = slot.call.route;
  for (const index of [0, 1] as const) {
    const arm = index === 0 ? slot.arms.control : slot.arms.shadow;
    columns.sendLagMs[index][row] = arm.sendLagMs;
    columns.serviceMs[index][row] = arm.serviceMs;
    columns.status[index][row] = arm.status;
    columns.outcome[index][row] = OUTCOME_INDEX[arm.outcome];
  }
}

/** The first `rows` rows as one chunk of their own. */
function packChunk(from: ChunkColumns, rows: number): Buffer {
  const bytes = new ArrayBuffer(CHUNK_HEADER_BYTES + payloadBytes(rows));
  const to = columnsOn(bytes, CHUNK_HEADER_BYTES, rows);
  to.intendedMs.set(from.intendedMs.subarray(0, rows));
  to.sequence.set(from.sequence.subarray(0, rows));
  to.route.set(from.route.subarray(0, rows));
  for (const index of [0, 1] as const) {
    to.sendLagMs[index].set(from.sendLagMs[index].subarray(0, rows));
    to.serviceMs[index].set(from.serviceMs[index].subarray(0, rows));
    to.status[index].set(from.status[index].subarray(0, rows));
    to.outcome[index].set(from.outcome[index].subarray(0, rows));
  }
  const chunk = Buffer.from(bytes);
  sealChunk(chunk, rows);
  return chunk;
}

/** One write at a time, in order; the length of the file after each. */
function serialWrites(
  file: { appendFile(data: Uint8Array): Promise<void> },
  on: { readonly onWritten: (offset: number) => void; readonly onFailure: (error: CanaryError) => void },
  path: string,
): { push(data: Buffer): void; drained(): Promise<number> } {
  let waitingBytes = 0;
  let offset = 0;
  let broken = false;
  let last: Promise<void> = Promise.resolve();
  const fail = (cause: unknown): void => {
    if (!broken) on.onFailure(writeFailed(path, cause));
    broken = true;
  };
  const write = async (data: Buffer): Promise<void> => {
    if (broken) return;
    try {
      await file.appendFile(data);
      offset += data.length;
      waitingBytes -= data.length;
      on.onWritten(offset);
    } catch (cause) {
      fail(cause);
    }
  };
  return {
    push: (data) => {
      waitingBytes += data.length;
      if (waitingBytes > WAITING_BYTES_MAX) fail(new Error(`${waitingBytes} bytes wait for a slow disk`));
      last = last.then(() => write(data));
    },
    drained: () => last.then(() => offset),
  };
}

function writeFailed(path: string, cause: unknown): CanaryError {
  return new CanaryError({
    code: "REPLAY_FAILED",
    message: `samples cannot be written to ${path}: ${messageOf(cause)}`,
    hint: "Free some room or name another folder for reports; an hour at 300 requests a second takes 40 MB.",
    cause,
  });
}
