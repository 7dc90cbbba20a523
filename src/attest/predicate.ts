import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import { REASON_CODES } from "../judge/verdict.ts";

/** What our verdicts are called in the world; the major version is in the address. */
export const PREDICATE_TYPE = "https://canary-harness.dev/attestation/canary-verdict/v1";

const Text = z.string().max(LIMITS.textCharsMax);
const Name = z.string().min(1).max(500);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const Instant = z.iso.datetime();
const Count = z.number().int().min(0);
const Tier = z.literal([0, 1, 2, 3, 4]);
/** A bound that may be infinite: JSON has no infinity, so it is null. */
const Bound = z.number().nullable();

/** Paths of resources; `total` counts those that are not listed as well. */
const Paths = z.strictObject({ total: Count, paths: z.array(Text).max(LIMITS.differencesListedMax) });

const Slo = z.strictObject({
  name: Name,
  accepted: z.strictObject({ scale: z.enum(["ratio", "absolute"]), lo: Bound, hi: Bound }),
  /** Best guess of the delta; null without data. */
  estimate: z.number().nullable(),
  interval: z.strictObject({ level: z.number(), lo: Bound, hi: Bound }),
  state: z.enum(["pass", "fail", "open", "no-data"]),
  blocks: z.strictObject({
    before: Count,
    after: Count,
    invalid: Count,
    blockMs: z.number().min(0),
    effective: z.number().min(0),
  }),
  noise: z.strictObject({ blockSd: Bound, varianceInflation: Bound, biasRemoved: Bound, minimalDetectable: Bound }),
});

/** What this run could tell of an SLO with a chance of 80%; null where nobody knows or no time would do. */
const Power = z.strictObject({
  name: Name,
  from: z.enum(["rate", "profile", "baseline"]),
  /** Distance from what a conforming plan is expected to do to the nearest limit, and the smallest that is told apart. */
  margin: Bound,
  smallest: Bound,
  baselineSeconds: Bound,
  observeSeconds: Bound,
  possible: z.boolean(),
  /** What limits it, or which time, margin or rate would make it possible. */
  advice: Text,
});

/** Which way back was proven, and what a restore of the snapshot took back of others, or would have. */
const By = z.enum(["undo", "steps", "restore"]).optional();
const Lost = z.strictObject({ rows: Count, keys: Count }).optional();

const Rollback = z.strictObject({
  /** Absent in runs without a snapshot, and in documents from before there were any. */
  snapshot: z
    .strictObject({ verified: z.literal(true), tookMs: z.number().min(0), services: z.array(Name).max(100) })
    .optional(),
  quiet: z.strictObject({ restored: z.boolean(), residue: Paths, by: By }),
  underLoad: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("not-run"), why: Text }),
    z.strictObject({
      kind: z.literal("run"),
      restored: z.boolean(),
      residue: Paths,
      undoMs: z.number().min(0),
      /** Of a switchback, which undoes the plan once a round: each undo, in order. */
      roundsUndoMs: z.array(z.number().min(0)).max(200).optional(),
      by: By,
      lost: Lost,
      wouldLose: Lost,
      /** From the first undo until the SLOs were seen inside again. */
      recoveryMs: z.number().min(0).optional(),
      withinMs: z.number().min(0),
      notRecovered: z.array(Name).max(LIMITS.slosMax),
    }),
  ]),
});

/** Latency: medians in ms and a ratio (0.5 is +50%); errors and stalls: requests and a share of them. */
const Alarm = z.strictObject({
  kind: z.enum(["latency", "errors", "stalls"]),
  level: z.enum(["gross", "outage"]),
  scope: Name,
  afterSeconds: z.number(),
  control: z.number(),
  shadow: z.number(),
  requests: Count,
  excess: z.number(),
  bar: z.number(),
  slo: Name.optional(),
});

const Spent = z.strictObject({
  slo: Name.optional(),
  route: Name.optional(),
  kind: z.enum(["errors", "stalls"]),
  spent: z.number().int(),
  allowed: Count,
  by: z.enum(["scenario", "plan", "default"]),
  stallMs: z.number().positive(),
  usualMs: z.number().positive().optional(),
});

const Agent = z.strictObject({
  id: Name,
  version: Name,
  model: z.strictObject({ provider: Name, name: Name, version: Name }),
  promptSha256: Sha256.optional(),
  inputs: z.array(z.strictObject({ name: Name, sha256: Sha256 })).max(100),
});

const Mirror = z.strictObject({
  name: Name,
  sha256: Sha256,
  /** What the mirror does not show. */
  fidelity: z.array(Text).max(200),
  isolation: z.enum(["strict", "standard"]),
  cores: z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("pinned"), control: Name, shadow: Name }),
    z.strictObject({ kind: z.literal("shared") }),
  ]),
  /** Image id per service. */
  images: z.record(Name, Name),
  /** Settings that both twins' servers were started with beside the mirror's own; absent where there were none. */
  addedSettings: z.record(Name, z.array(Name).max(20)).optional(),
});

