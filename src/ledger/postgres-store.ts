import type { Pool, PoolClient, QueryResult } from "pg";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { postgresError } from "./postgres-errors.ts";
import * as rows from "./postgres-rows.ts";
import { POSTGRES_SCHEMA } from "./postgres-schema.ts";
import type { CommitAnswers, CommitQuestions, LedgerStore, PlanAdditions } from "./store.ts";

/** Connections of one process: one appends, the others read. */
const CONNECTIONS = 5;
/** Any number; it only has to be the same in every process that makes the tables. */
const SCHEMA_LOCK = 7_214_650_113;

/**
 * A log in a PostgreSQL database (schema `canary_ledger`), shared by any number of processes. Appends wait for each other on the row
 * of the head; a commit is flushed to disk before it is answered.
 * @param options.access - `read` takes what is there; `append` makes the tables where they are missing and may be made
 * @throws CanaryError LEDGER_UNAVAILABLE | LEDGER_READ_ONLY | LEDGER_SLOW, also where the server does not flush what it commits
 */
export async function openPostgresStore(options: {
  readonly url: string;
  readonly access: "read" | "append";
}): Promise<LedgerStore> {
  const { Pool } = await import("pg");
  const description = describe(options.url);
  const pool = new Pool({
    connectionString: options.url,
    max: CONNECTIONS,
    application_name: "canary-ledger",
    connectionTimeoutMillis: LIMITS.ledgerAnswerMsMax,
    query_timeout: LIMITS.ledgerAnswerMsMax,
    statement_timeout: LIMITS.ledgerAnswerMsMax,
    lock_timeout: LIMITS.ledgerAnswerMsMax,
    // A process that stops in the middle of an append must not hold up all the others.
    idle_in_transaction_session_timeout: LIMITS.ledgerAnswerMsMax,
  });
  // A connection that breaks is told by the next question on it, or replaced; without listeners it would end the process. The pool
  // listens only while a connection is idle.
  pool.on("error", () => undefined);
  pool.on("connect", (client) => client.on("error", () => undefined));
  try {
    await refuseUnflushed(pool);
    if (options.access === "append") await makeTables(pool);
    return postgresStore(pool, description);
  } catch (error) {
    await pool.end();
    throw postgresError(error, description);
  }
}

function postgresStore(pool: Pool, description: string): LedgerStore {
  const inWords = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw postgresError(error, description);
    }
  };
  const ask = <T>(statement: rows.Statement<T>): Promise<T> =>
    inWords(async () => statement.read((await pool.query(statement)).rows));
  return {
    description,
    origin: () => inWords(async () => ((await hasTables(pool)) ? await ask(rows.origin()) : undefined)),
    head: () => ask(rows.head()),
    rows: (from, count) => ask(rows.entries(from, count)),
    hashes: (level, from, count) => ask(rows.hashes(level, from, count)),
    document: (sha256) => ask(rows.document(sha256)),
    initialise: (origin, note) =>
      inWords(async () => {
        await pool.query(rows.initialise(origin, note));
        return (await ask(rows.origin())) ?? origin;
      }),
    commit: (questions, plan, signal) => inWords(() => commit(pool, { questions, plan, signal })),
    about: (subject, kinds, count) => ask(rows.about(subject, kinds, count)),
    claimHolder: (claim) => ask(rows.claimHolder(claim)),
    indexText: (from, to) => ask(rows.indexText(from, to)),
    subjectsBetween: (from, to) => ask(rows.subjectsBetween(from, to)),
    claimsBetween: (from, to) => ask(rows.claimsBetween(from, to)),
    checkpoints: (fromSize, count) => ask(rows.checkpoints(fromSize, count)),
    documentDigests: (after, count) => ask(rows.documentDigests(after, count)),
    subtreeCounts: () => ask(rows.subtreeCounts()),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

async function commit(
  pool: Pool,
  append: { readonly questions: CommitQuestions; readonly plan: PlanAdditions; readonly signal: AbortSignal },
): Promise<void> {
  const { questions, plan, signal } = append;
  const client = await pool.connect();
  let released = false;
  const release = (close = false): void => {
    if (!released) client.release(close);
    released = true;
  };
  // Nobody waits any more: the connection is closed, and the server undoes or finishes what it was doing.
  const giveUp = (): void => release(true);
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await transaction(client, questions, plan);
    release();
  } catch (error) {
    // Closing it undoes what it did; asking it to would wait for a server that may not answer.
    release(true);
    throw error;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }
}

async function transaction(client: PoolClient, questions: CommitQuestions, plan: PlanAdditions): Promise<void> {
  // READ COMMITTED: what follows the lock on the head sees what its last holder committed.
  await client.query("BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = on");
  await client.query(rows.lockHead());
  const head = rows.head().read((await client.query(rows.head())).rows);
  const additions = plan(head, await answersTo(client, questions));
  if (additions === undefined) {
    await client.query("ROLLBACK");
    return;
  }
  for (const statement of rows.additions(additions)) await client.query(statement);
  await client.query("COMMIT");
}

async function answersTo(client: PoolClient, { claims, since }: CommitQuestions): Promise<CommitAnswers> {
  const ask = async <T>(statement: rows.Statement<T>): Promise<T> =>
    statement.read((await client.query(statement)).rows);
  return {
    taken: claims.length === 0 ? new Map<string, number>() : await ask(rows.taken(claims)),
    newest: since === undefined ? [] : await ask(rows.newestAbout(since.subjects, since.from)),
  };
}

/** "Acknowledged" must mean "on disk": a server that does not flush would make it a lie. */
async function refuseUnflushed(pool: Pool): Promise<void> {
  const settings: QueryResult<{ fsync: string; full: string }> = await pool.query(
    "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full",
  );
  const [row] = settings.rows;
  if (row?.fsync === "on" && row.full === "on") return;
  throw new CanaryError({
    code: "LEDGER_UNAVAILABLE",
    message: "this PostgreSQL has fsync or full_page_writes off: what it acknowledges can be lost",
    hint: "Turn both on; a ledger on such a server proves nothing.",
  });
}

async function makeTables(pool: Pool): Promise<void> {
  // A role that only appends could not make them, and need not.
  if (await hasTables(pool)) return;
  await pool.query(`BEGIN; SELECT pg_advisory_xact_lock(${SCHEMA_LOCK}); ${POSTGRES_SCHEMA}; COMMIT`);
}

async function hasTables(pool: Pool): Promise<boolean> {
  const { rows: found } = await pool.query(
    "SELECT 1 FROM pg_catalog.pg_tables WHERE schemaname = 'canary_ledger' AND tablename = 'head'",
  );
  return found.length > 0;
}

/** Host and database of an address; never its credentials. */
function describe(url: string): string {
  try {
    const { hostname, port, pathname, searchParams } = new URL(url);
    return `PostgreSQL ${searchParams.get("host") ?? hostname}${port === "" ? "" : `:${port}`}${pathname}`;
  } catch (cause) {
    throw new CanaryError({
      code: "USAGE",
      message: "CANARY_DATABASE_URL is no address of a database",
      hint: "It looks like postgres://user@host:5432/name.",
      // The cause would quote the address, with its password.
      cause: cause instanceof Error ? cause.name : undefined,
    });
  }
}
