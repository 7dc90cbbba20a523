import { LIMITS } from "../core/limits.ts";
import type { SpentBudget } from "../judge/during-budgets.ts";
import type { HarmAlarm } from "../judge/harm-alarm.ts";
import type { PowerForecast } from "../judge/power-forecast.ts";
import type { PlantedHarm, SensitivityProof } from "../judge/sensitivity.ts";
import type { QuietProof, RollbackProof, SloJudgement, Verdict } from "../judge/verdict.ts";
import type { SnapshotFacts } from "../mirror/snapshots/snapshot.ts";
import type { TwinFacts } from "../mirror/twin-facts.ts";
import type { Plan } from "../plan/plan.ts";
import type { TableCount, WriteProvenance } from "../replay/proof/write-provenance.ts";
import { clipped, paths } from "./bounded.ts";
import { signedBundle } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { SigningKey } from "./keys.ts";
import { PREDICATE_TYPE, type Predicate } from "./predicate.ts";
import { rollbackOf } from "./rollback-of.ts";
import { StatementSchema, type VerdictStatement } from "./statement.ts";

const DAY_MS = 24 * 3_600_000;
const LISTED_REASONS_MAX = 1000;

type Tier = Plan["tier"];

/** Everything a verdict binds, in the words of the stages that made it. */
export interface VerdictInput {
  readonly runId: string;
  readonly harnessVersion: string;
  readonly startedEpochMs: number;
  readonly finishedEpochMs: number;
  /** How long after `finishedEpochMs` the verdict may be relied on; a day unless policy says less. */
  readonly validForMs?: number;
  readonly verdict: Verdict;
  readonly policyInUse?: NonNullable<Predicate["policy"]>;
  readonly profile?: NonNullable<Predicate["profile"]>;
  readonly slos: readonly SloJudgement[];
  readonly power?: readonly PowerForecast[];
  readonly alarm?: HarmAlarm;
  readonly during?: readonly SpentBudget[];
  readonly quiet: QuietProof;
  readonly rollback: RollbackProof;
  readonly snapshot?: SnapshotFacts;
  /** What was planted to see whether it would be noticed, in runs that did. */
  readonly sensitivity?: SensitivityProof;
  readonly writes?: WriteProvenance;
  /** `file` is the name under which the plan's bytes are kept; the digest is over exactly these. */
  readonly plan: Pick<Plan, "sha256" | "agent"> & {
    readonly file: string;
    readonly tier: { readonly declared: Tier; readonly classified: Tier; readonly effective: Tier };
  };
  readonly scenario: { readonly file: string; readonly sha256: string };
  readonly environment: { readonly id: string; readonly class: string };
  readonly mirror: {
    readonly name: string;
    readonly sha256: string;
    readonly fidelity: readonly string[];
    readonly facts: Pick<TwinFacts, "isolation" | "cores" | "images" | "addedSettings">;
  };
  readonly seed: number;
  /** `sent`: requests sent to each twin. */
  readonly traffic: { readonly ratePerSecond: number; readonly arrivals: string; readonly sent: number };
  readonly design?: NonNullable<Predicate["design"]>;
  readonly longestInForceSeconds?: number;
  readonly recordingSha256: string;
  readonly reportSha256?: string;
}

/** The statement that a run's verdict is signed as. Infinite numbers become null. */
export function verdictStatement(input: VerdictInput): VerdictStatement {
  const digest = (sha256: string) => ({ sha256 });
  // Parsed by the schema that readers use, so that nothing is ever signed that would not verify.
  return StatementSchema.parse({
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: `plan/${input.plan.file}`, digest: digest(input.plan.sha256) },
      { name: `scenario/${input.scenario.file}`, digest: digest(input.scenario.sha256) },
      { name: `mirror/${input.mirror.name}`, digest: digest(input.mirror.sha256) },
    ],
    predicateType: PREDICATE_TYPE,
    predicate: predicateOf(input),
  });
}

/** Signs a statement in its one byte form; the text of a `*.sigstore.json` file. */
export function signStatement(statement: VerdictStatement, key: SigningKey): string {
  return signedBundle(Buffer.from(canonicalJson(statement)), key);
}

