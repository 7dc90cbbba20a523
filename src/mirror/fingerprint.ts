// Contract: the state of a twin in the words of the resource grammar (docs/resources.md).

/**
 * Path of one resource, segments joined by `/`, each percent-encoded where it holds `/`, `*`, `%` or a control character:
 *   service/<name>/replicas | image | command | env/<NAME> | memory | cpus | mounts
 *   db/<service>/<database>/schema/<table>                      (exists)
 *   db/<service>/<database>/schema/<table>/column/<name> | index/<name> | constraint/<name> | trigger/<name> | ...
 *   db/<service>/<database>/schema/sequence|view|function|type|setting|role|.../<name>
 *   db/<service>/<database>/rows/<table>/<primary key>[/<column>] (only in differences)
 *   redis/<service>/<key>
 *   file/<service>/<path> | volume/<name>/<path> | bind/<path in the mirror>/<path>
 *   flags/<service>/<flag>/state | defaultVariant | variants | targeting | metadata
 *   process/<service>/<name>                                    (a program that runs)
 *   stub/<host>/<METHOD>/<path>, log/<service>/<pattern>        (only in effects)
 * docs/resources.md has the whole grammar.
 */
export type ResourcePath = string;

/** Content of one table as counts and order-free hashes; `buckets` locate a changed row without keeping rows. */
export interface TableFingerprint {
  readonly rows: number;
  /** Order-free hash of whole rows. */
  readonly sha: string;
  /** Order-free hash per column, blind to which row a value stands in. */
  readonly columns: Readonly<Record<string, string>>;
  /** How much stands in each column, which tells a column that was emptied or levelled from one whose values are others. */
  readonly held?: Readonly<Record<string, ColumnHeld>>;
  /** `<rows>:<order-free hash>` per bucket of the primary key's hash; a single bucket where there is no primary key. */
  readonly buckets: readonly string[];
}

/** How much a column holds, whatever it is. */
export interface ColumnHeld {
  /** Rows in which it is not NULL. */
  readonly filled: number;
  /** Of COLUMN_SLOTS, those that the hash of at least one value falls into: one for a constant, nearly all for many values. */
  readonly slots: number;
}

/** As many as bits of a word, so that a database counts them in one pass. */
export const COLUMN_SLOTS = 64;

/** What lies around a twin's stores: the part of a fingerprint in which things also change by themselves. */
export interface Surroundings {
  /** Files, folders and links of containers (where they are not as in the image) and volumes; `gone` for a removed one. */
  readonly files?: Readonly<Record<ResourcePath, string>>;
  /** What the image holds under those paths of `files` that it knows. */
  readonly inImage?: Readonly<Record<ResourcePath, string>>;
  /** Those of `files` that were written since their process started. */
  readonly sinceStart?: readonly ResourcePath[];
  /** `log/<service>/<pattern>` to the first such line: trouble that services have told of since they were raised. */
  readonly errors?: Readonly<Record<ResourcePath, string>>;
  /** `file/<service>/etc/hosts` and the like, which the engine writes; compared with the same twin's past. */
  readonly ofEngine?: Readonly<Record<ResourcePath, string>>;
  /** `process/<service>/<name>` to how often a replica runs that program at most; compared with the same twin's past. */
  readonly programs?: Readonly<Record<ResourcePath, string>>;
  /** Running processes per service; another list means that one was restarted, replaced, added or removed. */
  readonly processes?: Readonly<Record<string, string>>;
  /** Places that could not be looked at, with the reason. */
  readonly unseen?: readonly string[];
}

/** Everything of a twin that must be the same again after a rollback; taken while nothing writes. */
export interface Fingerprint extends Surroundings {
  /** Configuration and schema: path to literal value or definition (secrets masked to a digest). */
  readonly resources: Readonly<Record<ResourcePath, string>>;
  /** `db/<service>/<database>/rows/<table>` to its content. */
  readonly tables: Readonly<Record<ResourcePath, TableFingerprint>>;
  /** `redis/<service>/<key>` to a digest of type and value, and whether it ends by itself. */
  readonly keys: Readonly<Record<ResourcePath, string>>;
  /** `db/<service>/<database>/sequence/<name>` to the last number handed out. Backward is always residue, forward if no row drew it. */
  readonly sequences?: Readonly<Record<ResourcePath, string>>;
  /** How far one draw may take a sequence: its increment times its cache. */
  readonly strides?: Readonly<Record<ResourcePath, number>>;
  /**
   * `db/<service>/<database>/rows` to the rows ever written there, for every database of a server: what goes on in those that are
   * not declared shows in nothing else. Says something of one twin at two times only.
   */
  readonly written?: Readonly<Record<ResourcePath, string>>;
  /** Keys that end by themselves, with the instant of the store's clock (ms) at which they do. */
  readonly expiring?: Readonly<Record<ResourcePath, number>>;
  /** The stores' clock when this was taken (latest of them); tells an expired key from a removed one. */
  readonly storeEpochMs?: number;
  /** How long taking it took, ms. */
  readonly takenMs: number;
}

/** One resource that is not the same. `before`/`after` are values or digests, never secrets. */
export interface Difference {
  readonly path: ResourcePath;
  readonly kind: "added" | "removed" | "changed";
  readonly before?: string;
  readonly after?: string;
}