/** A harm of known size that was planted before the signing, and whether this setting saw it. */
const Planted = z.strictObject({
  what: Text,
  planted: Text,
  margin: Text,
  /** How far beyond the limit it was to reach, as `estimate`; absent for state, and in documents from before it existed. */
  excess: z.number().optional(),
  caught: z.boolean(),
  seconds: z.number().min(0),
});

const Table = z.strictObject({
  table: Text,
  rows: Count,
  inserted: Count,
  updated: Count,
  deleted: Count,
  truncated: Count,
});

/** By the database's own log: what each action's transactions wrote, and what everybody else's did. */
const Writes = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("unavailable"), why: Text }),
  z.strictObject({
    kind: z.literal("told"),
    actions: z
      .array(
        z.strictObject({
          actionId: Name,
          phase: z.enum(["act", "undo"]),
          times: Count,
          role: Text,
          rows: Count,
          tables: z.array(Table).max(LIMITS.differencesListedMax),
          /** Rows neither declared nor written by the action on the quiet twin. */
          outside: Paths,
        }),
      )
      .max(2 * LIMITS.planActionsMax),
    application: z.strictObject({ rows: Count, tables: z.array(Table).max(LIMITS.differencesListedMax) }),
    doubts: z.array(Text).max(LIMITS.differencesListedMax),
  }),
]);

const Design = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("before-after") }),
  z.strictObject({ kind: z.literal("switchback"), rounds: Count }),
]);

/** The predicate of a canary verdict (v1): what was rehearsed, where, what was seen, and how long it may be relied on. */
export const PredicateSchema = z.strictObject({
  verdict: z.enum(["promote", "hold", "reject"]),
  reasons: z
    .array(z.strictObject({ code: z.enum(REASON_CODES), message: Text, subject: Text.optional() }))
    .min(1)
    .max(1000),
  planDigest: z.strictObject({ sha256: Sha256 }),
  agent: Agent,
  trustTier: z.strictObject({ declared: Tier, classified: Tier, effective: Tier }),
  environment: z.strictObject({ id: Name, class: Name }),
  mirror: Mirror,
  /** The policy that admitted the plan; `sha256` is what `sha256sum *` prints for its files, hashed. Absent in documents from before it was data. */
  policy: z.strictObject({ name: Name, engine: z.enum(["cedar", "opa"]), sha256: Sha256 }).optional(),
  /** Calibration that the intervals rest on; absent where none was used. */
  profile: z
    .strictObject({ name: Name, sha256: Sha256, createdAt: Instant, rounds: z.number().int().min(1) })
    .optional(),
  slos: z.array(Slo).max(LIMITS.slosMax),
  /** What the run could be expected to show, as it was said last before the plan acted; absent in older documents. */
  power: z.array(Power).max(LIMITS.slosMax).optional(),
  /** Gross harm that stopped the plan; absent in runs that it did not, and in documents from before it existed. */
  alarm: Alarm.optional(),
  /** What the seconds from the first act to the end of settling spent of their budgets. */
  during: z
    .array(Spent)
    .max(2 * LIMITS.slosMax + 2)
    .optional(),
  /** How the plan was applied; `rounds` counts those that were complete. Absent in documents from before it existed. */
  design: Design.optional(),
  /** Longest stretch, settling included, for which the plan stayed applied; absent where it never was under load. */
  longestInForceSeconds: z.number().min(0).optional(),
  effects: z.strictObject({ declared: Paths, undeclared: Paths, absent: Paths }),
  /** Who wrote which rows under load; absent where no SQL acted, and in documents from before it existed. */
  writes: Writes.optional(),
  rollback: Rollback,
  /** Absent in runs that planted nothing, and in documents from before it existed. */
  sensitivity: z
    .array(Planted)
    .max(LIMITS.slosMax + 100)
    .optional(),
  /** SLOs for which no harm could be planted, and why; absent where nothing was planted, and in older documents. */
  notPlanted: z
    .array(z.strictObject({ what: Text, why: Text }))
    .max(LIMITS.slosMax)
    .optional(),
  seed: z.number().int().min(0),
  traffic: z.strictObject({ ratePerSecond: z.number().positive(), arrivals: Name, sent: Count }),
  recordingSha256: Sha256,
  /** Of report.json without its `bundleSha256`; absent in documents from before it existed. */
  reportSha256: Sha256.optional(),
  scenarioSha256: Sha256,
  runId: Name,
  startedAt: Instant,
  finishedAt: Instant,
  notBefore: Instant,
  expiresAt: Instant,
  harness: z.strictObject({ name: z.literal("canary-harness"), version: Name }),
});
export type Predicate = z.infer<typeof PredicateSchema>;
