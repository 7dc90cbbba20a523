// What a look at a whole twin costs, whether one planted row is found, and how often a plan that does nothing shows an effect.
// Usage: npm run bench:effects -- [--tables 100] [--rows 1000000] [--quiet-passes 0] [--loaded-passes 0]
import { loadavg } from "node:os";
import { argv, pid, stdout } from "node:process";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/cli/system.ts";
import { loadMirror } from "../../src/mirror/compose/load-mirror.ts";
import { difference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { ROLES, type Twin, type TwinPair } from "../../src/mirror/twin.ts";
import { raiseMini } from "../../test/docker/fixtures/mini/engine-of-tests.ts";
import { cache, db, miniMirror } from "../../test/docker/fixtures/mini/mini-mirror.ts";
import { loadedPasses } from "./loaded-passes.ts";
import { quietPasses } from "./quiet-passes.ts";

const { values } = parseArgs({
  args: argv.slice(2),
  options: {
    tables: { type: "string", default: "100" },
    rows: { type: "string", default: "1000000" },
    "quiet-passes": { type: "string", default: "0" },
    "loaded-passes": { type: "string", default: "0" },
  },
});
const [tables, rows] = [Number(values.tables), Number(values.rows)];
const [passes, loaded] = [Number(values["quiet-passes"]), Number(values["loaded-passes"])];
const signal = new AbortController().signal;
const state = stateAccess(systemClock);
const at = { service: "db" };

function line(what: string, measured: string): void {
  stdout.write(`| ${what} | ${measured} | ${loadavg()[0]?.toFixed(1)} |\n`);
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly seconds: number; readonly value: T }> {
  const startMs = systemClock.monotonicMs();
  const value = await work();
  return { seconds: (systemClock.monotonicMs() - startMs) / 1000, value };
}

/** CPU time of the database: what a quiet machine's clock would show, whatever else this one does. */
async function cpuSeconds(twin: Twin): Promise<number> {
  return (await twin.usage(signal)).find(({ service }) => service === "db")?.cpuSeconds ?? Number.NaN;
}

async function fill(twin: Twin): Promise<void> {
  for (let n = 0; n < tables; n++)
    await twin.sql(
      at,
      `CREATE TABLE t${n} (id bigint PRIMARY KEY, customer text NOT NULL, status text NOT NULL, total numeric(12,2),
         note text, placed_at timestamptz NOT NULL, quantity int);
       INSERT INTO t${n} SELECT n, 'customer ' || n % 977, 'open', n * 1.25, md5(n::text),
         '2026-01-01'::timestamptz + n * interval '1 minute', n % 7 FROM generate_series(1, ${Math.ceil(rows / tables)}) AS n`,
    );
}

async function oneLook(pair: TwinPair, what: string): Promise<void> {
  const before = await cpuSeconds(pair.shadow);
  const { seconds } = await timed(() => state.fingerprint(pair.shadow, pair.spec.state, { signal }));
  const cpu = (await cpuSeconds(pair.shadow)) - before;
  line(what, `${seconds.toFixed(1)} s, ${cpu.toFixed(1)} s of them CPU of the database`);
}

async function planted(pair: TwinPair, table: string, id: number): Promise<void> {
  const look = () => state.fingerprint(pair.shadow, pair.spec.state, { signal });
  const before = await look();
  await pair.shadow.sql(at, `UPDATE ${table} SET status = 'lost' WHERE id = ${id}`);
  const { seconds, value } = await timed(async () =>
    difference(before, await look(), {
      locate: ({ table: path }) =>
        state.rowDifferences({
          table: path,
          stores: pair.spec.state,
          reference: pair.control,
          changed: pair.shadow,
          signal,
        }),
    }),
  );
  const found = value.map(({ path }) => path).join(", ");
  const expected = `db/db/mini/rows/${table}/${id}/status`;
  line(
    `one changed value, ${table}`,
    `${found === expected ? "found, alone" : `NOT alone: ${found}`} (${seconds.toFixed(1)} s)`,
  );
  await pair.shadow.sql(at, `UPDATE ${table} SET status = 'open' WHERE id = ${id}`);
}

async function bigDatabase(): Promise<void> {
  const spec = miniMirror({ services: [db, cache], entry: {}, metrics: [], stubs: [] });
  await using pair = await raiseMini({ spec, runId: `bench-${pid}-rows` });
  await Promise.all(ROLES.map((role) => fill(pair[role])));
  for (let round = 0; round < 3; round++) await oneLook(pair, `fingerprint, ${tables} tables, ${rows} rows`);
  await planted(pair, "t7", 4711);
  const one = `CREATE TABLE big AS SELECT n AS id, 'open' AS status, md5(n::text) AS note FROM generate_series(1, ${rows}) AS n;
    ALTER TABLE big ADD PRIMARY KEY (id)`;
  await Promise.all(ROLES.map((role) => pair[role].sql(at, one)));
  await planted(pair, "big", Math.ceil(rows / 2));
}

async function shop(): Promise<void> {
  const spec = await loadMirror({ path: "mirrors/shop/compose.yaml", environment: {} });
  await using pair = await raiseMini({ spec, runId: `bench-${pid}-shop` });
  const median = (all: readonly number[]): number => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)] ?? 0;
  const repeat = async (work: (twin: Twin) => Promise<unknown>): Promise<string> => {
    const taken: number[] = [];
    for (let round = 0; round < 9; round++)
      taken.push((await timed(() => Promise.all(ROLES.map((role) => work(pair[role]))))).seconds * 1000);
    return `${median(taken).toFixed(0)} ms (slowest of 9: ${Math.max(...taken).toFixed(0)})`;
  };
  line("shop, both twins: whole fingerprint", await repeat((twin) => state.fingerprint(twin, spec.state, { signal })));
  line(
    "shop, both twins: of it files, flags, output",
    await repeat((twin) => state.surroundings(twin, spec.state, { signal })),
  );
  if (loaded > 0) await loadedPasses({ pair, state, passes: loaded, line });
  if (passes > 0) await quietPasses({ pair, state, passes, line });
}

stdout.write("| what | measured | load average |\n|---|---|---|\n");
if (rows > 0) await bigDatabase();
await shop();
