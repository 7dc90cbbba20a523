// npx node bench/gate/kill.ts [rounds] [seed]: SIGKILLs of a gate under load; ends with 1 when an admission was lost or made twice.
import { killGates } from "../../test/gate/kill-gates.ts";

const rounds = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? 1);
const report = await killGates({ rounds, seed });
process.stdout.write(`${JSON.stringify({ ...report, seed }, null, 2)}\n`);
process.exitCode = report.offences.length === 0 ? 0 : 1;
