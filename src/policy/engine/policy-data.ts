import { z } from "zod";
import { parseDocument } from "../../core/document.ts";
import { LIMITS } from "../../core/limits.ts";
import { DEED_NAMES, type Deed, ENVIRONMENT_CLASSES, type Tier, type TierFloors } from "../tier-table.ts";
import { EngineSchema } from "./engine-choice.ts";
import { FreezeSchema, WindowSchema } from "./windows.ts";

const Id = z.string().regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter");
const Short = z.string().min(1).max(200);
const Pattern = z.string().min(1).max(500);
const Patterns = z.array(Pattern).min(1).max(200);
const Sha256 = z.string().regex(/^[0-9a-f]{64}$/, "a lower-case hex SHA-256");
const Count = z.number().int().min(0).max(1_000_000);
const Minutes = z.number().int().min(1).max(44_640);
const TierSchema = z.literal([0, 1, 2, 3, 4]);
const DeedSchema = z.enum(DEED_NAMES as readonly [Deed, ...Deed[]]);
/** Cedar's decimals have four places. */
const Fraction = z.number().min(0).max(1).multipleOf(0.0001);

/** What whoever carries a plan out keeps running meanwhile; policy passes these words on as obligations. */
export const MONITORING = ["activity-log", "canary-checks", "slo-triggers", "circuit-breaker", "abort"] as const;

const TierRowSchema = z.strictObject({
  meaning: Short,
  /** What the tier may do; also the floor of whatever does it. Each deed stands in exactly one tier. */
  capabilities: z.array(DeedSchema).max(DEED_NAMES.length),
  guardrails: z.strictObject({
    actionsMax: z.number().int().min(1).max(LIMITS.planActionsMax),
    /** `offered`: done where a target offers one; `required`: what can not be tried first is refused. */
    dryRun: z.enum(["none", "offered", "required"]),
    /** Deeds for which the quiet twin is trial enough where their target offers none, although it is `required`. */
    untried: z.array(DeedSchema).max(DEED_NAMES.length).default([]),
    /** `must`: a plan that stops half way may not stay there. */
    rollBack: z.enum(["must", "may-stop"]),
    /** Promoted only inside a maintenance window. */
    window: z.boolean(),
    promotions: z.strictObject({ max: Count, minutes: Minutes }),
  }),
  /** What a promotion must show. */
  shown: z.strictObject({ verdict: z.boolean(), rollback: z.boolean(), snapshot: z.boolean() }),
  /** `strong` of the `k` people are authenticated by a key of their own; `preauthorised`: a pattern may stand in for them. */
  approvals: z.strictObject({
    k: z.number().int().min(0).max(20),
    strong: z.number().int().min(0).max(20),
    preauthorised: z.boolean().default(false),
  }),
  explained: z.strictObject({ evidence: Count, charsMin: z.number().int().min(1).max(500) }),
  /** Below it a plan may be rehearsed, but not promoted without a human. */
  confidenceMin: Fraction,
  /** How long a verdict may be relied on. */
  verdictHours: z.number().positive().max(24),
  monitoring: z.array(z.enum(MONITORING)).max(MONITORING.length),
});

const AgentSchema = z.strictObject({
  id: Pattern,
  tierMax: TierSchema.default(3),
  environments: Patterns.default(["**"]),
  namespaces: Patterns.default(["**"]),
});

const ModelSchema = z.strictObject({
  provider: Short,
  name: Short,
  version: Short,
  /** The version that this one was made from, as `provider/name@version`; `none` for the first of its line. */
  from: Short,
  /** Prompt packages that were released with it; empty: any. */
  prompts: z.array(Sha256).max(100).default([]),
});

const TagSchema = z.strictObject({
  name: Id,
  resources: Patterns,
  floor: TierSchema.default(0),
  /** People that a plan on these resources needs at least. */
  approvals: z.number().int().min(0).max(20).default(0),
  offLimits: z.boolean().default(false),
});

const PreauthorisedSchema = z.strictObject({
  name: Id,
  agents: Patterns,
  environments: Patterns,
  namespaces: Patterns.default(["**"]),
  uses: z.array(z.string().min(1).max(40)).min(1).max(40),
  /** Everything that the plan declares lies within these. */
  changes: Patterns,
  actionsMax: z.number().int().min(1).max(LIMITS.planActionsMax).default(1),
});

