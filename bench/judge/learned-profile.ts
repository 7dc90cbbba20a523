import type { ResolvedSlo } from "../../src/judge/accepted.ts";
import type { CalibrationProfile } from "../../src/judge/calibration.ts";
import { measureWindow, type SloWindow } from "../../src/judge/calibration-windows.ts";
import { learnCalibration } from "../../src/judge/learn-calibration.ts";
import type { Profile } from "../../src/judge/profile.ts";
import { calibrationOf } from "../../src/judge/use-profile.ts";
import { type BlockStore, createBlockStore } from "../../src/measure/block-store.ts";
import { startStream } from "./simulator/stream.ts";
import { NO_EFFECT, type World } from "./simulator/world.ts";

// What `canary calibrate` would learn of a world, with its default rounds and by its own code: a profile that the tables
// made up would be a better one than any user has.

/** As many raises, and as long a window after each raise and after each restart, as `canary calibrate` has by default. */
const ROUNDS = 8;
const WINDOW_SECONDS = 120;
const AFTER_RESTART_SECONDS = WINDOW_SECONDS / 2;
const ROUND = [
  { when: "raised", window: { fromMs: 0, toMs: 1000 * WINDOW_SECONDS } },
  {
    when: "restarted",
    window: { fromMs: 1000 * WINDOW_SECONDS, toMs: 1000 * (WINDOW_SECONDS + AFTER_RESTART_SECONDS) },
  },
] as const;
/** Runs use these in turn: each profile is a draw itself, and one lucky one would judge all. */
const PROFILES = 25;
/** Far from the seeds of runs. */
const FIRST_SEED = 400_000_000;

/** The profile that run number `run` has of this world; made when first asked for. */
export function learnedProfile(world: World, slos: readonly ResolvedSlo[], run: number): CalibrationProfile {
  const turn = run % PROFILES;
  const names = slos.map(({ slo }) => slo.name).join(" ");
  const key = `${world.name} ${names} ${turn}`;
  const known = LEARNED.get(key) ?? learn(slos, roundStores(world, turn));
  LEARNED.set(key, known);
  return known;
}

const LEARNED = new Map<string, CalibrationProfile>();

/** The rounds of the profile asked for last: other SLOs of the same run ask for the same ones. */
let lastRounds: { readonly key: string; readonly stores: readonly BlockStore[] } | undefined;

function roundStores(world: World, turn: number): readonly BlockStore[] {
  const key = `${world.name} ${turn}`;
  if (lastRounds?.key === key) return lastRounds.stores;
  const stores = Array.from({ length: ROUNDS }, (_, round) => {
    const seed = FIRST_SEED + turn * ROUNDS + round;
    const store = createBlockStore({ routes: ["all"] });
    const stream = startStream({ world, seed, truth: NO_EFFECT, actsAtSeconds: WINDOW_SECONDS });
    for (let second = 0; second < WINDOW_SECONDS + AFTER_RESTART_SECONDS; second++) {
      const { batch, metrics } = stream.next();
      store.addPairs(batch);
      for (const sample of metrics) store.addMetric(sample);
    }
    return store;
  });
  lastRounds = { key, stores };
  return stores;
}

function learn(slos: readonly ResolvedSlo[], stores: readonly BlockStore[]): CalibrationProfile {
  const learned = slos.map((resolved) =>
    learnCalibration(
      resolved,
      stores.flatMap((store, round): readonly SloWindow[] =>
        ROUND.flatMap(({ when, window }) => measureWindow(store, resolved, { round, when, window }) ?? []),
      ),
    ),
  );
  return calibrationOf(documentOf(learned), { slos, replaced: ["app"] });
}

/** The document around what was learned; nothing of it but `slos` and `restarted` bears on a verdict. */
function documentOf(slos: Profile["slos"]): Profile {
  const nothing = "0".repeat(64);
  return {
    schema: "canary.profile/v1",
    createdAt: "2026-11-23T00:00:00Z",
    harness: { name: "canary-harness", version: "0" },
    mirror: { name: "simulated", sha256: nothing },
    scenario: { name: "simulated", sha256: nothing },
    machine: { cpuModel: "simulated", cores: 2, memoryClassGib: 1, engine: "simulated", twinCores: "shared" },
    isolation: "standard",
    traffic: { sha256: nothing, ratePerSecond: 1 },
    rounds: ROUNDS,
    secondsPerRound: WINDOW_SECONDS,
    restarted: ["app"],
    seed: FIRST_SEED,
    slos: [...slos],
  };
}
