/** A JSON value; what a change sets a resource to. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** One resource that the request would change, in the grammar of docs/resources.md. */
export interface ChangedResource {
  readonly path: string;
  /** What it becomes; `null` where it goes away or loses its limit. */
  readonly to: JsonValue;
}

/** What the request shows of the change itself: every resource that would change, or nothing. */
export type ShownChange =
  | { readonly kind: "shown"; readonly resources: readonly ChangedResource[] }
  | { readonly kind: "not-shown" };

/** Who asks, as the door has authenticated them. */
export interface Caller {
  readonly name: string;
  /** Patterns of environments they may ask for. */
  readonly environments: readonly string[];
}

/** "May this plan act there now?", whichever tool asks. */
export interface PromotionRequest {
  /** SHA-256 of the plan's bytes; absent where the request names none. */
  readonly plan?: string;
  readonly environment: string;
  /** SHA-256 of the verdict's bundle; absent: the newest about the plan and the environment. */
  readonly verdict?: string;
  readonly caller: Caller;
  readonly change: ShownChange;
  /** Two requests with one key are one promotion, asked again (a retry). */
  readonly key: string;
  /**
   * A promotion of several parts: each object of a cluster is changed by a request of its own, and the delivery tool beside it
   * asks as well. Requests of one `series` are one promotion while it is open, each `part` (SHA-256) once.
   */
  readonly step?: { readonly series: string; readonly part: string };
}
