/** What happened to a run or at the gate, for whoever is to be told. */
export interface Notice {
  readonly type:
    | "canary.trigger.breached"
    | "canary.rollback.started"
    | "canary.rollback.finished"
    | "canary.verdict.published"
    | "canary.run.aborted"
    | "canary.host.halted"
    | "canary.escalation.queued"
    | "canary.gate.admitted"
    | "canary.gate.refused"
    | "canary.gate.exempt"
    | "canary.gate.kill-switch";
  /** Unique; the same for every attempt to deliver it, so that a receiver can tell repetitions. */
  readonly id: string;
  readonly atEpochMs: number;
  /** JSON-shaped, secrets masked, well under 20 kB. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** Tells somebody outside. Never throws, never waits: a run does not depend on who listens. */
export interface Notifier {
  notify(notice: Notice): void;
  /** Resolves when everything was delivered or given up; bounded in time. */
  flush(): Promise<void>;
}
