import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { CanaryError, messageOf } from "../core/errors.ts";
import { decide } from "../judge/decide.ts";
import { environmentGates } from "../judge/gates.ts";
import { judgeSlos } from "../judge/judge-slos.ts";
import { plannedPower } from "../judge/planned-power.ts";
import type { Reason, SloJudgement, Verdict } from "../judge/verdict.ts";
import { type BlockStore, createBlockStore } from "../measure/block-store.ts";
import { parsePlan } from "../plan/plan.ts";
import { admit } from "../policy/admit.ts";
import type { RecordingManifest } from "../replay/recording.ts";
import { readPairs } from "../replay/recordings/read-pairs.ts";
import { REPORT_FILES } from "../report/write-reports.ts";
import { hopelessFromTheStart, workReasons } from "./evidence.ts";
import { RUN_FILES } from "./file-run-store.ts";
import { blockStoreOptions } from "./load-session.ts";
import { replacesProcesses, resolvedSlos } from "./resolved-slos.ts";
import { parseScenario, type Scenario } from "./scenario.ts";
import { StoredRunSchema } from "./stored-run.ts";

/** What the stored measurements of a run say when they are judged again. */
export interface Rejudged {
  readonly planName: string;
  readonly verdict: Verdict;
  readonly slos: readonly SloJudgement[];
  /** What the run itself answered. */
  readonly storedVerdict: Verdict["kind"];
}

/** Doubts of the same kind: what only a stub saw, and what was not performed under load. */
const WITNESSED_DOUBTS: ReadonlySet<string> = new Set(["REQUESTED_NOT_PROVEN", "NO_OP"]);
/** Reasons that were seen while the twins lived and cannot be measured again; they stand as they were. */
const WITNESSED: ReadonlySet<string> = new Set(["INVARIANT_BROKEN", "ACTION_FAILED", "TRIGGER_BREACHED"]);

/**
 * Judges a stored run again: SLOs, gates and budgets from its recording; effects and rollback as they were witnessed.
 * @throws CanaryError RECORDING_INVALID when the folder is no run or a file of it is damaged
 */
export async function rejudge(runDir: string): Promise<Rejudged> {
  const read = (file: string): Promise<string> => readPart(path.join(runDir, file));
  const scenario = parseScenario(await read(RUN_FILES.scenario), path.join(runDir, RUN_FILES.scenario));
  const plan = parsePlan(await read(RUN_FILES.plan), path.join(runDir, RUN_FILES.plan));
  const stored = parsePart(StoredRunSchema, await read(REPORT_FILES.json), REPORT_FILES.json);
  const slos = resolvedSlos({ scenario, plan });
  const limits = scenario.judge;
  const restarted = replacesProcesses(plan);
  const { phases } = stored.traffic;
  const baseline = phases.baseline ?? EMPTY;
  const store = await loadStore(path.join(runDir, RUN_FILES.recording), scenario, stored.traffic.driver !== undefined);
  const after = phases.observing ?? { fromMs: baseline.toMs, toMs: baseline.toMs };
  const judged =
    stored.slos.length === 0 ? [] : judgeSlos({ store, slos, limits, restarted, windows: { baseline, after } });
  const witnessed = stored.verdict.reasons.filter(({ code }) => WITNESSED.has(code));
  const admission = admit(plan, scenario);
  const human = admission.kind === "admitted" ? admission.humanNeeded : admission.problems;
  const gates: readonly Reason[] = [
    ...human.map((message): Reason => ({ code: "HUMAN_NEEDED", message: `A human must agree: ${message}.` })),
    ...hopelessFromTheStart({ scenario, plan }),
    ...stored.verdict.reasons.filter(({ code }) => WITNESSED_DOUBTS.has(code)),
    ...(judged.length === 0 || phases.observing !== undefined
      ? []
      : plannedPower({ store, slos, limits, restarted, baseline, ratePerSecond: scenario.traffic.ratePerSecond })),
    ...(judged.length === 0
      ? []
      : environmentGates({
          store,
          slos,
          limits,
          cores: stored.mirror.facts.cores.kind,
          windows: { baseline, ...(phases.observing === undefined ? {} : { after: phases.observing }) },
        })),
  ];
  const verdict = decide({
    slos: judged,
    gates,
    quiet: stored.quiet,
    rollback: stored.rollback,
    against: [...witnessed, ...(judged.length === 0 ? [] : workReasons({ scenario, plan }, { store, phases }))],
    replayFailures: [],
    triggers: [],
    tier: stored.plan.tier.effective,
    snapshotVerified: false,
    stubOnlyEffects: [],
  });
  return { planName: plan.name, verdict, slos: judged, storedVerdict: stored.verdict.kind };
}

const EMPTY = { fromMs: 0, toMs: 0 } as const;

async function loadStore(recordingDir: string, scenario: Scenario, hasTraffic: boolean): Promise<BlockStore> {
  const store = createBlockStore(blockStoreOptions(scenario.traffic));
  if (!hasTraffic) return store;
  parsePart(ManifestSchema, await readPart(path.join(recordingDir, RUN_FILES.manifest)), RUN_FILES.manifest);
  for await (const batch of readPairs(recordingDir)) store.addPairs(batch);
  const lines = createInterface({ input: createReadStream(path.join(recordingDir, RUN_FILES.metrics)) });
  for await (const line of lines) {
    if (line !== "") store.addMetric(parsePart(MetricSchema, line, RUN_FILES.metrics));
  }
  return store;
}

const ManifestSchema = z.looseObject({
  schema: z.literal("canary.recording/v1") satisfies z.ZodType<RecordingManifest["schema"]>,
});
const MetricSchema = z.strictObject({
  atMs: z.number(),
  role: z.enum(["control", "shadow"]),
  key: z.string().max(10_000),
  value: z.number(),
});

async function readPart(file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause: unknown) => {
    throw damaged(`cannot read ${file}: ${messageOf(cause)}`, cause);
  });
}

function parsePart<T>(schema: z.ZodType<T>, text: string, name: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw damaged(`${name} of the run is damaged`, cause);
  }
}

function damaged(message: string, cause: unknown): CanaryError {
  return new CanaryError({
    code: "RECORDING_INVALID",
    message,
    hint: "Give the folder of a finished run, reports/<run>.",
    cause,
  });
}
