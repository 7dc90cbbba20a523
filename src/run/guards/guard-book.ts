import type { Safeguard } from "../../judge/watch/safeguard-spec.ts";
import { safeguardRule, triggerRule } from "../../judge/watch/trigger-rules.ts";
import { TIMEOUT_BREAKER, type Trigger } from "../../judge/watch/trigger-spec.ts";
import type { SafeguardRecord, TriggerRecord, WatchRecords } from "../../judge/watch/watch-records.ts";
import type { RunLog } from "../run-log.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

/** What every guard has seen so far, and what stopped the plan. */
export interface GuardBook {
  /** Aborts when a trigger or a catastrophic safeguard stops the plan, or with the error that keeps them from looking. */
  readonly stop: AbortController;
  readonly stoppedBy: () => string | undefined;
  /** A look that had an answer, or had none. */
  readonly looked: (name: string, look: { readonly seen: string; readonly answered: boolean }) => void;
  /** A trigger is breached: said at once, and the plan is stopped. Only the first time counts. */
  readonly breach: (name: string, message: string) => void;
  /** A safeguard does not hold. Only the first time counts. */
  readonly broken: (safeguard: Safeguard, message: string) => void;
  /** A safeguard that had to become true is. */
  readonly converged: (name: string, message: string) => void;
  readonly isSettled: (name: string) => boolean;
  readonly records: () => WatchRecords;
}

/** An empty book. `axisMs`: present time on the run's axis. */
export function openGuardBook(options: {
  readonly triggers: readonly Trigger[];
  readonly safeguards: readonly Safeguard[];
  readonly log: Pick<RunLog, "breach">;
  readonly axisMs: () => number;
}): GuardBook {
  const { log, axisMs } = options;
  const stop = new AbortController();
  const triggers = new Map(options.triggers.map((trigger) => [trigger.name, newTrigger(trigger)]));
  triggers.set(TIMEOUT_BREAKER, { ...BREAKER });
  const safeguards = new Map(options.safeguards.map((safeguard) => [safeguard.name, newSafeguard(safeguard)]));
  let stoppedBy: string | undefined;
  const halt = (name: string, message: string): void => {
    stoppedBy ??= name;
    log.breach(name, message);
    stop.abort(new Error(`${name} stopped the plan`));
  };
  return {
    stop,
    stoppedBy: () => stoppedBy,
    looked: (name, { seen, answered }) => {
      const record = triggers.get(name) ?? safeguards.get(name);
      if (record === undefined || record.state === "breached" || record.state === "broken") return;
      record.seen = seen;
      if (answered || !("misses" in record)) record.checks++;
      else record.misses++;
      if (record.state === "not-reached" && answered && "misses" in record) record.state = "quiet";
    },
    breach: (name, message) => {
      const record = triggers.get(name);
      if (record === undefined || record.state === "breached") return;
      Object.assign(record, { state: "breached", seen: message, atMs: Math.round(axisMs()) });
      halt(name, message);
    },
    broken: (safeguard, message) => {
      const record = safeguards.get(safeguard.name);
      if (record === undefined || record.state === "broken") return;
      Object.assign(record, { state: "broken", seen: message, atMs: Math.round(axisMs()) });
      if (safeguard.severity === "catastrophic") halt(safeguard.name, message);
      else log.breach(safeguard.name, message);
    },
    converged: (name, message) => {
      const record = safeguards.get(name);
      if (record?.state !== "not-reached") return;
      Object.assign(record, {
        state: "held",
        seen: message,
        ...(record.mode === "converge" ? { atMs: Math.round(axisMs()) } : {}),
      });
    },
    isSettled: (name) => safeguards.get(name)?.state !== "not-reached",
    records: () => ({
      triggers: [...triggers.values()].map((record) => ({ ...record })),
      safeguards: [...safeguards.values()].map((record) => ({ ...record })),
      ...(stoppedBy === undefined ? {} : { stoppedBy }),
    }),
  };
}

const BREAKER: TriggerRecord = {
  name: TIMEOUT_BREAKER,
  kind: "actions",
  rule: "an action longer than its own time box",
  state: "quiet",
  checks: 0,
  misses: 0,
};

function newTrigger(trigger: Trigger): Writable<TriggerRecord> {
  const kind = "metric" in trigger ? "metric" : "probe" in trigger ? "probe" : "burn" in trigger ? "burn" : "actions";
  const state = kind === "actions" ? "quiet" : "not-reached";
  return { name: trigger.name, kind, rule: triggerRule(trigger), state, checks: 0, misses: 0 };
}

function newSafeguard(safeguard: Safeguard): Writable<SafeguardRecord> {
  const { name, role, severity, mode } = safeguard;
  return { name, role, severity, mode, rule: safeguardRule(safeguard), state: "not-reached", checks: 0 };
}
