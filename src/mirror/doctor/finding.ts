/** What the doctor looks at, in the order in which it reports. `leftovers` is filled in by the sweep. */
export const CHECKS = [
  "engine",
  "images",
  "disk",
  "memory",
  "cores",
  "limits",
  "node",
  "realtime",
  "host-services",
  "leftovers",
] as const;

export type Check = (typeof CHECKS)[number];

/** `fail`: a run cannot start or its numbers would be worthless. `warn`: it can, with what the message says in mind. */
export type FindingStatus = "ok" | "warn" | "fail";

/** One thing the doctor looked at. */
export interface Finding {
  readonly check: Check;
  readonly status: FindingStatus;
  /** What was found, in one sentence with its number. */
  readonly message: string;
  /** What a person can do about it; absent when nothing needs doing. */
  readonly hint?: string;
  /** True when `fix` can do it. */
  readonly fixable: boolean;
}

/** A finding that needs nothing. */
export function healthy(check: Check, message: string): Finding {
  return { check, status: "ok", message, fixable: false };
}

/** A finding that only a person can change. */
export function concern(check: Check, status: "warn" | "fail", message: string, hint: string): Finding {
  return { check, status, message, hint, fixable: false };
}
