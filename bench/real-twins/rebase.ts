import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { ROLES, type Role } from "../../src/mirror/twin.ts";
import type { ArmColumns, PairBatch, Window } from "../../src/replay/recording.ts";
import { readPairs } from "../../src/replay/recordings/read-pairs.ts";

/** All pairs of a session in the order of their intended time. */
export interface PairTable {
  readonly intendedMs: Float64Array;
  readonly route: Uint16Array;
  readonly arms: Readonly<Record<Role, ArmColumns>>;
}

/** Reads a session's requests; of one that was cut off, everything up to the cut. */
export async function readTable(recordingDir: string): Promise<PairTable> {
  const batches: PairBatch[] = [];
  for await (const batch of readPairs(recordingDir, () => undefined)) batches.push(batch);
  const places = batches
    .flatMap((batch) =>
      Array.from({ length: batch.size }, (_, row) => ({ batch, row, atMs: batch.intendedMs[row] ?? 0 })),
    )
    .sort((a, b) => a.atMs - b.atMs);
  const table = emptyColumns(places.length);
  for (const [i, { batch, row }] of places.entries()) copyPair(batch, row, table, i);
  return table;
}

/**
 * The stretches of a session put end to end from 0 on, as a recording of their own: a run is judged against the clean
 * traffic before it, from which earlier harm is cut out.
 */
export function rebased(
  table: PairTable,
  parts: readonly Window[],
  options: Parameters<typeof createBlockStore>[0],
): BlockStore {
  const store = createBlockStore(options);
  let startMs = 0;
  let sequence = 0;
  for (const { fromMs, toMs } of parts) {
    const [from, to] = [firstFrom(table.intendedMs, fromMs), firstFrom(table.intendedMs, toMs)];
    const size = Math.max(0, to - from);
    const columns = emptyColumns(size);
    const numbers = new Uint32Array(size);
    for (let i = 0; i < size; i++) {
      copyPair(table, from + i, columns, i);
      columns.intendedMs[i] = (table.intendedMs[from + i] ?? 0) - fromMs + startMs;
      numbers[i] = sequence++;
    }
    if (size > 0) store.addPairs({ size, sequence: numbers, ...columns });
    startMs += toMs - fromMs;
  }
  return store;
}

function emptyColumns(size: number): PairTable {
  return {
    intendedMs: new Float64Array(size),
    route: new Uint16Array(size),
    arms: { control: emptyArm(size), shadow: emptyArm(size) },
  };
}

function emptyArm(size: number): ArmColumns {
  return {
    outcome: new Uint8Array(size),
    status: new Uint16Array(size),
    sendLagMs: new Float32Array(size),
    latencyMs: new Float32Array(size),
    serviceMs: new Float32Array(size),
  };
}

function copyPair(source: PairTable, row: number, target: PairTable, place: number): void {
  target.intendedMs[place] = source.intendedMs[row] ?? 0;
  target.route[place] = source.route[row] ?? 0;
  for (const role of ROLES) {
    const [from, to] = [source.arms[role], target.arms[role]];
    to.outcome[place] = from.outcome[row] ?? 0;
    to.status[place] = from.status[row] ?? 0;
    to.sendLagMs[place] = from.sendLagMs[row] ?? 0;
    to.latencyMs[place] = from.latencyMs[row] ?? 0;
    to.serviceMs[place] = from.serviceMs[row] ?? 0;
  }
}

/** Index of the first pair that is intended at this instant or later. */
function firstFrom(intendedMs: Float64Array, atMs: number): number {
  let low = 0;
  let high = intendedMs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((intendedMs[middle] ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
