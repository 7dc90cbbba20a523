import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { sha256Hex } from "../core/sha256.ts";

// What `canary calibrate` learns and later runs use: `canary.profile/v1`. It is signed (src/attest/profile-statement.ts),
// because it can make a verdict easier to reach.

const Name = z.string().min(1).max(500);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Count = z.number().int().min(0);
/** A standard deviation on an effect scale: a log ratio, a rate, or a metric's own unit. */
const Sd = z.number().min(0).max(1e15);
const Seconds = z.number().positive().max(86_400);

const MachineSchema = z.strictObject({
  cpuModel: Name,
  cores: z.number().int().min(1).max(10_000),
  /** Memory of the machine rounded to a power of two, GiB. */
  memoryClassGib: z
    .number()
    .positive()
    .max(2 ** 30),
  /** Name and version of the container engine. */
  engine: Name,
  /** Cores of control and shadow, or `shared`. */
  twinCores: Name,
});

/** What of a machine bears on noise and bias; nothing that names it. */
export type Machine = z.infer<typeof MachineSchema>;

const LearnedSchema = z.strictObject({
  kind: z.literal("learned"),
  name: Name,
  /** Digest of the measure: a profile of a p90 says nothing of a p99 that goes by the same name. */
  measureSha256: Sha256,
  scale: z.enum(["log", "absolute"]),
  /** How a delta of it is written. */
  unit: z.enum(["pp", ""]),
  /** Sd of the bias over raises: upper 90% limit. */
  tau: Sd.positive(),
  /** Sd of the bias after a restart of the shadow's services: upper 90% limit. Absent when nothing was restarted. */
  restartSd: Sd.positive().exactOptional(),
  drift: z.strictObject({
    /** Whether the halves of the windows differed beyond chance; only then runs are widened. */
    shown: z.boolean(),
    /** Upper 90% limit of the sd of the drift between middles that lie so many seconds apart. */
    sd: Sd,
    seconds: Seconds,
  }),
  /** Noise per block length, ascending. */
  blocks: z
    .array(
      z.strictObject({
        blockMs: z.number().int().min(1000).max(60_000),
        /** Of one block's value. */
        sd: Sd,
        varianceInflation: z.number().min(1).max(1e6),
        /** Blocks it was learned from. */
        count: Count,
      }),
    )
    .min(1)
    .max(20),
  /** The shortest length whose blocks do not lean on each other, ms. */
  blockMsSuggested: z.number().int().min(1000).max(60_000),
  /** Observations a second of what is measured, and the control's level in its natural unit. */
  ratePerSecond: z.number().min(0).max(1e9),
  controlLevel: z.number(),
  /** Windows it was learned from. */
  windows: z.strictObject({ raised: Count, restarted: Count }),
});

const NotLearnedSchema = z.strictObject({ kind: z.literal("not-learned"), name: Name, why: Name });

/** Schema of the document; strict, every number finite and bounded. */
export const ProfileSchema = z.strictObject({
  schema: z.literal("canary.profile/v1"),
  createdAt: z.iso.datetime(),
  harness: z.strictObject({ name: z.literal("canary-harness"), version: Name }),
  mirror: z.strictObject({ name: Name, sha256: Sha256 }),
  scenario: z.strictObject({ name: Name, sha256: Sha256 }),
  machine: MachineSchema,
  isolation: z.enum(["strict", "standard"]),
  traffic: z.strictObject({ sha256: Sha256, ratePerSecond: z.number().positive() }),
  /** Raises of both twins, and how long the longer window of each was. */
  rounds: z.number().int().min(1).max(1000),
  secondsPerRound: Seconds,
  /** Services of the shadow that were restarted in each round; a plan that updates others is not calibrated. */
  restarted: z.array(Name).max(LIMITS.mirrorServicesMax),
  seed: Count,
  slos: z.array(z.discriminatedUnion("kind", [LearnedSchema, NotLearnedSchema])).max(LIMITS.slosMax),
});

/** A calibration profile whose text was parsed. */
export type Profile = z.infer<typeof ProfileSchema>;
/** What a profile knows of one SLO. */
export type LearnedSlo = z.infer<typeof LearnedSchema>;

/** Digest of a machine as far as a profile depends on it; 64 hex digits. */
export function machineFingerprint(machine: Machine): string {
  const { cpuModel, cores, memoryClassGib, engine, twinCores } = machine;
  return sha256Hex(JSON.stringify([cpuModel, cores, memoryClassGib, engine, twinCores]));
}

/** Where a profile is kept among others: `<mirror>-<digest>-<machine>-<isolation>-<traffic>.json`. */
export function profileFileName({ mirror, machine, isolation, traffic }: ProfileSubject): string {
  const name = mirror.name.replaceAll(/[^A-Za-z0-9._]/g, "_").slice(0, 60);
  const parts = [name, mirror.sha256.slice(0, 12), machineFingerprint(machine).slice(0, 12), isolation];
  return `${[...parts, traffic.sha256.slice(0, 8)].join("-")}.json`;
}

/** What a profile is about: it fits a run only when all of it is the same. */
export type ProfileSubject = Pick<Profile, "mirror" | "machine" | "isolation" | "traffic">;

/** When a profile may be used at all. */
export const PROFILE_RULES = {
  ageMsMax: 30 * 86_400_000,
  /** Clocks of two machines differ. */
  futureMsMax: 60_000,
  /** Fewer raises bound nothing: the upper limit of a variance from two of them is 63 times its estimate. */
  roundsMin: 4,
} as const;

/** Why a profile is not about this run; each difference named with both sides. Empty: it fits. */
export function profileMisfits(profile: Profile, run: ProfileSubject, nowEpochMs: number): readonly string[] {
  const { mirror, machine, isolation, traffic } = profile;
  const differs = (what: string, was: string | number, is: string | number): readonly string[] =>
    was === is ? [] : [`${what} was ${was} and is ${is}`];
  return [
    ...differs("the mirror's digest", mirror.sha256.slice(0, 12), run.mirror.sha256.slice(0, 12)),
    ...differs("the processor", machine.cpuModel, run.machine.cpuModel),
    ...differs("the number of cores", machine.cores, run.machine.cores),
    ...differs("memory (GiB, rounded)", machine.memoryClassGib, run.machine.memoryClassGib),
    ...differs("the container engine", machine.engine, run.machine.engine),
    ...differs("cores of the twins", machine.twinCores, run.machine.twinCores),
    ...differs("network isolation", isolation, run.isolation),
    ...differs("the traffic's rate", traffic.ratePerSecond, run.traffic.ratePerSecond),
    ...differs("the traffic's digest", traffic.sha256.slice(0, 12), run.traffic.sha256.slice(0, 12)),
    ...(profile.rounds < PROFILE_RULES.roundsMin
      ? [`it was learned from ${profile.rounds} rounds, ${PROFILE_RULES.roundsMin} are needed`]
      : []),
    ...ageMisfit(Date.parse(profile.createdAt), nowEpochMs),
  ];
}

/** Written so that an instant that is none refuses. */
function ageMisfit(createdEpochMs: number, nowEpochMs: number): readonly string[] {
  const ageMs = nowEpochMs - createdEpochMs;
  if (ageMs <= PROFILE_RULES.ageMsMax && ageMs >= -PROFILE_RULES.futureMsMax) return [];
  if (ageMs < 0) return ["it was made in the future"];
  return [`it is ${Math.floor(ageMs / 86_400_000)} days old, ${PROFILE_RULES.ageMsMax / 86_400_000} are allowed`];
}
