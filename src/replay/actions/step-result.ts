import type { MintToken } from "../../core/action-token.ts";
import type { Clock } from "../../core/clock.ts";
import type { MetricsSpec } from "../../mirror/mirror-spec.ts";
import type { DatabaseActor } from "../../mirror/write-log.ts";

/** What became of one step at a twin. Not landing is an answer; only the harness's own trouble is an error. */
export interface StepResult {
  readonly landed: boolean;
  /** What it answered or printed: secrets masked, at most LIMITS.outputBytesMax. */
  readonly output: string;
  readonly durationMs: number;
  /** One sentence for people: what landed, or why it did not. */
  readonly message: string;
  /** It did not land because its time box ended. */
  readonly timedOut?: true;
}

/** What one kind of step reports; `executeStep` adds the time and masks the output. */
export type StepOutcome = Pick<StepResult, "landed" | "output" | "message" | "timedOut">;

/** Everything a step needs beside the twin. */
export interface StepContext {
  readonly clock: Clock;
  /** Ends the step at once; the caller's reason is rethrown. */
  readonly signal: AbortSignal;
  /** Time box of the whole step with its landed-check. */
  readonly timeoutMs: number;
  /** Absolute folder that `proto` files are resolved against; nothing outside it is read. */
  readonly baseDir: string;
  /** Metrics endpoints of the mirror, for `query-metrics`; absent: it has none. */
  readonly metrics?: readonly MetricsSpec[];
  /** Who acts: told to whoever is asked, see `actionIdentity`. */
  readonly actionId: string;
  /** Run that it acts in; default `rehearsal`, for steps outside one. */
  readonly runId?: string;
  /** Default `act`. */
  readonly phase?: "act" | "undo";
  /** Told when what the step does is on its way, where no call of the twin shows it: a drill stops it there. */
  readonly onSent?: () => void;
  /** Scopes of the action, as its plan wrote them. */
  readonly requires?: readonly string[];
  /** Mints a token for each of its requests; absent: they carry none. */
  readonly mint?: MintToken;
  /** What it needs at a database (`databaseRights`); default `owner`. */
  readonly rights?: DatabaseActor["rights"];
}

/** A step that did not land, with why. */
export function notLanded(message: string, output = ""): StepOutcome {
  return { landed: false, output, message };
}
