import { CanaryError } from "./errors.ts";

/** Who or what stopped a run, how, and why. */
export interface AbortCause {
  readonly how: "signal" | "key" | "http" | "halt" | "deadline" | "other";
  /** The signal, the user, the address: whatever says who it was. */
  readonly detail: string;
  /** What the person gave as a reason. */
  readonly reason?: string;
}

const WORDS: Readonly<Record<AbortCause["how"], string>> = {
  signal: "aborted by",
  key: "aborted at the live view by",
  http: "aborted over HTTP by",
  halt: "halted with all runs of this host by",
  deadline: "stopped at",
  other: "stopped by",
};

/** The reason of a signal that a person aborts. @see abortCauseOf */
export function abortedByHuman(cause: AbortCause): CanaryError {
  const why = cause.reason === undefined ? "" : `: ${cause.reason}`;
  return new CanaryError({
    code: "ABORTED_BY_HUMAN",
    message: `${WORDS[cause.how]} ${cause.detail}${why}`,
    hint: "No verdict was published. Start the run again for one; abort.json in the run's folder says how it was undone.",
    cause,
  });
}

/** Who stopped a run, from the reason of its signal; undefined where that was no stop but an error. */
export function abortCauseOf(reason: unknown): AbortCause | undefined {
  if (!(reason instanceof CanaryError)) return undefined;
  if (reason.code === "DEADLINE_EXCEEDED") return { how: "deadline", detail: reason.message };
  if (reason.code !== "ABORTED_BY_HUMAN") return undefined;
  return isCause(reason.cause) ? reason.cause : { how: "other", detail: reason.message };
}

function isCause(cause: unknown): cause is AbortCause {
  return typeof cause === "object" && cause !== null && "how" in cause && "detail" in cause;
}
