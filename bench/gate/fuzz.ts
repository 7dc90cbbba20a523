// npx node bench/gate/fuzz.ts [requests] [seed]: changed requests over the socket; ends with 1 when one of them got through.
import { fuzzGate } from "../../test/gate/fuzz-gate.ts";

const count = Number(process.argv[2] ?? 200_000);
const seed = Number(process.argv[3] ?? 1);
const startedMs = performance.now();
const report = await fuzzGate({ seed, count });
const seconds = (performance.now() - startedMs) / 1000;
process.stdout.write(`${JSON.stringify({ ...report, seed, seconds: Math.round(seconds) }, null, 2)}\n`);
process.exitCode = report.offences.length === 0 ? 0 : 1;
