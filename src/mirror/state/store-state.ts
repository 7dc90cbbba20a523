import type { Fingerprint } from "../fingerprint.ts";
import type { Twin } from "../twin.ts";

/** What reading state asks of a twin: no more than this. */
export type StateSource = Pick<Twin, "configuration" | "sql" | "redis">;

/** The part of a fingerprint that one store contributes. */
export interface StoreState {
  readonly resources: Fingerprint["resources"];
  readonly tables: Fingerprint["tables"];
  readonly keys: Fingerprint["keys"];
  readonly sequences: NonNullable<Fingerprint["sequences"]>;
  readonly expiring: NonNullable<Fingerprint["expiring"]>;
  /** The store's own clock, where it has expiring keys. */
  readonly storeEpochMs?: number;
}
