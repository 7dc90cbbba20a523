import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { signProfile } from "../../src/attest/profile-statement.ts";
import { signerOf } from "../../src/cli/signing.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import type { Profile } from "../../src/judge/profile.ts";
import { ROLES } from "../../src/mirror/twin.ts";
import { pairSlot } from "../../src/replay/driver/pair-slot.ts";
import { startPairWriter } from "../../src/replay/driver/pair-writer.ts";
import { OUTCOMES, type PairBatch } from "../../src/replay/recording.ts";
import type { Call } from "../../src/replay/traffic/compile-call.ts";
import { reportJson } from "../../src/report/files/report-json.ts";
import type { RunReport } from "../../src/report/run-report.ts";
import { digestOfRecording, RUN_FILES } from "../../src/run/file-run-store.ts";
import { SIGNING_KEY } from "../attest/verdict-builder.ts";
import { type SimulatedPlanName, simulatedJob } from "./simulated-job.ts";
import type { SimulatedRun } from "./simulated-run.ts";

/** What the simulated run was asked; the documents of its folder are made of it. */
export interface StoredQuestion {
  readonly seed: number;
  readonly plan: SimulatedPlanName;
  readonly judge?: object;
  readonly declared?: readonly string[];
  readonly mayChange?: readonly string[];
  readonly profile?: Profile;
}

/** Leaves a simulated run that ended with an answer in a folder, as a real one lies there, signed with the key of the tests. */
export async function storeRun(run: SimulatedRun, runDir: string, asked: StoredQuestion): Promise<void> {
  const { end, stage } = run;
  if (end.kind === "error") throw end.error;
  const { profile, ...question } = asked;
  const job = simulatedJob({ ...question, faults: stage.faults });
  const recording = path.join(runDir, "recording");
  await mkdir(recording, { recursive: true });
  await writeFile(path.join(runDir, "scenario.yaml"), job.scenarioText);
  await writeFile(path.join(runDir, "plan.yaml"), job.planText);
  await writeFile(path.join(recording, "manifest.json"), JSON.stringify(stage.store.manifests.at(-1) ?? {}));
  await writeFile(
    path.join(recording, "metrics.jsonl"),
    stage.store.metrics.map((one) => JSON.stringify(one)).join("\n"),
  );
  await writeFile(
    path.join(recording, "responses.jsonl"),
    stage.store.responses.map((one) => `${JSON.stringify(one)}\n`),
  );
  await writePairs(run.pairs, recording);
  await publish(await withProfile(end.report, profile, runDir), runDir);
}

/** As `openRunStore` does, with the key of the tests. */
async function publish(report: RunReport, runDir: string): Promise<void> {
  const bundle = await signerOf(SIGNING_KEY)(report, {
    recordingSha256: await digestOfRecording(path.join(runDir, "recording")),
    reportSha256: sha256Hex(reportJson(report)),
  });
  await writeFile(path.join(runDir, RUN_FILES.bundle), bundle);
  await writeFile(path.join(runDir, "report.json"), reportJson({ ...report, bundleSha256: sha256Hex(bundle) }));
}

/** The simulated run named a digest of nothing; here the profile's bytes lie beside the report. */
async function withProfile(report: RunReport, profile: Profile | undefined, runDir: string): Promise<RunReport> {
  if (profile === undefined || report.profile === undefined) return report;
  const text = signProfile(profile, SIGNING_KEY);
  await writeFile(path.join(runDir, "profile.json"), text);
  return { ...report, profile: { ...report.profile, sha256: sha256Hex(text) } };
}

async function writePairs(batches: readonly PairBatch[], dir: string): Promise<void> {
  const writer = await startPairWriter({
    dir,
    onWritten: () => undefined,
    onFailure: (error) => {
      throw error;
    },
  });
  for (const batch of batches) {
    for (let i = 0; i < batch.size; i++) {
      const call = { route: batch.route[i] ?? 0 } as Call;
      const slot = pairSlot(batch.sequence[i] ?? 0, batch.intendedMs[i] ?? 0, call);
      for (const role of ROLES) {
        const arm = batch.arms[role];
        slot.arms[role].outcome = OUTCOMES[arm.outcome[i] ?? 0] ?? "ok";
        slot.arms[role].status = arm.status[i] ?? 0;
        slot.arms[role].sendLagMs = arm.sendLagMs[i] ?? 0;
        slot.arms[role].serviceMs = arm.serviceMs[i] ?? 0;
      }
      writer.append(slot);
    }
  }
  await writer.end();
}
