import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import { REASON_CODES } from "../judge/verdict.ts";

const DifferenceSchema = z.strictObject({
  path: z.string(),
  kind: z.enum(["added", "removed", "changed"]),
  before: z.string().exactOptional(),
  after: z.string().exactOptional(),
});
const FailureSchema = z.strictObject({ actionId: z.string(), message: z.string() });
const WindowSchema = z.strictObject({ fromMs: z.number(), toMs: z.number() });
const RoundSchema = z.strictObject({
  before: WindowSchema,
  acting: WindowSchema,
  settling: WindowSchema,
  on: WindowSchema,
  undoing: WindowSchema,
  after: WindowSchema,
});
const TierSchema = z.literal([0, 1, 2, 3, 4]);

const QuietSchema = z.strictObject({
  actions: z.array(
    z.strictObject({
      id: z.string(),
      effects: z.array(DifferenceSchema),
      undeclared: z.array(DifferenceSchema),
      absent: z.array(z.string()),
      noOp: z.boolean(),
    }),
  ),
  residue: z.array(DifferenceSchema),
  failed: FailureSchema.extend({ during: z.enum(["act", "undo"]) }).exactOptional(),
});

const RollbackSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("not-run"), why: z.string() }),
  z.strictObject({
    kind: z.literal("run"),
    undoMs: z.number(),
    roundsUndoMs: z.array(z.number()).exactOptional(),
    withinMs: z.number(),
    residue: z.array(DifferenceSchema),
    failed: FailureSchema.exactOptional(),
    notRecovered: z.array(z.string()),
  }),
]);

/** What was planted; only in runs that were asked to. */
const SensitivitySchema = z.strictObject({
  harms: z.array(
    z.strictObject({
      what: z.string(),
      kind: z.enum(["latency", "errors", "row", "key"]),
      planted: z.string(),
      margin: z.string(),
      caught: z.boolean(),
      seconds: z.number(),
      window: WindowSchema.exactOptional(),
    }),
  ),
  left: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});

/** Infinite bounds are null in JSON. */
const Lo = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NEGATIVE_INFINITY);
const Hi = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.POSITIVE_INFINITY);

/** What is shown of a stored judgement beside a new one. */
const StoredSloSchema = z.looseObject({
  name: z.string(),
  state: z.enum(["pass", "fail", "open", "no-data"]),
  accepted: z.looseObject({ scale: z.enum(["ratio", "absolute"]), lo: Lo, hi: Hi }),
  unit: z.enum(["pp", ""]),
  estimate: z.number().nullable().exactOptional(),
  interval: z.looseObject({ level: z.number(), lo: Lo, hi: Hi }),
});

const AlarmSchema = z.strictObject({
  kind: z.enum(["latency", "errors", "stalls"]),
  level: z.enum(["gross", "outage"]),
  scope: z.string(),
  fromMs: z.number(),
  toMs: z.number(),
  afterSeconds: z.number(),
  control: z.number(),
  shadow: z.number(),
  requests: z.number(),
  excess: z.number(),
  bar: z.number(),
  slo: z.string().exactOptional(),
}) satisfies z.ZodType<HarmAlarm>;

/** The parts of a report.json that a second judgement needs: what was witnessed and cannot be measured again. */
export const StoredRunSchema = z.looseObject({
  schema: z.literal("canary.report/v1"),
  plan: z.looseObject({
    tier: z.strictObject({ declared: TierSchema, classified: TierSchema, effective: TierSchema }),
  }),
  mirror: z.looseObject({ facts: z.looseObject({ cores: z.looseObject({ kind: z.enum(["pinned", "shared"]) }) }) }),
  profile: z.looseObject({ sha256: z.string() }).exactOptional(),
  verdict: z.strictObject({
    kind: z.enum(["promote", "hold", "reject"]),
    reasons: z.array(
      z.strictObject({ code: z.enum(REASON_CODES), message: z.string(), subject: z.string().exactOptional() }),
    ),
  }),
  restarted: z.array(z.string()).max(LIMITS.mirrorServicesMax).exactOptional(),
  slos: z.array(StoredSloSchema),
  sensitivity: SensitivitySchema.exactOptional(),
  quiet: QuietSchema,
  rollback: RollbackSchema,
  alarm: AlarmSchema.exactOptional(),
  timeline: z.array(z.looseObject({ kind: z.string() })),
  traffic: z.looseObject({
    driver: z.looseObject({}).exactOptional(),
    rounds: z.array(RoundSchema).max(200).exactOptional(),
    phases: z.partialRecord(
      z.enum(["warmup", "baseline", "acting", "settling", "observing", "undoing", "recovery"]),
      WindowSchema,
    ),
  }),
});

/** A report.json that has passed `StoredRunSchema`. */
export type StoredRun = z.infer<typeof StoredRunSchema>;
