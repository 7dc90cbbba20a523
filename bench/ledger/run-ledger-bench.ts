import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "../../src/cli/system.ts";
import type { Ledger, NewEntry } from "../../src/ledger/ledger.ts";
import { openLedger } from "../../src/ledger/open-ledger.ts";
import { openPostgresStore } from "../../src/ledger/postgres-store.ts";
import { openSqliteStore } from "../../src/ledger/sqlite-store.ts";
import { verifyLog } from "../../src/ledger/verify-log.ts";
import { newSigner, ORIGIN, subjectOf } from "../../test/support/ledger-place.ts";
import { startPostgresServer } from "../../test/support/postgres-server.ts";

// npm run bench:ledger [-- --entries 1000000 --appends 20000 --postgres]

const { values } = parseArgs({
  options: {
    entries: { type: "string", default: "1000000" },
    appends: { type: "string", default: "20000" },
    postgres: { type: "boolean", default: false },
  },
});
const signer = newSigner();
const folder = mkdtempSync(path.join(tmpdir(), "canary-bench-ledger-"));
const say = (text: string): void => void process.stdout.write(`${text}\n`);
const seconds = (sinceMs: number): number => (systemClock.monotonicMs() - sinceMs) / 1000;

/** As large as a decision of the gate: two subjects, a claim, a few reasons. */
function decision(number: number): NewEntry {
  return {
    kind: "decision",
    at: new Date(systemClock.epochMs()).toISOString(),
    about: [subjectOf(number), subjectOf(1e9 + (number % 1000))],
    claim: `promotion:${subjectOf(number)}`,
    body: {
      decision: "allow",
      decisionId: `d-${number}`,
      environment: "production/eu-west",
      reasons: [{ rule: "verdict", message: "promote, signed by the canary" }],
      target: { cluster: "eu-west-1", namespace: "batch", name: "worker" },
    },
  };
}

async function appendRate(name: string, ledger: Ledger, total: number, callers: number): Promise<void> {
  const latenciesMs: number[] = [];
  let next = 0;
  const startMs = systemClock.monotonicMs();
  const caller = async (): Promise<void> => {
    while (next < total) {
      next += 1;
      const atMs = systemClock.monotonicMs();
      await ledger.append([decision(next + callers * 10_000_000)]);
      latenciesMs.push(systemClock.monotonicMs() - atMs);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const rate = total / seconds(startMs);
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const quantile = (q: number): string => (sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN).toFixed(1);
  say(
    `${name}, ${callers} callers: ${Math.round(rate)} durable appends/s, p50 ${quantile(0.5)} ms, p99 ${quantile(0.99)} ms`,
  );
}

async function fill(ledger: Ledger, total: number): Promise<void> {
  for (let from = 0; from < total; from += 1024) {
    const batches = [0, 256, 512, 768].map((at) => from + at).filter((at) => at < total);
    await Promise.all(
      batches.map((at) =>
        ledger.append(Array.from({ length: Math.min(256, total - at) }, (_, index) => decision(at + index))),
      ),
    );
  }
}

async function sqliteBench(): Promise<void> {
  for (const callers of [1, 16, 64]) {
    const file = path.join(folder, `appends-${callers}.db`);
    const store = openSqliteStore({ file, access: "append", clock: systemClock });
    await using ledger = await openLedger({ store, clock: systemClock, signer });
    await appendRate("SQLite", ledger, callers === 1 ? Number(values.appends) / 10 : Number(values.appends), callers);
  }
}

async function largeLog(total: number): Promise<void> {
  const file = path.join(folder, "large.db");
  {
    const store = openSqliteStore({ file, access: "append", clock: systemClock });
    await using ledger = await openLedger({ store, clock: systemClock, signer });
    const startMs = systemClock.monotonicMs();
    await fill(ledger, total);
    say(`${total} entries written in ${seconds(startMs).toFixed(1)} s, ${Math.round(statSync(file).size / 1e6)} MB`);
  }
  const publicPem = path.join(folder, "ledger.pub");
  writeFileSync(publicPem, signer.publicKey.export({ type: "spki", format: "pem" }));
  const started: number[] = [];
  for (let round = 0; round < 5; round += 1) {
    const startMs = systemClock.monotonicMs();
    const argv = ["bin/canary.js", "ledger", "tail", "-n", "1", "--ledger", file, "--key", publicPem];
    const result = spawnSync(process.execPath, argv, { encoding: "utf8" });
    if (result.status !== 0) throw new Error(result.stderr);
    started.push(seconds(startMs) * 1000);
  }
  const median = started.toSorted((a, b) => a - b)[2] ?? Number.NaN;
  say(`a process that opens it, verifies head and newest entry and prints it: ${Math.round(median)} ms (median of 5)`);
  {
    const startMs = systemClock.monotonicMs();
    await using ledger = await openLedger({
      store: openSqliteStore({ file, access: "read", clock: systemClock }),
      clock: systemClock,
      verifiers: [signer],
    });
    const openedMs = seconds(startMs) * 1000;
    const provenMs: number[] = [];
    for (let index = 0; index < total; index += Math.ceil(total / 200)) {
      const atMs = systemClock.monotonicMs();
      await ledger.prove(index);
      provenMs.push(seconds(atMs) * 1000);
    }
    const sorted = provenMs.toSorted((a, b) => a - b);
    say(
      `opening it: ${openedMs.toFixed(1)} ms; an inclusion proof: p50 ${sorted[100]?.toFixed(1)} ms, p99 ${sorted[197]?.toFixed(1)} ms`,
    );
  }
  await using store = openSqliteStore({ file, access: "read", clock: systemClock });
  const startMs = systemClock.monotonicMs();
  const cpu = process.cpuUsage();
  const signal = new AbortController().signal;
  const { findingsTotal, entries } = await verifyLog({ reader: store, origin: ORIGIN, verifiers: [signer], signal });
  const used = process.cpuUsage(cpu);
  const cpuSeconds = (used.user + used.system) / 1e6;
  say(
    `${entries} entries verified in ${seconds(startMs).toFixed(1)} s (${cpuSeconds.toFixed(1)} s of CPU), ${findingsTotal} findings`,
  );
}

async function postgresBench(): Promise<void> {
  await using server = await startPostgresServer();
  for (const callers of [1, 16, 64]) {
    const store = await openPostgresStore({ url: await server.newDatabase(), access: "append" });
    await using ledger = await openLedger({ store, clock: systemClock, signer });
    await appendRate(
      "PostgreSQL",
      ledger,
      callers === 1 ? Number(values.appends) / 10 : Number(values.appends),
      callers,
    );
  }
}

try {
  say(
    `load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}, Node ${process.version}`,
  );
  await sqliteBench();
  if (values.postgres) await postgresBench();
  await largeLog(Number(values.entries));
  say(
    `load average ${loadavg()
      .map((load) => load.toFixed(1))
      .join(" ")}`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
