import { open } from "node:fs/promises";
import { join } from "node:path";
import { seededRandom } from "../../src/core/random.ts";
import {
  CHUNK_HEADER_BYTES,
  columnsOn,
  endRecord,
  fileHeader,
  PAIRS_FILE,
  payloadBytes,
  sealChunk,
} from "../../src/replay/recordings/pair-format.ts";

// Writes a recording as the driver would: <dir> <pairs> <rate per second> <routes>. A process of its own, so that its memory is not
// counted as the judge's.

const CHUNK_ROWS = 4000;
const [dir = ".", pairs = "0", rate = "1", routes = "1"] = process.argv.slice(2);
const random = seededRandom(7);
const gauss = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const file = await open(join(dir, PAIRS_FILE), "w");
await file.appendFile(fileHeader());
for (let first = 0; first < Number(pairs); first += CHUNK_ROWS) {
  const rows = Math.min(CHUNK_ROWS, Number(pairs) - first);
  const bytes = new ArrayBuffer(CHUNK_HEADER_BYTES + payloadBytes(rows));
  const columns = columnsOn(bytes, CHUNK_HEADER_BYTES, rows);
  for (let row = 0; row < rows; row++) {
    columns.sequence[row] = first + row;
    columns.intendedMs[row] = ((first + row) * 1000) / Number(rate);
    columns.route[row] = Math.floor(random() * Number(routes));
    const shared = Math.log(20) + 0.4 * gauss();
    for (const twin of [0, 1] as const) {
      columns.sendLagMs[twin][row] = 0.3;
      columns.serviceMs[twin][row] = Math.exp(shared + 0.18 * gauss());
      columns.status[twin][row] = 200;
      columns.outcome[twin][row] = random() < 0.002 ? 1 : 0;
    }
  }
  const chunk = Buffer.from(bytes);
  sealChunk(chunk, rows);
  await file.appendFile(chunk);
}
await file.appendFile(endRecord(Number(pairs)));
await file.close();
