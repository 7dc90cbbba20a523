/**
 * Every way a command can fail to produce an answer, with the process exit code.
 * The table is documented in docs/exit-codes.md; a test holds the two together.
 */
export const EXIT_CODE_BY_ERROR = {
  /** The command line does not make sense. */
  USAGE: 2,
  /** A plan, scenario, mirror or other document is unreadable, unknown or out of bounds. */
  PLAN_INVALID: 3,
  SCENARIO_INVALID: 3,
  MIRROR_INVALID: 3,
  RECORDING_INVALID: 3,
  PROFILE_INVALID: 3,
  TRUST_INVALID: 3,
  RUNBOOK_INVALID: 3,
  /** A policy's data or rules can not be read, or are looser than they may be. */
  POLICY_INVALID: 3,
  /** Policy refuses the plan before any container starts. */
  POLICY_REFUSED: 12,
  /** Somebody halted this host; nothing starts until it is lifted. */
  HOST_HALTED: 12,
  /** No engine, no image, no health, no room: the environment could not be raised or died. */
  MIRROR_UNAVAILABLE: 20,
  /** An action or fault could not be attempted because the harness itself failed. */
  REPLAY_FAILED: 20,
  ABORTED_BY_HUMAN: 21,
  DEADLINE_EXCEEDED: 22,
  SNAPSHOT_UNVERIFIED: 23,
  /** The load generator was itself the bottleneck: there is no measurement and no verdict. */
  DRIVER_BOTTLENECK: 24,
  SIGNATURE_INVALID: 30,
  KEY_UNUSABLE: 30,
  /** The ledger contradicts itself, a checkpoint or its signature. */
  LEDGER_TAMPERED: 30,
  /** A claim was made that another entry holds: whatever it stands for has happened already. */
  LEDGER_CLAIMED: 31,
  /** Something was recorded that the append was decided without. */
  LEDGER_MOVED_ON: 31,
  /** The gate does not take or admit it. */
  GATE_REFUSED: 31,
  /** The gate's configuration is unreadable, unknown or contradicts itself. */
  GATE_INVALID: 3,
  /** The gate gave no answer, or none that can be relied on; nothing was admitted. */
  GATE_UNAVAILABLE: 20,
  LEDGER_ENTRY_INVALID: 3,
  /** More was asked for than a ledger gives at once. */
  LEDGER_LIMIT: 3,
  /** The database does not answer, refuses us or went away; nothing is admitted without it. */
  LEDGER_UNAVAILABLE: 20,
  LEDGER_SLOW: 20,
  LEDGER_READ_ONLY: 20,
  LEDGER_FULL: 20,
  /** An entry is older than the newest one by more than clocks differ. */
  LEDGER_CLOCK_SET_BACK: 20,
} as const;

export type ErrorCode = keyof typeof EXIT_CODE_BY_ERROR;

/** Exit codes of answers (not of errors): what `canary run` and the checks end with. */
export const EXIT_CODE = { promote: 0, done: 0, hold: 10, reject: 11, refused: 31, findings: 40, bug: 70 } as const;

/** "There is no answer": a closed code, what happened, what to do about it. Never a verdict. */
export class CanaryError extends Error {
  override readonly name = "CanaryError";
  readonly code: ErrorCode;
  readonly hint: string;

  constructor(fields: { code: ErrorCode; message: string; hint: string; cause?: unknown }) {
    super(fields.message, fields.cause === undefined ? undefined : { cause: fields.cause });
    this.code = fields.code;
    this.hint = fields.hint;
  }

  get exitCode(): number {
    return EXIT_CODE_BY_ERROR[this.code];
  }
}

/** The message of anything thrown, for a sentence; never a stack. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
