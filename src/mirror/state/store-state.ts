import type { Fingerprint } from "../fingerprint.ts";
import type { Twin } from "../twin.ts";

/** What reading the stores asks of a twin: no more than this. */
export type StateSource = Pick<Twin, "configuration" | "sql" | "redis">;

/** What a whole fingerprint asks of it, beyond its stores. */
export type TwinSource = StateSource & Pick<Twin, "files" | "flagFiles" | "errorPatterns" | "processes" | "programs">;

/** The part of a fingerprint that one store contributes. */
export interface StoreState {
  readonly resources: Fingerprint["resources"];
  readonly tables: Fingerprint["tables"];
  readonly keys: Fingerprint["keys"];
  readonly sequences: NonNullable<Fingerprint["sequences"]>;
  readonly expiring: NonNullable<Fingerprint["expiring"]>;
  readonly strides?: NonNullable<Fingerprint["strides"]>;
  readonly written?: NonNullable<Fingerprint["written"]>;
  /** What the mirror's user may not read, with the reason. */
  readonly unseen?: readonly string[];
  /** The store's own clock, where it has expiring keys. */
  readonly storeEpochMs?: number;
}
