import type { Clock } from "../../core/clock.ts";
import type { Fingerprint } from "../fingerprint.ts";
import type { StateSpec } from "../mirror-spec.ts";
import { changedTables, coarseDifference } from "../state/difference.ts";
import { locateRows } from "../state/locate-rows.ts";
import { quoted } from "../state/postgres-rows.ts";
import { databasePath } from "../state/postgres-schema.ts";
import { readPostgres } from "../state/postgres-state.ts";
import type { StateSource, StoreState } from "../state/store-state.ts";
import type { Twin } from "../twin.ts";
import {
  type AskServer,
  allowConnections,
  copyDatabase,
  type DatabaseProperty,
  databaseExists,
  dropDatabase,
  propertiesOf,
  refuseConnections,
} from "./copy-database.ts";
import { lostRows } from "./lost-rows.ts";
import type { StoreSnapshot } from "./snapshot.ts";
import { unverified } from "./unverified.ts";

type PostgresSpec = Extract<StateSpec, { kind: "postgres" }>;

/** Stays on the server until the twin goes; both twins have it, so that their fingerprints are the same. */
const SNAPSHOT = "canary_snapshot";
/** A copy that is compared and dropped, or becomes the database. */
const COPY = "canary_copy";
const REPLACED = "canary_replaced";

/**
 * Copies the database as a whole on its own server, then copies the copy and compares that with the original: the very way
 * a restore goes (docs/decisions/0020). Connections are refused while the first copy is made, 0.2 s for 26 MB.
 * @throws CanaryError SNAPSHOT_UNVERIFIED when the copy of the copy is not the original
 */
export async function snapshotPostgres(
  twin: Twin,
  store: PostgresSpec,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<StoreSnapshot> {
  const { clock, signal } = options;
  const ask = serverOf(twin, store);
  const startMs = clock.monotonicMs();
  const properties = await propertiesOf(ask, store.database);
  await dropDatabase(ask, SNAPSHOT);
  const original = await readPostgres(twin, store, signal);
  await copyOriginal(twin, store, ask);
  const copiedMs = clock.monotonicMs();
  const made: Made = { twin, store, ask, properties, original };
  await verify(made, signal);
  return {
    facts: {
      service: store.service,
      kind: "postgres",
      entries: Object.values(original.tables).reduce((sum, table) => sum + table.rows, 0),
      takenMs: copiedMs - startMs,
      verifiedMs: clock.monotonicMs() - copiedMs,
    },
    restore: (restoreSignal) => restore(made, restoreSignal),
    losses: (lossSignal) => losses(made, lossSignal),
  };
}

interface Made {
  readonly twin: Twin;
  readonly store: PostgresSpec;
  readonly ask: AskServer;
  readonly properties: readonly DatabaseProperty[];
  readonly original: StoreState;
}

function serverOf(twin: Twin, { service, database }: PostgresSpec): AskServer {
  const maintenance = database === "postgres" ? "template1" : "postgres";
  return (text, params) => twin.sql({ service, database: maintenance }, text, params);
}

async function copyOriginal(twin: Twin, store: PostgresSpec, ask: AskServer): Promise<void> {
  await twin.disconnect(store);
  try {
    await refuseConnections(ask, store.database);
    await ask(`CREATE DATABASE ${quoted(SNAPSHOT)} TEMPLATE ${quoted(store.database)}`);
  } finally {
    await allowConnections(ask, store.database);
  }
}

async function verify(made: Made, signal: AbortSignal): Promise<void> {
  const { twin, store, ask, properties, original } = made;
  await dropDatabase(ask, COPY);
  await copyDatabase(ask, { from: SNAPSHOT, to: COPY, properties });
  const copied = await readPostgres(sourceIn(twin, COPY), store, signal);
  const apart = coarseDifference(comparable(original, store, store.database), comparable(copied, store, COPY));
  await dropDatabase(ask, COPY);
  await twin.disconnect(store);
  if (apart.length > 0) throw unverified(store.service, apart);
}

/** The same server's other database, in the words of the declared one. */
function sourceIn(twin: Twin, database: string): StateSource {
  return {
    configuration: async () => [],
    redis: (at, command) => twin.redis(at, command),
    sql: ({ service }, text, params) => twin.sql({ service, database }, text, params),
  };
}

/** Of the server's databases only the one that was read, under the name of the declared one. */
function comparable(state: StoreState, store: PostgresSpec, database: string): Fingerprint {
  const prefix = `${databasePath(store)}/schema/database/`;
  const own = state.resources[`${prefix}${database}`];
  const others = Object.entries(state.resources).filter(([path]) => !path.startsWith(prefix));
  return {
    ...state,
    // Counted by database, and a copy has another history.
    written: {},
    resources: { ...Object.fromEntries(others), ...(own === undefined ? {} : { [`${prefix}${store.database}`]: own }) },
    takenMs: 0,
  };
}

/** Every step may be done again: a restore that was cut short is finished by the next one. */
async function restore({ twin, store, ask, properties }: Made, signal: AbortSignal): Promise<void> {
  const live = store.database;
  await twin.disconnect(store);
  await dropDatabase(ask, COPY);
  // Copied before anybody is disturbed; the applications are then without a database for some milliseconds only.
  await copyDatabase(ask, { from: SNAPSHOT, to: COPY, properties });
  signal.throwIfAborted();
  await dropDatabase(ask, REPLACED);
  if (await databaseExists(ask, live)) {
    await refuseConnections(ask, live);
    await ask(`ALTER DATABASE ${quoted(live)} RENAME TO ${quoted(REPLACED)}`);
  }
  await ask(`ALTER DATABASE ${quoted(COPY)} RENAME TO ${quoted(live)}`);
  await dropDatabase(ask, REPLACED);
}

async function losses({ twin, store, original }: Made, signal: AbortSignal) {
  const now = await readPostgres(twin, store, signal);
  const reference = sourceIn(twin, SNAPSHOT);
  const changed = changedTables({ ...original, takenMs: 0 }, { ...now, takenMs: 0 });
  const found = [];
  for (const { table, before, after } of changed) {
    const rows = await locateRows({ table, stores: [store], reference, changed: twin, signal });
    found.push({ path: table, entries: lostRows(rows, { before, after }) });
  }
  await twin.disconnect(store);
  return found.filter((loss) => loss.entries > 0);
}
