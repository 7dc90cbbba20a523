// How long a verified snapshot of a twin takes, and how long bringing it back does.
// Usage: npm run bench:rollback -- [resets] [compose file]
import { loadavg } from "node:os";
import { argv, pid, stdout } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { loadMirror } from "../../src/mirror/compose/load-mirror.ts";
import { takingSnapshots } from "../../src/mirror/snapshots/take-snapshot.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import { stateAccess } from "../../src/mirror/state/state-access.ts";
import { ROLES } from "../../src/mirror/twin.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";

const resets = Number(argv[2] ?? 10);
const spec = await loadMirror({ path: argv[3] ?? "mirrors/shop/compose.yaml", environment: {} });
const signal = new AbortController().signal;
const state = stateAccess(systemClock);
const say = (line: string): void => void stdout.write(`${line}\n`);
const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN;

await using pair = await dockerRuntime({ clock: systemClock, ownerPid: pid }).raise({
  spec,
  runId: `bench-rollback-${pid}`,
  isolation: "strict",
  onProgress: () => undefined,
  signal,
});
say(`load ${loadavg().map((one) => one.toFixed(1))}`);
await Promise.all(ROLES.map((role) => pair[role].freeze(spec.background, signal)));
const snapshots = takingSnapshots(systemClock);
const [control, shadow] = await Promise.all(
  ROLES.map((role) => snapshots.take({ twin: pair[role], stores: spec.state, signal })),
);
for (const one of [control, shadow]) say(`${one?.role}: ${JSON.stringify(one?.facts)}`);
if (shadow === undefined) throw new Error("no snapshot");
const reference = await state.fingerprint(pair.shadow, spec.state, { signal });
const equal = coarseDifference(await state.fingerprint(pair.control, spec.state, { signal }), reference);
say(`twins differ after their snapshots in ${equal.length} resources`);

const db = spec.state.find((store) => store.kind === "postgres");
const cache = spec.state.find((store) => store.kind === "redis");
const entry = spec.entry.http;
const took: number[] = [];
for (let reset = 0; reset < resets; reset++) {
  if (db !== undefined)
    await pair.shadow.sql(db, `CREATE TABLE damage_${reset} AS SELECT generate_series(1, 5000) AS n`);
  if (cache !== undefined) await pair.shadow.redis(cache, reset % 2 === 0 ? ["FLUSHALL"] : ["SET", "damage", "1"]);
  const restored = await shadow.restore(signal);
  took.push(restored.tookMs);
  const left = coarseDifference(reference, await state.fingerprint(pair.shadow, spec.state, { signal }));
  let status = 0;
  if (entry !== undefined) {
    const { host, port } = pair.shadow.address(entry);
    status = (await fetch(`http://${host}:${port}/products?page=1`)).status;
  }
  say(`reset ${reset}: ${JSON.stringify(restored)} left ${left.length} status ${status}`);
}
say(
  `resets ${resets}: median ${quantile(took, 0.5).toFixed(0)} ms, p90 ${quantile(took, 0.9).toFixed(0)} ms, max ${Math.max(...took).toFixed(0)} ms`,
);
say(`losses after damage: ${JSON.stringify(await shadow.losses(signal))}`);
say(`load ${loadavg().map((one) => one.toFixed(1))}`);
