import { CanaryError } from "../../src/core/errors.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { Phase } from "../../src/report/run-event.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";
import type { Fault, Moment, ProofName } from "./simulated-faults.ts";
import { type SimulatedStore, simulatedStore } from "./simulated-store.ts";

/** What all parts of one simulated world share: its time, its faults, and what a run has done to it. */
export interface SimulatedStage {
  readonly seed: number;
  readonly clock: SimulatedClock;
  readonly store: SimulatedStore;
  readonly faults: readonly Fault[];
  /** Everything that runs: networks, containers and the traffic driver's process. */
  readonly things: Set<string>;
  /** Rules that the run broke, in sentences; must stay empty. */
  readonly broken: string[];
  /** Set once the engine does not answer any more. */
  engineGone: boolean;
  /** Which proof is going on. */
  proof: ProofName;
  /** Whether requests are under way. */
  flowing: boolean;
  /** Pairs of requests sent so far. */
  sent: number;
  fault<K extends Fault["kind"]>(kind: K): Extract<Fault, { kind: K }> | undefined;
  /** Lets something happen at a moment of this run. */
  when(moment: Moment, happen: () => void): void;
  /** The run says that it enters a phase. */
  entered(phase: Phase): void;
  /** The run calls a twin. */
  called(): void;
  /** A stream of chance of its own for each part, so that one part's draws do not move another's. */
  random(part: string): () => number;
}

/** An empty stage with its faults waiting. */
export function simulatedStage(seed: number, faults: readonly Fault[]): SimulatedStage {
  const clock = simulatedClock();
  const waiting = new Set<{ readonly moment: Moment; readonly happen: () => void }>();
  let calls = 0;
  const happenAt = (isNow: (moment: Moment) => boolean, afterMs: (moment: Moment) => number): void => {
    for (const one of waiting) {
      if (!isNow(one.moment) || !waiting.delete(one)) continue;
      const delayMs = afterMs(one.moment);
      if (delayMs === 0) one.happen();
      else clock.at(clock.monotonicMs() + delayMs, one.happen);
    }
  };
  const stage: SimulatedStage = {
    seed,
    clock,
    faults,
    store: simulatedStore(clock, faults),
    things: new Set(),
    broken: [],
    engineGone: false,
    proof: "quiet",
    flowing: false,
    sent: 0,
    fault: (kind) => faults.find((fault): fault is Extract<Fault, { kind: typeof kind }> => fault.kind === kind),
    when: (moment, happen) => {
      if (moment.kind === "instant") clock.at(moment.atMs, happen);
      else waiting.add({ moment, happen });
    },
    entered: (phase) =>
      happenAt(
        (moment) => moment.kind === "phase" && moment.phase === phase,
        (moment) => (moment.kind === "phase" ? moment.afterMs : 0),
      ),
    called: () => {
      calls++;
      happenAt(
        (moment) => moment.kind === "call" && moment.number === calls,
        () => 0,
      );
    },
    random: (part) => seededRandom([...part].reduce((hash, letter) => (hash * 31 + letter.charCodeAt(0)) | 0, seed)),
  };
  const loseEngine = (): void => {
    stage.engineGone = true;
  };
  for (const fault of faults) {
    if (fault.kind === "engine-dies") stage.when(fault.when, loseEngine);
  }
  const jumps = stage.fault("wall-clock-jumps");
  if (jumps !== undefined) keepJumping(clock, jumps);
  return stage;
}

/** What a real twin rejects with when its engine is gone. */
export function engineGone(): CanaryError {
  return new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: "the container engine does not answer any more (simulated)",
    hint: "Start it again.",
  });
}

function keepJumping(clock: SimulatedClock, jumps: Extract<Fault, { kind: "wall-clock-jumps" }>): void {
  clock.at(clock.monotonicMs() + jumps.everyMs, () => {
    clock.jump(jumps.byMs);
    keepJumping(clock, jumps);
  });
}
