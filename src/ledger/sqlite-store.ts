import { closeSync, fsyncSync, openSync, statSync } from "node:fs";
import path from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Clock } from "../core/clock.ts";
import { CanaryError } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { isBusy, sqliteError } from "./sqlite-errors.ts";
import { sharedReads } from "./sqlite-reads.ts";
import { type SqliteStatements, sqliteStatements } from "./sqlite-rows.ts";
import { SQLITE_APPLICATION_ID, SQLITE_SCHEMA } from "./sqlite-schema.ts";
import type { CommitQuestions, LedgerStore, PlanAdditions } from "./store.ts";

const RETRY_MS = 5;
/** Of the file's pages, so that an index of some hundred thousand entries is not read from the system again and again. */
const CACHE_KIB = 128 * 1024;

/**
 * A log in one file of SQLite, in WAL mode with synchronous=FULL: what is committed was fsynced. The file must be on a local disk.
 * SQLite is synchronous: while the disk flushes, this process does nothing else.
 * @param options.access - `read` opens what is there and never writes; `append` makes a new file where there is none
 * @throws CanaryError LEDGER_UNAVAILABLE | LEDGER_READ_ONLY | LEDGER_TAMPERED
 */
export function openSqliteStore(options: {
  readonly file: string;
  readonly access: "read" | "append";
  readonly clock: Clock;
}): LedgerStore {
  const { file, clock, access } = options;
  return inWords(file, () => {
    if (access === "append") makePrivateFile(file);
    const database = new DatabaseSync(file, { readOnly: access === "read", timeout: RETRY_MS, allowExtension: false });
    try {
      database.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
      if (access === "append") prepareToAppend(database);
      // Whoever has it open for writing keeps its companions; for reading there may be none.
      const files = access === "append" ? [file, `${file}-wal`, `${file}-shm`] : [file];
      const opened = identityOf(files);
      const statements = sqliteStatements(database);
      return sqliteStore({ database, statements, file, clock, stillThere: () => refuseReplaced(files, opened) });
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

function sqliteStore(open: {
  readonly database: DatabaseSync;
  readonly statements: SqliteStatements;
  readonly file: string;
  readonly clock: Clock;
  readonly stillThere: () => void;
}): LedgerStore {
  const { database, statements, file, clock, stillThere } = open;
  const reads = sharedReads(database);
  const answer = async <T>(read: () => T): Promise<T> => {
    try {
      return await reads.read(read);
    } catch (error) {
      throw sqliteError(error, file);
    }
  };
  const transact = async (work: () => void, signal: AbortSignal): Promise<void> => {
    const untilMs = clock.monotonicMs() + LIMITS.ledgerAnswerMsMax;
    for (;;) {
      signal.throwIfAborted();
      try {
        stillThere();
        inTransaction(database, work);
        return stillThere();
      } catch (error) {
        if (!isBusy(error) || clock.monotonicMs() >= untilMs) throw sqliteError(error, file);
      }
      await clock.sleep(RETRY_MS, signal);
    }
  };
  return {
    description: file,
    origin: () => answer(statements.origin),
    // What is decided begins with it: from a file that was removed everything could still be read.
    head: () =>
      answer(() => {
        stillThere();
        return statements.head();
      }),
    rows: (from, count) => answer(() => statements.rows(from, count)),
    hashes: (level, from, count) => answer(() => statements.hashes(level, from, count)),
    document: (sha256) => answer(() => statements.document(sha256)),
    initialise: async (origin, note) => {
      await transact(() => statements.initialise(origin, note), new AbortController().signal);
      return await answer(() => statements.origin() ?? origin);
    },
    commit: ({ claims, since }: CommitQuestions, plan: PlanAdditions, signal: AbortSignal) =>
      transact(() => {
        const newest = since === undefined ? [] : statements.newestAbout(since.subjects, since.from);
        const additions = plan(statements.head(), { taken: statements.taken(claims), newest });
        if (additions !== undefined) statements.add(additions);
      }, signal),
    about: (subject, kinds, count) => answer(() => statements.about(subject, kinds, count)),
    claimHolder: (claim) => answer(() => statements.claimHolder(claim)),
    indexText: (from, to) => answer(() => statements.indexText(from, to)),
    subjectsBetween: (from, to) => answer(() => statements.subjectsBetween(from, to)),
    claimsBetween: (from, to) => answer(() => statements.claimsBetween(from, to)),
    checkpoints: (fromSize, count) => answer(() => statements.checkpoints(fromSize, count)),
    documentDigests: (after, count) => answer(() => statements.documentDigests(after, count)),
    subtreeCounts: () => answer(statements.subtreeCounts),
    [Symbol.asyncDispose]: async () => {
      reads.finish();
      database.close();
    },
  };
}

/** Two gates that start at one moment make the file together: who comes second waits for the first as an append would. */
function prepareToAppend(database: DatabaseSync): void {
  database.exec(`PRAGMA busy_timeout = ${LIMITS.ledgerAnswerMsMax}`);
  database.exec("PRAGMA journal_mode = WAL");
  // FULL: the log is flushed at each commit, not only when it is moved into the file.
  database.exec("PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON");
  const isNew = (): boolean => database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'head'").get() === undefined;
  if (isNew()) {
    inTransaction(database, () => {
      if (isNew()) database.exec(`PRAGMA application_id = ${SQLITE_APPLICATION_ID};\n${SQLITE_SCHEMA}`);
    });
  }
  database.exec(`PRAGMA busy_timeout = ${RETRY_MS}`);
}

/** IMMEDIATE: the log is ours before it is read, so that nothing can come between reading and writing. */
function inTransaction(database: DatabaseSync, work: () => void): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    work();
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** SQLite would make it readable for everybody; its companions take over the rights of the file. */
function makePrivateFile(file: string): void {
  try {
    closeSync(openSync(file, "wx", 0o600));
    // The name itself must survive a power failure too.
    const folder = openSync(path.dirname(file), "r");
    fsyncSync(folder);
    closeSync(folder);
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "EEXIST") return;
    throw gone(file, cause);
  }
}

function identityOf(files: readonly string[]): string {
  const identities = files.map((file) => {
    try {
      const { dev, ino } = statSync(file);
      return `${dev}:${ino}`;
    } catch (cause) {
      throw gone(file, cause);
    }
  });
  return identities.join(" ");
}

/** A file that was removed goes on taking writes, and nobody will ever read them. */
function refuseReplaced(files: readonly string[], opened: string): void {
  if (identityOf(files) !== opened) throw gone(files[0] ?? "");
}

function gone(file: string, cause?: unknown): CanaryError {
  return new CanaryError({
    code: "LEDGER_UNAVAILABLE",
    message: `the ledger's file ${file} is gone or is not the one that was opened`,
    hint: "Bring it back and start again; nothing is admitted meanwhile.",
    cause,
  });
}

function inWords<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw sqliteError(error, file);
  }
}
