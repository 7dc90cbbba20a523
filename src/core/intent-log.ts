/** One thing about to be done, or done, to a twin; written before it happens so that a crash leaves a trail. */
export type Intent =
  | { readonly kind: "run"; readonly runId: string; readonly planSha256: string; readonly scenario: string }
  | {
      readonly kind: "act";
      readonly actionId: string;
      readonly uses: string;
      /** The step that undoes it, whole: another process can carry it out. */
      readonly undo: unknown;
      readonly proof?: "quiet" | "load";
      /** Time box of the undo, ms. */
      readonly timeoutMs?: number;
      /** Scopes of the action: its undo holds no others. */
      readonly requires?: readonly string[];
    }
  | { readonly kind: "landed"; readonly actionId: string; readonly landed: boolean }
  /** It did not land and changed nothing: there is nothing to undo. */
  | { readonly kind: "left-nothing"; readonly actionId: string }
  | { readonly kind: "undo"; readonly actionId: string }
  | { readonly kind: "undone"; readonly actionId: string; readonly ok: boolean }
  /** The plan's own way out of a failure or an abort begins: its steps, whole, or that everything stays as it is. */
  | {
      readonly kind: "recover";
      readonly why: "failure" | "abort";
      readonly how: "steps" | "stop";
      readonly steps: unknown;
      /** Scopes of everything that was done. */
      readonly requires?: readonly string[];
    }
  | { readonly kind: "recovered"; readonly ok: boolean }
  /** A snapshot is brought back because an undo failed. */
  | { readonly kind: "restore" }
  | { readonly kind: "restored"; readonly ok: boolean }
  | { readonly kind: "end"; readonly outcome: string };

/** Append-only; `record` resolves only when the entry is durable (fsync). */
export interface IntentLog {
  record(intent: Intent): Promise<void>;
}

/** Records in one log, then in the other; what the first does not take is not in the second. */
export function inBoth(first: IntentLog | undefined, second: IntentLog): IntentLog {
  if (first === undefined) return second;
  return {
    record: async (intent) => {
      await first.record(intent);
      await second.record(intent);
    },
  };
}

/** What a log shows to be unfinished: acts whose undo is not known to have landed. */
export interface UnfinishedRollback {
  readonly runId: string;
  readonly planSha256: string;
  readonly scenario: string;
  readonly proof: "quiet" | "load";
  /** To be undone, the last act first. */
  readonly undo: readonly Extract<Intent, { kind: "act" }>[];
  /** The plan's own way out, where it was begun and its end is not known; to be gone instead of the undos. */
  readonly recover?: Extract<Intent, { kind: "recover" }>;
}

/**
 * What is left to undo according to the durable part of a log; `undefined` when nothing is. An undo that did not land, and one
 * that was begun and of which nothing more is known, are left to do: what counts is the state that is compared after it.
 */
export function unfinishedRollback(intents: readonly Intent[]): UnfinishedRollback | undefined {
  let run: Extract<Intent, { kind: "run" }> | undefined;
  let acts: Extract<Intent, { kind: "act" }>[] = [];
  let recover: Extract<Intent, { kind: "recover" }> | undefined;
  for (const intent of intents) {
    if (intent.kind === "run") run = intent;
    // A drill plays run after run in one log.
    const over = intent.kind === "run" || intent.kind === "end";
    if (intent.kind === "act" && intent.undo !== null) acts.push(intent);
    if (intent.kind === "recover") recover = intent;
    if (intent.kind === "left-nothing") acts = withoutLast(acts, intent.actionId);
    if (intent.kind === "undone" && intent.ok) acts = withoutLast(acts, intent.actionId);
    const everything = (intent.kind === "recovered" || intent.kind === "restored") && intent.ok;
    if (everything || over) {
      acts = [];
      recover = undefined;
    }
  }
  if (run === undefined || acts.length === 0 || recover?.how === "stop") return undefined;
  return {
    runId: run.runId,
    planSha256: run.planSha256,
    scenario: run.scenario,
    proof: acts.at(-1)?.proof ?? "quiet",
    undo: acts.toReversed(),
    ...(recover === undefined ? {} : { recover }),
  };
}

/** A plan acts more than once in a run (quiet, under load, in rounds): the last act of that name is the one undone. */
function withoutLast(
  acts: readonly Extract<Intent, { kind: "act" }>[],
  actionId: string,
): Extract<Intent, { kind: "act" }>[] {
  const at = acts.findLastIndex((act) => act.actionId === actionId);
  return acts.filter((_, index) => index !== at);
}
