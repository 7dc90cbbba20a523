/** One thing about to be done, or done, to a twin; written before it happens so that a crash leaves a trail. */
export type Intent =
  | { readonly kind: "run"; readonly runId: string; readonly planSha256: string; readonly scenario: string }
  | { readonly kind: "act"; readonly actionId: string; readonly uses: string; readonly undo: unknown }
  | { readonly kind: "landed"; readonly actionId: string; readonly landed: boolean }
  | { readonly kind: "undo"; readonly actionId: string }
  | { readonly kind: "undone"; readonly actionId: string; readonly ok: boolean }
  | { readonly kind: "end"; readonly outcome: string };

/** Append-only; `record` resolves only when the entry is durable (fsync). */
export interface IntentLog {
  record(intent: Intent): Promise<void>;
}
