// npx node bench/gate/two-gates.ts [verdicts] [triesEach]: two gates on one PostgreSQL, asked for the same verdicts at once; ends
// with 1 when one was admitted twice. Needs the programs of scripts/setup.sh postgres.
import { raceGates } from "../../test/gate/race-gates.ts";
import { findingsIn, ledgerIn, newSigner } from "../../test/support/ledger-place.ts";
import { postgresPlace } from "../../test/support/postgres-place.ts";
import { startPostgresServer } from "../../test/support/postgres-server.ts";

const verdicts = Number(process.argv[2] ?? 200);
const triesEach = Number(process.argv[3] ?? 50);
await using server = await startPostgresServer();
await using place = await postgresPlace(server);
const signer = newSigner();
const startedMs = performance.now();
const report = await race();
const seconds = Math.round((performance.now() - startedMs) / 1000);
const findings = await findingsIn(place, signer);
process.stdout.write(`${JSON.stringify({ ...report, findings, seconds }, null, 2)}\n`);
process.exitCode = report.offences.length + findings.length === 0 ? 0 : 1;

async function race() {
  await using ledgers = new AsyncDisposableStack();
  const both = [ledgers.use(await ledgerIn(place, signer)), ledgers.use(await ledgerIn(place, signer))] as const;
  return await raceGates({ ledgers: both, verdicts, triesEach });
}
