import type { DatabaseRights } from "../plan/database-rights.ts";
import type { ResourcePath } from "./fingerprint.ts";

// Contract: who wrote which rows of a database, told by the database itself. Implemented in src/mirror/writes.

/** Who acts at a database. Each gets a connection, a role and transactions of its own. */
export interface DatabaseActor {
  readonly runId: string;
  readonly actionId: string;
  readonly phase: "act" | "undo";
  readonly rights: DatabaseRights;
}

/** Statements of one actor. */
export interface ActorWork {
  readonly as: DatabaseActor;
  readonly statements: readonly string[];
  /** All of them in one transaction; otherwise each in its own, or in none where the server refuses one. */
  readonly transaction: boolean;
  /** The server itself ends a statement that takes longer. */
  readonly timeoutMs: number;
  /** Told when statements have been sent; more than once where they are sent one by one. */
  readonly onSent?: () => void;
}

/** Rows of one table by what happened to them; a truncation empties it at once and counts as one. */
export interface TableWrites {
  readonly table: ResourcePath;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly truncated: number;
}

/** One row that an actor wrote. */
export interface RowWrite {
  /** `db/…/rows/<table>/<key>`; `(some)` stands for a key that the log does not tell. */
  readonly path: ResourcePath;
  readonly kind: "inserted" | "updated" | "deleted" | "truncated";
  /** Names of the columns that the log shows, encoded as in paths; of an update all of them, changed or not. */
  readonly columns: readonly string[];
}

/** What the transactions of one action wrote, its performances added up. */
export interface ActorWrites {
  readonly actionId: string;
  readonly phase: DatabaseActor["phase"];
  /** How often it was performed. */
  readonly times: number;
  /** What it acted as at the database, for people. */
  readonly role: string;
  readonly tables: readonly TableWrites[];
  /** The first LIMITS.rowsAttributedMax of them. */
  readonly rows: readonly RowWrite[];
  readonly rowsLeftOut: number;
  /** Why some of its writes cannot be told from the application's; absent when all can. */
  readonly mixedWith?: string;
}

/** What a log of writes shows up to an instant, or why it shows nothing. */
export type WriteReading =
  | { readonly kind: "unavailable"; readonly why: string }
  | {
      readonly kind: "read";
      readonly actors: readonly ActorWrites[];
      /** Everything else that was committed meanwhile. */
      readonly application: readonly TableWrites[];
      /** Tables of which the server keeps no log: unlogged ones, and materialised views, which follow from others. */
      readonly unlogged: readonly { readonly table: ResourcePath; readonly kind: "unlogged" | "materialised view" }[];
    };

/** The log of what is written to one database from an instant on. Disposing ends it at the server. */
export interface WriteLog extends AsyncDisposable {
  /** Whether the server keeps it still: taking a snapshot of a database, for one, cuts every connection to it. */
  isOpen(): boolean;
  /**
   * Everything since it was opened or last read. It keeps the server busy for a while (some 20,000 changes take about
   * 0.2 s), so it is only asked while nothing is measured.
   */
  read(signal: AbortSignal): Promise<WriteReading>;
}

/** No write at all. */
export function noWrites(table: ResourcePath): TableWrites {
  return { table, inserted: 0, updated: 0, deleted: 0, truncated: 0 };
}

/** Rows of all kinds; a truncation counts as one. */
export function rowsOf(writes: Omit<TableWrites, "table">): number {
  return writes.inserted + writes.updated + writes.deleted + writes.truncated;
}
