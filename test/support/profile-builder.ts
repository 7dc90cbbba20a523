import type { LearnedSlo, Profile } from "../../src/judge/profile.ts";
import { measureSha256 } from "../../src/judge/use-profile.ts";
import { deltaUnit, type Slo } from "../../src/measure/slo.ts";

/** A profile as `canary calibrate` would leave it for these SLOs, in a quiet world; equal options, equal profile. */
export function profileFor(
  slos: readonly Slo[],
  options: {
    readonly createdEpochMs: number;
    readonly changes?: Partial<Profile>;
    readonly learned?: Partial<LearnedSlo>;
  },
): Profile {
  return {
    schema: "canary.profile/v1",
    createdAt: new Date(options.createdEpochMs).toISOString(),
    harness: { name: "canary-harness", version: "0.1.0" },
    mirror: { name: "shop", sha256: "5".repeat(64) },
    scenario: { name: "simulated", sha256: "6".repeat(64) },
    machine: { cpuModel: "Simulated CPU", cores: 2, memoryClassGib: 8, engine: "simulated", twinCores: "0 and 1" },
    isolation: "strict",
    traffic: { sha256: "7".repeat(64), ratePerSecond: 60 },
    rounds: 8,
    secondsPerRound: 120,
    restarted: ["api", "worker"],
    seed: 7,
    slos: slos.map((slo) => ({ ...learnedOf(slo), ...options.learned })),
    ...options.changes,
  };
}

/** Noise as loud as that of simulated runs: they contradict a profile that saw less. */
export const SIMULATED_NOISE: Pick<LearnedSlo, "blocks"> = {
  blocks: [1000, 2000, 5000, 10_000].map((blockMs) => ({
    blockMs,
    sd: 0.08 / Math.sqrt(blockMs / 1000),
    varianceInflation: 1,
    count: 480_000 / blockMs,
  })),
};

function learnedOf(slo: Slo): LearnedSlo {
  const absolute = slo.limit.scale === "absolute";
  const unit = absolute ? 0.1 : 1;
  return {
    kind: "learned",
    name: slo.name,
    measureSha256: measureSha256(slo),
    scale: absolute ? "absolute" : "log",
    unit: deltaUnit(slo.measure),
    tau: 0.01 * unit,
    restartSd: 0.012 * unit,
    drift: { shown: false, sd: 0.01 * unit, seconds: 20 },
    blocks: [1000, 2000, 5000, 10_000].map((blockMs) => ({
      blockMs,
      sd: (0.04 * unit) / Math.sqrt(blockMs / 1000),
      varianceInflation: 1,
      count: 480_000 / blockMs,
    })),
    blockMsSuggested: 2000,
    ratePerSecond: 60,
    controlLevel: absolute ? 0.002 : 12,
    windows: { raised: 8, restarted: 8 },
  };
}
