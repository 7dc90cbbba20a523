import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { ROLES } from "../../src/mirror/twin.ts";
import { pairSlot } from "../../src/replay/driver/pair-slot.ts";
import { startPairWriter } from "../../src/replay/driver/pair-writer.ts";
import { OUTCOMES, type PairBatch } from "../../src/replay/recording.ts";
import type { Call } from "../../src/replay/traffic/compile-call.ts";
import { reportJson } from "../../src/report/files/report-json.ts";
import type { SimulatedPlanName } from "./simulated-job.ts";
import { simulatedJob } from "./simulated-job.ts";
import type { SimulatedRun } from "./simulated-run.ts";

/** Leaves a simulated run that ended with an answer in a folder, as a real one lies there; the bundle is not needed. */
export async function storeRun(
  run: SimulatedRun,
  runDir: string,
  asked: { readonly seed: number; readonly plan: SimulatedPlanName },
): Promise<void> {
  const { end, stage } = run;
  if (end.kind === "error") throw end.error;
  const job = simulatedJob({ ...asked, faults: stage.faults });
  const recording = path.join(runDir, "recording");
  await mkdir(recording, { recursive: true });
  await writeFile(path.join(runDir, "scenario.yaml"), job.scenarioText);
  await writeFile(path.join(runDir, "plan.yaml"), job.planText);
  await writeFile(path.join(runDir, "report.json"), reportJson(end.report));
  await writeFile(path.join(recording, "manifest.json"), JSON.stringify(stage.store.manifests.at(-1) ?? {}));
  await writeFile(
    path.join(recording, "metrics.jsonl"),
    stage.store.metrics.map((one) => JSON.stringify(one)).join("\n"),
  );
  await writePairs(run.pairs, recording);
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
