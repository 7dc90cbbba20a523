import { setImmediate } from "node:timers/promises";
import type { Clock } from "../core/clock.ts";
import { CanaryError } from "../core/errors.ts";
import { invariant } from "../core/invariant.ts";
import { LIMITS } from "../core/limits.ts";
import type { Receipt } from "./ledger.ts";
import type { AppendOutcome, AppendRequest } from "./plan-commit.ts";

interface Waiting {
  readonly request: AppendRequest;
  readonly sinceMs: number;
  readonly resolve: (receipts: readonly Receipt[]) => void;
  readonly reject: (error: unknown) => void;
}

/** Records a group of requests in one durable transaction; answers in their order. */
export type CommitGroup = (group: readonly AppendRequest[], signal: AbortSignal) => Promise<readonly AppendOutcome[]>;

/** Appends that share transactions. */
export interface GroupCommit {
  readonly add: (request: AppendRequest) => Promise<readonly Receipt[]>;
  /** Resolves when nothing waits any more; what is added after is refused. */
  readonly close: () => Promise<void>;
}

/**
 * While one transaction is being made durable, what arrives gathers for the next one: the slower the disk, the larger the groups.
 * Nobody waits longer than twice `LIMITS.ledgerAnswerMsMax`, once for a transaction before theirs and once for their own.
 * @param gather - resolves when what has arrived has been read; waited for before each transaction
 */
export function groupCommit(commit: CommitGroup, clock: Clock, gather: () => Promise<void> = nextTurn): GroupCommit {
  let waiting: Waiting[] = [];
  let running: Promise<void> | undefined;
  let closed = false;

  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      await gather();
      const group = nextGroup(waiting);
      waiting = waiting.slice(group.length);
      await commitOne(group, commit, clock);
      waiting = refuseLate(waiting, clock.monotonicMs());
    }
    running = undefined;
  };
  return {
    add: (request) => {
      if (closed) return Promise.reject(unavailable("the ledger was closed"));
      if (waiting.length >= LIMITS.ledgerWaitingMax) return Promise.reject(slow("too many appends wait for it"));
      return new Promise((resolve, reject) => {
        waiting.push({ request, sinceMs: clock.monotonicMs(), resolve, reject });
        running ??= run();
      });
    },
    close: async () => {
      closed = true;
      await running;
    },
  };
}

/**
 * One turn of the event loop. A store that is synchronous lets nothing arrive while it works: what came over sockets meanwhile
 * is read in this turn, and without it each transaction would hold one request.
 */
async function nextTurn(): Promise<void> {
  await setImmediate();
}

/** As many requests as one transaction takes; at least one. */
function nextGroup(waiting: readonly Waiting[]): readonly Waiting[] {
  let entries = 0;
  const end = waiting.findIndex(({ request }, index) => {
    entries += request.batch.length;
    return index > 0 && entries > LIMITS.ledgerCommitEntriesMax;
  });
  return end === -1 ? waiting : waiting.slice(0, end);
}

async function commitOne(group: readonly Waiting[], commit: CommitGroup, clock: Clock): Promise<void> {
  const gaveUp = new AbortController();
  const answered = new AbortController();
  try {
    const outcomes = await Promise.race([
      commit(
        group.map(({ request }) => request),
        gaveUp.signal,
      ),
      clock.sleep(LIMITS.ledgerAnswerMsMax, answered.signal).then(() => {
        const late = slow(`no answer in ${LIMITS.ledgerAnswerMsMax} ms`);
        gaveUp.abort(late);
        throw late;
      }),
    ]);
    for (const [index, { resolve, reject }] of group.entries()) {
      const outcome = outcomes[index];
      invariant(outcome !== undefined, "every request has an outcome");
      if (outcome.kind === "recorded") resolve(outcome.receipts);
      else reject(outcome.error);
    }
  } catch (error) {
    for (const { reject } of group) reject(error);
  } finally {
    answered.abort(new Error("answered"));
  }
}

function refuseLate(waiting: readonly Waiting[], nowMs: number): Waiting[] {
  return waiting.filter(({ sinceMs, reject }) => {
    const isLate = nowMs - sinceMs > LIMITS.ledgerAnswerMsMax;
    if (isLate) reject(slow("appends before this one took too long"));
    return !isLate;
  });
}

function slow(why: string): CanaryError {
  return new CanaryError({
    code: "LEDGER_SLOW",
    message: `the ledger is slow: ${why}`,
    hint: "Do not act on it. It may have been recorded all the same; a claim tells.",
  });
}

function unavailable(why: string): CanaryError {
  return new CanaryError({ code: "LEDGER_UNAVAILABLE", message: why, hint: "Nothing was recorded." });
}
