import { canonicalJson } from "../attest/canonical-json.ts";
import type { Clock } from "../core/clock.ts";
import { messageOf } from "../core/errors.ts";
import type { Intent, IntentLog } from "../core/intent-log.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { JsonObject, Ledger, NewEntry } from "./ledger.ts";

/** A run or drill whose intents are recorded. */
export interface IntentLogOptions {
  readonly ledger: Pick<Ledger, "append">;
  readonly clock: Clock;
  readonly runId: string;
  readonly planSha256: string;
  /** Told when an intent could not be recorded, and when some never were. */
  readonly say: (message: string) => void;
}

interface Waiting {
  readonly intent: Intent;
  readonly occurredEpochMs: number;
}

/**
 * Intents as entries of the ledger, which names each step by its digest: what it holds whole (files, values) stays in the journal.
 *
 * What is about to act waits until it is recorded, and does not act when it can not be. What undoes never waits: a ledger that
 * is gone must not keep an environment in a state that nobody wants. Such intents are recorded when the ledger is back, at the
 * latest when the log is disposed, with the time at which they occurred.
 */
export function ledgerIntentLog(options: IntentLogOptions): IntentLog & AsyncDisposable {
  const { ledger, clock, say } = options;
  let waiting: readonly Waiting[] = [];
  let running: Promise<void> = Promise.resolve();

  const recordWaiting = async (): Promise<void> => {
    while (waiting.length > 0) {
      const [first, ...rest] = waiting;
      if (first !== undefined) await ledger.append([entryOf(first, options)]);
      waiting = rest;
    }
  };
  const record = (intent: Intent): Promise<void> => {
    const arrived = { intent, occurredEpochMs: clock.epochMs() };
    const result = running.then(async () => {
      waiting = [...waiting, arrived];
      try {
        await recordWaiting();
      } catch (error) {
        // One that did not act must not be recorded later as if it had been about to.
        if (isAboutToAct(intent)) waiting = waiting.filter((other) => other !== arrived);
        throw error;
      }
    });
    running = result.catch(() => undefined);
    return result;
  };
  return {
    record: async (intent) => {
      if (isAboutToAct(intent)) return await record(intent);
      record(intent).catch((error: unknown) => {
        say(`the ledger does not take "${intent.kind}" now: ${messageOf(error)}; the journal has it`);
      });
    },
    [Symbol.asyncDispose]: async () => {
      await running;
      await recordWaiting().catch((error: unknown) => {
        say(`${waiting.length} intents are only in the journal: ${messageOf(error)}`);
      });
    },
  };
}

/** The first one of a run counts too: a run that can not be recorded does not begin. */
function isAboutToAct({ kind }: Intent): boolean {
  return kind === "run" || kind === "act";
}

function entryOf({ intent, occurredEpochMs }: Waiting, { clock, runId, planSha256 }: IntentLogOptions): NewEntry {
  const nowEpochMs = clock.epochMs();
  return {
    kind: "intent",
    at: new Date(nowEpochMs).toISOString(),
    about: [planSha256],
    body: {
      runId,
      intent: intent.kind,
      ...detailsOf(intent),
      ...(occurredEpochMs === nowEpochMs ? {} : { occurredAt: new Date(occurredEpochMs).toISOString() }),
    },
  };
}

/** Steps can hold whole files, and values that nobody should read later: their digest is enough to compare them. */
function detailsOf(intent: Intent): JsonObject {
  switch (intent.kind) {
    case "run":
      return { scenario: intent.scenario };
    case "act": {
      const proof = intent.proof === undefined ? {} : { proof: intent.proof };
      return {
        actionId: intent.actionId,
        uses: intent.uses,
        undoSha256: sha256Hex(canonicalJson(intent.undo)),
        ...proof,
      };
    }
    case "landed":
      return { actionId: intent.actionId, landed: intent.landed };
    case "undone":
      return { actionId: intent.actionId, ok: intent.ok };
    case "left-nothing":
    case "undo":
      return { actionId: intent.actionId };
    case "recover":
      return { why: intent.why, how: intent.how, stepsSha256: sha256Hex(canonicalJson(intent.steps)) };
    case "recovered":
    case "restored":
      return { ok: intent.ok };
    case "restore":
      return {};
    case "end":
      return { outcome: intent.outcome };
  }
}
