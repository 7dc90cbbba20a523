import type { TwinPair } from "../mirror/twin.ts";
import type { DriverPulse } from "../replay/recording.ts";

/** Notices that both twins are gone, without asking anything of them while they answer. */
export interface TwinWatch {
  /** Aborts with what a twin said when it was asked. */
  readonly lost: AbortSignal;
  readonly onPulse: (pulse: DriverPulse) => void;
}

/** A plan can break one twin, never both: when both fail nearly everything, it is the environment. */
const FAILING_SHARE = 0.9;
/** Pulses between two questions, if the engine answers although the requests fail. */
const PULSES_BETWEEN = 20;

/**
 * Watches the traffic of both twins. When nearly every request fails on both, the engine is asked, once; if it does not
 * answer either, nobody has to wait for the end of an observation that cannot see anything.
 */
export function watchTwins(pair: TwinPair, signal: AbortSignal): TwinWatch {
  const lost = new AbortController();
  let pulsesSince = PULSES_BETWEEN;
  return {
    lost: lost.signal,
    onPulse: ({ arms }) => {
      pulsesSince++;
      const failing = Math.min(arms.control.errorRatio, arms.shadow.errorRatio) >= FAILING_SHARE;
      if (!failing || pulsesSince < PULSES_BETWEEN) return;
      pulsesSince = 0;
      pair.control.configuration(signal).catch((error: unknown) => {
        if (!signal.aborted) lost.abort(error);
      });
    },
  };
}