function predicateOf(input: VerdictInput): Predicate {
  const { name, sha256, fidelity, facts } = input.mirror;
  const finishedAt = instant(input.finishedEpochMs);
  return {
    verdict: input.verdict.kind,
    reasons: input.verdict.reasons.slice(0, LISTED_REASONS_MAX).map(({ code, message, subject }) => ({
      code,
      message: clipped(message),
      ...(subject === undefined ? {} : { subject: clipped(subject) }),
    })),
    planDigest: { sha256: input.plan.sha256 },
    agent: input.plan.agent,
    trustTier: input.plan.tier,
    environment: { id: input.environment.id, class: input.environment.class },
    mirror: {
      name,
      sha256,
      fidelity: [...fidelity],
      isolation: facts.isolation,
      cores: facts.cores,
      images: { ...facts.images },
      ...(facts.addedSettings === undefined ? {} : { addedSettings: mutable(facts.addedSettings) }),
    },
    ...(input.policyInUse === undefined ? {} : { policy: input.policyInUse }),
    ...(input.profile === undefined ? {} : { profile: input.profile }),
    slos: input.slos.map(sloOf),
    ...(input.power === undefined ? {} : { power: input.power.map(powerOf) }),
    ...(input.alarm === undefined ? {} : { alarm: alarmOf(input.alarm) }),
    ...(input.during === undefined ? {} : { during: [...input.during] }),
    ...(input.design === undefined ? {} : { design: input.design }),
    ...(input.longestInForceSeconds === undefined ? {} : { longestInForceSeconds: input.longestInForceSeconds }),
    effects: effectsOf(input.quiet),
    ...(input.writes === undefined ? {} : { writes: writesOf(input.writes) }),
    rollback: rollbackOf(input),
    ...(input.sensitivity === undefined ? {} : plantedIn(input.sensitivity)),
    seed: input.seed,
    traffic: {
      ratePerSecond: input.traffic.ratePerSecond,
      arrivals: input.traffic.arrivals,
      sent: input.traffic.sent,
    },
    recordingSha256: input.recordingSha256,
    ...(input.reportSha256 === undefined ? {} : { reportSha256: input.reportSha256 }),
    scenarioSha256: input.scenario.sha256,
    runId: input.runId,
    startedAt: instant(input.startedEpochMs),
    finishedAt,
    notBefore: finishedAt,
    expiresAt: instant(input.finishedEpochMs + (input.validForMs ?? DAY_MS)),
    harness: { name: "canary-harness", version: input.harnessVersion },
  };
}

function sloOf(slo: SloJudgement): Predicate["slos"][number] {
  const { scale, lo, hi } = slo.accepted;
  return {
    name: slo.name,
    accepted: { scale, lo: finite(lo), hi: finite(hi) },
    estimate: finite(slo.estimate),
    interval: { level: slo.interval.level, lo: finite(slo.interval.lo), hi: finite(slo.interval.hi) },
    state: slo.state,
    blocks: { ...slo.blocks },
    noise: {
      blockSd: finite(slo.blockSd),
      varianceInflation: finite(slo.varianceInflation),
      biasRemoved: finite(slo.biasRemoved),
      minimalDetectable: finite(slo.minimalDetectable),
    },
  };
}

function powerOf(forecast: PowerForecast): NonNullable<Predicate["power"]>[number] {
  const { name, from, margin, smallest, baselineSeconds, observeSeconds, possible, advice } = forecast;
  return {
    name,
    from,
    margin: finite(margin),
    smallest,
    baselineSeconds,
    observeSeconds,
    possible,
    advice: clipped(advice),
  };
}

/** Where on the axis it was seen means nothing without the recording; how long after the first act does. */
function alarmOf({ fromMs: _from, toMs: _to, ...alarm }: HarmAlarm): NonNullable<Predicate["alarm"]> {
  return alarm;
}

function plantedIn({ harms, left }: SensitivityProof): Pick<Predicate, "sensitivity" | "notPlanted"> {
  return {
    sensitivity: harms.map(plantedOf),
    notPlanted: left.slice(0, LIMITS.slosMax).map(({ what, why }) => ({ what: clipped(what), why: clipped(why) })),
  };
}

function plantedOf(harm: PlantedHarm): NonNullable<Predicate["sensitivity"]>[number] {
  const { excess, caught, seconds } = harm;
  return {
    what: clipped(harm.what),
    planted: clipped(harm.planted),
    margin: clipped(harm.margin),
    ...(excess === undefined ? {} : { excess }),
    caught,
    seconds,
  };
}

function effectsOf(quiet: QuietProof): Predicate["effects"] {
  const undeclared = quiet.actions.flatMap((action) => action.undeclared.map(({ path }) => path));
  const observed = quiet.actions.flatMap((action) => action.effects.map(({ path }) => path));
  return {
    declared: paths(observed.filter((path) => !undeclared.includes(path))),
    undeclared: paths(undeclared),
    absent: paths(quiet.actions.flatMap((action) => action.absent)),
  };
}

function mutable(settings: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(settings).map(([service, all]) => [service, [...all]]));
}

function writesOf(writes: WriteProvenance): NonNullable<Predicate["writes"]> {
  if (writes.kind === "unavailable") return { kind: "unavailable", why: clipped(writes.why) };
  const tables = (all: readonly TableCount[]) => all.slice(0, LIMITS.differencesListedMax).map((one) => ({ ...one }));
  return {
    kind: "told",
    actions: writes.actions.map(({ outside, role, ...action }) => ({
      ...action,
      role: clipped(role),
      tables: tables(action.tables),
      outside: {
        total: outside.reduce((sum, { rows }) => sum + rows, 0),
        paths: outside.flatMap(({ table, examples }) => [table, ...examples]).slice(0, LIMITS.differencesListedMax),
      },
    })),
    application: { rows: writes.application.rows, tables: tables(writes.application.tables) },
    doubts: writes.doubts.slice(0, LIMITS.differencesListedMax).map(clipped),
  };
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