/** Schema of `canary.policy/v1`; published as JSON Schema by `canary schema policy`. */
export const PolicyDataSchema = z
  .strictObject({
    schema: z.literal("canary.policy/v1"),
    name: Id,
    engine: EngineSchema,
    tiers: z.strictObject({
      0: TierRowSchema,
      1: TierRowSchema,
      2: TierRowSchema,
      3: TierRowSchema,
      4: TierRowSchema,
    }),
    raised: z.partialRecord(z.enum(ENVIRONMENT_CLASSES), z.partialRecord(DeedSchema, TierSchema)),
    namespaces: z.array(z.strictObject({ pattern: Short, floor: TierSchema })).max(200),
    withheld: z.array(DeedSchema).max(DEED_NAMES.length),
    agents: z.strictObject({ unlisted: z.enum(["allow", "refuse"]), listed: z.array(AgentSchema).max(1000) }),
    models: z.strictObject({
      unlisted: z.enum(["pinned", "refuse"]),
      /** Patterns of versions that mean another model tomorrow. */
      floating: z.array(Pattern).max(100),
      listed: z.array(ModelSchema).max(1000),
    }),
    hosts: z.strictObject({
      names: z.array(Pattern).max(200),
      networks: z.array(z.union([z.cidrv4(), z.cidrv6()])).max(200),
    }),
    tags: z.array(TagSchema).max(100),
    windows: z.array(WindowSchema).max(100),
    freezes: z.array(FreezeSchema).max(100),
    preauthorised: z.array(PreauthorisedSchema).max(200),
    supervisor: z.strictObject({
      sameResourceMinutes: Minutes,
      writes: z.strictObject({ max: Count, minutes: Minutes }),
      failures: z.strictObject({ max: z.number().int().min(1).max(1000), minutes: Minutes }),
      doubt: z.strictObject({ plans: z.number().int().min(1).max(100), below: Fraction }),
    }),
    queues: z.strictObject({ confidence: Id, evidence: Id, supervisor: Id }),
  })
  .superRefine((data, context) => {
    for (const { path, message } of [...tierProblems(data.tiers), ...lineageProblems(data.models.listed)])
      context.addIssue({ code: "custom", path: [...path], message });
  });

/** A policy's data that have passed `parsePolicyData`. */
export type PolicyData = z.infer<typeof PolicyDataSchema>;
export type TierRow = PolicyData["tiers"][Tier];
export const TIERS: readonly Tier[] = [0, 1, 2, 3, 4];

/**
 * Reads the data of a policy, as an operator wrote them (YAML or JSON).
 * @param source - where the text came from, for messages only
 * @throws CanaryError POLICY_INVALID listing every problem with its line and path
 */
export function parsePolicyData(text: string, source: string): PolicyData {
  return parseDocument(PolicyDataSchema, text, { source, what: "a canary.policy/v1", code: "POLICY_INVALID" });
}

/** The lowest tiers that these data give. */
export function floorsOf({ tiers, raised, namespaces }: PolicyData): TierFloors {
  const deeds = Object.fromEntries(
    TIERS.flatMap((tier) => tiers[tier].capabilities.map((deed) => [deed, tier] as const)),
  ) as Readonly<Record<Deed, Tier>>;
  return { deeds, raised, namespaces };
}

interface Problem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** DESIGN.md 5 in terms of the data: what no operator can configure away. */
function tierProblems(tiers: PolicyData["tiers"]): readonly Problem[] {
  const named = TIERS.flatMap((tier) => tiers[tier].capabilities);
  const misplaced = DEED_NAMES.filter((deed) => named.filter((one) => one === deed).length !== 1);
  return [
    ...misplaced.map((deed) => ({ path: ["tiers"], message: `${deed} must stand in exactly one tier` })),
    ...TIERS.flatMap((tier) => rowProblems(tier, tiers[tier]).map((message) => ({ path: ["tiers", tier], message }))),
  ];
}

function rowProblems(tier: Tier, { approvals, guardrails, shown }: TierRow): readonly string[] {
  const isProduction = tier >= 3;
  return [
    ...(approvals.strong > approvals.k ? ["more strong approvals than approvals"] : []),
    ...(tier >= 2 && !(shown.verdict && shown.rollback) ? ["a write needs a verdict and a proven rollback"] : []),
    ...(isProduction && approvals.k < 1 ? ["a production write needs a person who agrees"] : []),
    ...(isProduction && approvals.preauthorised ? ["no pattern stands in for a person at a production write"] : []),
    ...(isProduction && !shown.snapshot ? ["a production write needs a verified snapshot"] : []),
    ...(isProduction && guardrails.rollBack !== "must" ? ["a production write may not stay half done"] : []),
    ...(tier === 3 && guardrails.dryRun === "none" ? ["a production write is tried first where it can be"] : []),
  ];
}

/** Every listed version says where it came from, down to the first of its line, without going in circles. */
function lineageProblems(models: PolicyData["models"]["listed"]): readonly Problem[] {
  const from = new Map(models.map((model) => [nameOf(model), model.from]));
  return models.flatMap((model, index) => {
    const path = ["models", "listed", index, "from"];
    const seen = new Set([nameOf(model)]);
    for (let at = model.from; at !== "none"; at = from.get(at) ?? "none") {
      if (seen.has(at)) return [{ path, message: `the lineage of ${nameOf(model)} goes in a circle` }];
      if (!from.has(at)) return [{ path, message: `${at} is not listed, so the lineage ends in the dark` }];
      seen.add(at);
    }
    return models.findIndex((other) => nameOf(other) === nameOf(model)) < index
      ? [{ path: ["models", "listed", index], message: `${nameOf(model)} is listed twice` }]
      : [];
  });
}

function nameOf({ provider, name, version }: { provider: string; name: string; version: string }): string {
  return `${provider}/${name}@${version}`;
}
