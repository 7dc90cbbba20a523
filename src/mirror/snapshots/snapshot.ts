import type { StateSpec } from "../mirror-spec.ts";
import type { Role, Twin } from "../twin.ts";

// Contract: snapshots of a twin, taken and proven before anything acts, and brought back when nothing else helps.

/** A file of a service that a plan may touch; every replica has the same. */
export interface FileOfService {
  readonly service: string;
  readonly path: string;
}

/** What one store's snapshot is and what it cost. */
export interface StoreSnapshotFacts {
  readonly service: string;
  readonly kind: StateSpec["kind"];
  /** Rows of all tables, or keys. */
  readonly entries: number;
  /** Copying it, ms. */
  readonly takenMs: number;
  /** Restoring it to scratch and comparing, ms. */
  readonly verifiedMs: number;
}

/** What a verdict says of a snapshot. */
export interface SnapshotFacts {
  readonly stores: readonly StoreSnapshotFacts[];
  /** From the first copy to the last comparison, ms. */
  readonly tookMs: number;
  /** Services whose process ended when their connections were cut for the copy, and that were started again. */
  readonly restarted: readonly string[];
}

/** Writes that a restore takes back: rows or keys that are not what they were when the snapshot was taken. */
export interface Loss {
  /** `db/<service>/<database>/rows/<table>`, or `redis/<service>`. */
  readonly path: string;
  readonly entries: number;
}

/** How a restore went. */
export interface Restored {
  readonly tookMs: number;
  /** Services whose process lived through it: those that run answered afterwards, frozen ones are not asked. */
  readonly survived: readonly string[];
  /** Services whose process ended by it, and that were started again. */
  readonly restarted: readonly string[];
  /** What could not be put back, in sentences; the caller's comparison finds it too. */
  readonly unrestored: readonly string[];
}

/** A snapshot that was restored to scratch and compared: nobody has to believe it. */
export interface Snapshot {
  readonly role: Role;
  readonly facts: SnapshotFacts;
  /**
   * Brings stores, replicas, configuration and files back to the snapshot, and every service that should run to answering.
   * Connections of the applications to PostgreSQL are cut; Redis keeps its own. May be called again and again; after a
   * crash in the middle of it, too. The caller compares fingerprints: what is not in a snapshot is then found.
   * Measured on mirrors/shop: bench/rollback/README.md.
   * @param only - services whose stores are brought back, where the caller knows that the others hold what they held
   * @throws CanaryError MIRROR_UNAVAILABLE when a store or a service does not come back; signal.reason when aborted
   */
  restore(signal: AbortSignal, only?: ReadonlySet<string>): Promise<Restored>;
  /** What a restore now would take back; the caller sees to it that nothing writes. The plan's own writes are in it. */
  losses(signal: AbortSignal): Promise<readonly Loss[]>;
}

/** How a run takes snapshots; the simulation has its own. */
export interface Snapshots {
  /**
   * Takes a snapshot of everything that can be brought back, restores it to scratch on the same twin, compares, and removes
   * the scratch. While nothing writes: traffic off, background services frozen. A database `canary_snapshot` stays on
   * each PostgreSQL server, so it is taken on both twins and before the fingerprint that later ones are held against.
   * @throws CanaryError SNAPSHOT_UNVERIFIED when it is not what was copied, or cannot be taken; signal.reason when aborted
   */
  take(options: {
    readonly twin: Twin;
    readonly stores: readonly StateSpec[];
    /** Files to keep beside the stores: those that the plan's actions name. */
    readonly files?: readonly FileOfService[];
    readonly signal: AbortSignal;
  }): Promise<Snapshot>;
}

/** One store's part of a snapshot. */
export interface StoreSnapshot {
  readonly facts: StoreSnapshotFacts;
  restore(signal: AbortSignal): Promise<void>;
  losses(signal: AbortSignal): Promise<readonly Loss[]>;
}
