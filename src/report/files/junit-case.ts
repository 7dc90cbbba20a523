import type { Reason } from "../../judge/verdict.ts";

/** How a test of the report ended. */
export type Outcome =
  | { readonly kind: "passed" }
  | { readonly kind: "failure" | "skipped"; readonly type: string; readonly message: string; readonly details: string };

/** One test as CI servers list it. */
export interface TestCase {
  readonly name: string;
  readonly seconds: number;
  readonly outcome: Outcome;
}

/** Tests about one thing. */
export interface Suite {
  readonly name: string;
  readonly cases: readonly TestCase[];
}

export const PASSED: Outcome = { kind: "passed" };

/** Nothing was seen: that never counts as passed. */
export function notSeen(message: string, type: Reason["code"] = "NO_DATA"): Outcome {
  return { kind: "skipped", type, message, details: message };
}

/** Evidence against, under its reason code. */
export function failure(type: Reason["code"], message: string, details: string): Outcome {
  return { kind: "failure", type, message, details };
}
