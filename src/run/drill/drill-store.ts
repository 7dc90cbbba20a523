import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { type IntentLog, inBoth } from "../../core/intent-log.ts";
import { keptRun, parseIntents } from "../../mirror/twins/kept-runs.ts";
import { drillPage } from "../../report/drill/drill-page.ts";
import type { DrillReport } from "../../report/drill/drill-report.ts";
import { stableJson } from "../../report/files/report-json.ts";
import { onDisk, openIntentLog, writeWhole } from "../durable-folder.ts";
import { RUN_FILES } from "../file-run-store.ts";
import { leftBehind } from "../left-behind.ts";
import type { DrillStore } from "./drill-effects.ts";

/** Names of the files that a drill leaves in its folder, beside the plan, the scenario and the log of intents. */
export const DRILL_FILES = { json: "drill.json", page: "drill.html", bundle: "drill.sigstore.json" } as const;

/**
 * A drill's folder on disk; its answer appears in it at the end, the signed bundle last.
 * @param sign - makes the bundle's text from the report and the bytes of drill.json; wired by the CLI, which owns the key
 * @throws CanaryError REPLAY_FAILED, also from `publish`, when the disk does not let us write
 */
export async function openDrillStore(options: {
  readonly folder: string;
  readonly planText: string;
  readonly scenarioText: string;
  /** Takes every intent before the journal does: the ledger. */
  readonly ledgerIntents?: IntentLog;
  readonly sign: (report: DrillReport, drillJson: string) => string;
}): Promise<DrillStore> {
  const folder = path.resolve(options.folder);
  const at = (name: string): string => path.join(folder, name);
  return await onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(at(RUN_FILES.plan), options.planText);
    await writeFile(at(RUN_FILES.scenario), options.scenarioText);
    let log = await openIntentLog(at(RUN_FILES.intent));
    const journal: IntentLog = { record: (entry) => onDisk(folder, () => log.record(entry)) };
    const intent = inBoth(options.ledgerIntents, journal);
    return {
      folder,
      intent,
      keepForResume: (state) =>
        onDisk(folder, () => writeWhole(at(RUN_FILES.reference), `${JSON.stringify(state)}\n`, 0o600)),
      nextHarness: () =>
        onDisk(folder, async () => {
          await log[Symbol.asyncDispose]();
          const durable = parseIntents(await readFile(at(RUN_FILES.intent), "utf8"));
          log = await openIntentLog(at(RUN_FILES.intent), durable.length);
          const run = await keptRun(folder);
          return run === undefined ? undefined : await leftBehind(run, intent);
        }),
      publish: (report) =>
        onDisk(folder, async () => {
          const json = stableJson(report);
          await writeWhole(at(DRILL_FILES.json), json);
          await writeWhole(at(DRILL_FILES.page), drillPage(report));
          await writeWhole(at(DRILL_FILES.bundle), options.sign(report, json));
          return folder;
        }),
      [Symbol.asyncDispose]: () => log[Symbol.asyncDispose](),
    };
  });
}
