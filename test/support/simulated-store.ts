import { CanaryError } from "../../src/core/errors.ts";
import type { Intent } from "../../src/core/intent-log.ts";
import type { ResponseEntry } from "../../src/measure/response-log.ts";
import type { ResumeState } from "../../src/replay/proof/resume-rollback.ts";
import type { MetricSample, RecordingManifest } from "../../src/replay/recording.ts";
import type { AbortRecord } from "../../src/report/abort-record.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import type { RunStore } from "../../src/run/run-effects.ts";
import { NEVER, type SimulatedClock } from "./simulated-clock.ts";
import type { Fault } from "./simulated-faults.ts";

/** A run's folder in memory. What is in `intents` is durable; recording takes time, as an fsync does. */
export interface SimulatedStore extends RunStore {
  readonly intents: readonly Intent[];
  readonly manifests: readonly RecordingManifest[];
  readonly metrics: readonly MetricSample[];
  readonly responses: readonly ResponseEntry[];
  readonly published: readonly RunReport[];
  readonly aborts: readonly AbortRecord[];
  readonly kept: readonly ResumeState[];
  /** What is going on according to the durable part of the log; an act or undo ends when its outcome is durable. */
  readonly under: () => Extract<Intent, { kind: "act" | "undo" }> | undefined;
}

/** An empty folder; a full disk is one of the faults. */
export function simulatedStore(clock: SimulatedClock, faults: readonly Fault[]): SimulatedStore {
  const intents: Intent[] = [];
  const manifests: RecordingManifest[] = [];
  const metrics: MetricSample[] = [];
  const responses: ResponseEntry[] = [];
  const published: RunReport[] = [];
  const aborts: AbortRecord[] = [];
  const kept: ResumeState[] = [];
  const full = faults.find((fault) => fault.kind === "disk-full");
  const write = async (what: "intent" | "manifest" | "report", written: number): Promise<void> => {
    await clock.sleep(2, NEVER);
    if (full?.writing === what && written >= full.from) {
      throw new CanaryError({
        code: "REPLAY_FAILED",
        message: "cannot write: the disk is full (simulated)",
        hint: "Make room.",
      });
    }
  };
  return {
    recordingDir: "/simulated/recording",
    intents,
    manifests,
    metrics,
    responses,
    published,
    aborts,
    under: () => openIntent(intents),
    intent: {
      record: async (intent) => {
        await write("intent", intents.length);
        intents.push(intent);
      },
    },
    keepForResume: async (state) => {
      await clock.sleep(2, NEVER);
      kept.push(state);
    },
    kept,
    saveMetrics: (samples) => void metrics.push(...samples),
    saveResponses: (entries) => void responses.push(...entries),
    saveManifest: async (manifest) => {
      await write("manifest", manifests.length);
      manifests.push(structuredClone(manifest));
    },
    publish: async (report) => {
      await write("report", published.length);
      published.push(report);
      return "/simulated";
    },
    saveAbort: async (record) => {
      await write("report", 0);
      aborts.push(record);
      return "/simulated/abort.json";
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function openIntent(intents: readonly Intent[]): Extract<Intent, { kind: "act" | "undo" }> | undefined {
  const last = intents.findLast((intent) => intent.kind !== "run" && intent.kind !== "end");
  return last?.kind === "act" || last?.kind === "undo" ? last : undefined;
}
