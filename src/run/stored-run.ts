import { z } from "zod";
import { LIMITS } from "../core/limits.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import { REASON_CODES } from "../judge/verdict.ts";
import type { CallsCompared } from "../replay/proof/call-counts.ts";
import type { RestoreProof } from "../replay/proof/proofs.ts";
import type { WriteProvenance } from "../replay/proof/write-provenance.ts";

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

const LossesSchema = z.array(z.strictObject({ path: z.string(), entries: z.number() }));
const RestoreSchema = z.strictObject({
  tookMs: z.number(),
  survived: z.array(z.string()),
  restarted: z.array(z.string()),
  unrestored: z.array(z.string()),
  losses: LossesSchema,
  residue: z.array(DifferenceSchema),
  failed: z.string().exactOptional(),
}) satisfies z.ZodType<RestoreProof>;
const DryRunSchema = z.union([
  z.strictObject({
    result: z.enum(["passed", "failed"]),
    kind: z.enum(["transaction", "computed", "checked", "queued", "request", "needless", "none"]),
    message: z.string(),
  }),
  z.strictObject({ result: z.literal("none"), message: z.string() }),
]);

const QuietSchema = z.strictObject({
  actions: z.array(
    z.strictObject({
      id: z.string(),
      effects: z.array(DifferenceSchema),
      undeclared: z.array(DifferenceSchema),
      absent: z.array(z.string()),
      noOp: z.boolean(),
      withoutEffect: z.enum(["quietly", "at-all"]).exactOptional(),
      dryRun: DryRunSchema.exactOptional(),
      derivedUndo: z.string().exactOptional(),
    }),
  ),
  residue: z.array(DifferenceSchema),
  noise: z.array(z.string()).exactOptional(),
  unseen: z.array(z.string()).exactOptional(),
  unseenSince: z.array(z.string()).exactOptional(),
  failed: FailureSchema.extend({ during: z.enum(["dry-run", "act", "undo"]) }).exactOptional(),
  restored: RestoreSchema.exactOptional(),
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
    how: z.enum(["steps", "stop"]).exactOptional(),
    restored: RestoreSchema.exactOptional(),
    wouldLose: LossesSchema.exactOptional(),
    recoveryMs: z.number().exactOptional(),
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
      excess: z.number().exactOptional(),
      caught: z.boolean(),
      seconds: z.number(),
      window: WindowSchema.exactOptional(),
    }),
  ),
  left: z.array(z.strictObject({ what: z.string(), why: z.string() })),
});

const TableSchema = z.strictObject({
  table: z.string(),
  rows: z.number(),
  inserted: z.number(),
  updated: z.number(),
  deleted: z.number(),
  truncated: z.number(),
});

const RowsSchema = z.strictObject({ table: z.string(), rows: z.number(), examples: z.array(z.string()) });

const WritesSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("unavailable"), why: z.string() }),
  z.strictObject({
    kind: z.literal("told"),
    actions: z.array(
      z.strictObject({
        actionId: z.string(),
        phase: z.enum(["act", "undo"]),
        times: z.number(),
        role: z.string(),
        rows: z.number(),
        tables: z.array(TableSchema),
        outside: z.array(RowsSchema),
      }),
    ),
    application: z.strictObject({ rows: z.number(), tables: z.array(TableSchema) }),
    // Runs of before this was looked at have none.
    unreturned: z
      .array(RowsSchema.extend({ actionId: z.string(), differs: z.literal(true).exactOptional() }))
      .default([]),
    doubts: z.array(z.string()),
  }),
]) satisfies z.ZodType<WriteProvenance>;

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

const ByRoleSchema = z.strictObject({ control: z.number(), shadow: z.number() });

const CallsSchema = z.strictObject({
  complete: z.boolean(),
  families: z.array(z.strictObject({ path: z.string(), before: ByRoleSchema, inForce: ByRoleSchema })),
}) satisfies z.ZodType<CallsCompared>;

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
  /** That answers were compared: what was seen of them lies in the recording. */
  responses: z.looseObject({}).exactOptional(),
  sensitivity: SensitivitySchema.exactOptional(),
  writes: WritesSchema.exactOptional(),
  snapshot: z.looseObject({ tookMs: z.number() }).exactOptional(),
  quiet: QuietSchema,
  rollback: RollbackSchema,
  consequences: z.array(DifferenceSchema),
  calls: CallsSchema.exactOptional(),
  alarm: AlarmSchema.exactOptional(),
  stoppedBy: z.string().max(LIMITS.textCharsMax).exactOptional(),
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
