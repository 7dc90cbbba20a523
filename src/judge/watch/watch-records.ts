import type { Reason } from "../verdict.ts";
import type { Safeguard } from "./safeguard-spec.ts";

/** What became of one trigger. */
export interface TriggerRecord {
  readonly name: string;
  readonly kind: "metric" | "probe" | "burn" | "actions";
  /** What it looks at, and when it trips, in words. */
  readonly rule: string;
  /** `not-reached`: the run ended before it could be looked at. */
  readonly state: "quiet" | "breached" | "not-reached";
  /** Looks that had an answer, and looks that had none. */
  readonly checks: number;
  readonly misses: number;
  /** The last thing it saw, in words; of a breach, what tripped it. */
  readonly seen?: string;
  /** When it was breached, ms on the run's axis. */
  readonly atMs?: number;
}

/** What became of one safeguard. */
export interface SafeguardRecord extends Pick<Safeguard, "name" | "role" | "severity" | "mode"> {
  readonly rule: string;
  readonly state: "held" | "broken" | "not-reached";
  readonly checks: number;
  readonly seen?: string;
  /** When it was broken, or of `converge` when it became true; ms on the run's axis. */
  readonly atMs?: number;
}

/** Everything that watched a plan. */
export interface WatchRecords {
  readonly triggers: readonly TriggerRecord[];
  readonly safeguards: readonly SafeguardRecord[];
  /** Why the plan was stopped, where one of them stopped it. */
  readonly stoppedBy?: string;
}

/** Breached triggers as the judge is told of them; one that was never evaluated is one, unless the plan ended before. */
export function breachedTriggers(
  { triggers, stoppedBy }: WatchRecords,
  stoppedElsewhere: boolean,
): readonly { readonly name: string; readonly message: string }[] {
  const stopped = stoppedBy !== undefined || stoppedElsewhere;
  return triggers
    .filter(({ state }) => state === "breached" || (state === "not-reached" && !stopped))
    .map(({ name, state, seen }) => ({
      name,
      message: (state === "breached" ? seen : undefined) ?? "it was never evaluated",
    }));
}

/**
 * Broken safeguards and objectives that were missed. One that was never reached is broken too, unless something else
 * stopped the plan before its time came: a check that was not made shows nothing.
 */
export function safeguardReasons(
  { safeguards, stoppedBy }: WatchRecords,
  stoppedElsewhere: boolean,
): readonly Reason[] {
  const stopped = stoppedBy !== undefined || stoppedElsewhere;
  return safeguards.flatMap((one): readonly Reason[] => {
    if (one.state === "held" || (one.state === "not-reached" && stopped)) return [];
    const seen = one.state === "not-reached" ? "it was never checked" : (one.seen ?? "it did not hold");
    return one.role === "objective"
      ? [
          {
            code: "OBJECTIVE_NOT_MET",
            subject: one.name,
            message: `Objective ${one.name} (${one.mode}) was not met: ${seen}.`,
          },
        ]
      : [
          {
            code: "SAFEGUARD_BROKEN",
            subject: one.name,
            message: `${one.severity === "catastrophic" ? "Catastrophic safeguard" : "Safeguard"} ${one.name} (${one.mode}) was broken: ${seen}.`,
          },
        ];
  });
}
