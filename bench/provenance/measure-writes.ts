// How long it takes to tell an action's four writes from an application's, and what acting under its own name costs.
// Usage: npx node bench/provenance/measure-writes.ts [application changes, comma-separated]
import { loadavg } from "node:os";
import { argv, pid, stdout } from "node:process";
import pg from "pg";
import { systemClock } from "../../src/cli/system.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import { rowsOf } from "../../src/mirror/write-log.ts";
import { db as database, miniMirror } from "../../test/docker/fixtures/mini/mini-mirror.ts";

const sizes = (argv[2] ?? "8735,50000,200000").split(",").map(Number);
const bare = miniMirror({ services: [database], entry: {}, metrics: [], stubs: [] });
const spec = { ...bare, state: bare.state.filter(({ kind }) => kind === "postgres") };
const signal = new AbortController().signal;
const say = (line: string): void => void stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly value: T }> {
  const startMs = systemClock.monotonicMs();
  const value = await work();
  return { ms: systemClock.monotonicMs() - startMs, value };
}

await using pair = await dockerRuntime({ clock: systemClock, ownerPid: pid }).raise({
  spec,
  runId: `bench-writes-${pid}`,
  isolation: "strict",
  onProgress: () => undefined,
  signal,
});
const db = spec.state.find((store) => store.kind === "postgres");
if (db?.kind !== "postgres") throw new Error("the mirror has no database");
const { shadow } = pair;
say(`load ${loadavg().map((one) => one.toFixed(1))}, added ${JSON.stringify(pair.facts.addedSettings)}`);

const as = { runId: `bench-${pid}`, actionId: "mark", phase: "act", rights: "rows" } as const;
const FOUR = "UPDATE item SET name = 'marked' WHERE id IN (1, 2, 3, 4)";
const act = () => shadow.sqlAs(db, { as, statements: [FOUR], transaction: true, timeoutMs: 30_000 }, signal);
const [own, plain]: [number[], number[]] = [[], []];
for (let round = 0; round < 20; round++) {
  own.push((await timed(act)).ms);
  plain.push((await timed(() => shadow.sql(db, FOUR))).ms);
}
say(
  `four writes under a name of their own ${median(own).toFixed(1)} ms, on the kept connection ${median(plain).toFixed(1)} ms (medians of 20)`,
);

/** Other sessions of the mirror's own user, each update a transaction of its own. */
async function application(changes: number): Promise<void> {
  const { host, port } = shadow.address({ service: db?.service ?? "", port: db?.port ?? 0 });
  const pool = new pg.Pool({ host, port, user: db?.user, password: db?.password, database: db?.database, max: 4 });
  const lanes = [0, 1, 2, 3].map(async (lane) => {
    for (let n = lane; n < changes; n += 4)
      await pool.query("UPDATE item SET name = name WHERE id = $1", [5 + (n % 40_000)]);
  });
  await Promise.all(lanes);
  await pool.end();
}

for (const changes of sizes) {
  const opened = await timed(() => shadow.openWriteLog(db, signal));
  await using log = opened.value;
  const from = (await shadow.sql(db, "SELECT pg_current_wal_lsn()::text AS lsn"))[0]?.["lsn"];
  const before = systemClock.monotonicMs();
  const busy = application(changes);
  await act();
  await busy;
  const wroteMs = systemClock.monotonicMs() - before;
  const bytes = (
    await shadow.sql(db, "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1::pg_lsn)::text AS n", [from])
  )[0];
  const { ms, value } = await timed(() => log.read(signal));
  if (value.kind !== "read") throw new Error(value.why);
  const rows = value.actors.flatMap(({ tables }) => tables).reduce((sum, table) => sum + rowsOf(table), 0);
  const rest = value.application.reduce((sum, table) => sum + rowsOf(table), 0);
  say(
    `${changes} changes in ${(wroteMs / 1000).toFixed(1)} s, ${(Number(bytes?.["n"]) / 2 ** 20).toFixed(1)} MiB of log: ` +
      `opened in ${opened.ms.toFixed(0)} ms, read in ${ms.toFixed(0)} ms: ${rows} of the action's, ${rest} of the application's`,
  );
}
say(`load ${loadavg().map((one) => one.toFixed(1))}`);
