import { open } from "node:fs/promises";
import { join } from "node:path";
import {
  CHUNK_HEADER_BYTES,
  columnsOn,
  endRecord,
  fileHeader,
  PAIRS_FILE,
  payloadBytes,
  sealChunk,
} from "../../src/replay/recordings/pair-format.ts";
import { simulatedColumns } from "./simulated-columns.ts";
import { ROUTES } from "./speed-slos.ts";

// Writes a recording as the driver would: <dir> <pairs> <rate per second>. A process of its own, so that its memory is not
// counted as the judge's.

const CHUNK_ROWS = 4000;
const [dir = ".", pairs = "0", rate = "1"] = process.argv.slice(2);
const simulated = simulatedColumns({ seed: 7, ratePerSecond: Number(rate), routes: ROUTES.length });

const file = await open(join(dir, PAIRS_FILE), "w");
await file.appendFile(fileHeader());
for (let first = 0; first < Number(pairs); first += CHUNK_ROWS) {
  const rows = Math.min(CHUNK_ROWS, Number(pairs) - first);
  const bytes = new ArrayBuffer(CHUNK_HEADER_BYTES + payloadBytes(rows));
  const columns = columnsOn(bytes, CHUNK_HEADER_BYTES, rows);
  const batch = simulated.next(rows);
  columns.sequence.set(batch.sequence);
  columns.intendedMs.set(batch.intendedMs);
  columns.route.set(batch.route);
  for (const [twin, role] of [
    [0, "control"],
    [1, "shadow"],
  ] as const) {
    columns.sendLagMs[twin].set(batch.arms[role].sendLagMs);
    columns.serviceMs[twin].set(batch.arms[role].serviceMs);
    columns.status[twin].set(batch.arms[role].status);
    columns.outcome[twin].set(batch.arms[role].outcome);
  }
  const chunk = Buffer.from(bytes);
  sealChunk(chunk, rows);
  await file.appendFile(chunk);
}
await file.appendFile(endRecord(Number(pairs)));
await file.close();
