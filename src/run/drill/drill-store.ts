import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { type Intent, type IntentLog, inBoth } from "../../core/intent-log.ts";
import { drillPage } from "../../report/drill/drill-page.ts";
import type { DrillReport } from "../../report/drill/drill-report.ts";
import { stableJson } from "../../report/files/report-json.ts";
import { openIntentLog, RUN_FILES } from "../file-run-store.ts";
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
  const { folder } = options;
  const at = (name: string): string => path.join(folder, name);
  return await onDisk(folder, async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(at(RUN_FILES.plan), options.planText);
    await writeFile(at(RUN_FILES.scenario), options.scenarioText);
    const intent = await openIntentLog(at(RUN_FILES.intent));
    return {
      intent: {
        ...inBoth(options.ledgerIntents, { record: (entry) => onDisk(folder, () => intent.record(entry)) }),
        read: async () => {
          const lines = (await readFile(at(RUN_FILES.intent), "utf8")).split("\n").filter((line) => line !== "");
          return lines.map((line) => JSON.parse(line) as Intent);
        },
      },
      publish: (report) =>
        onDisk(folder, async () => {
          const json = stableJson(report);
          await writeWhole(at(DRILL_FILES.json), json);
          await writeWhole(at(DRILL_FILES.page), drillPage(report));
          await writeWhole(at(DRILL_FILES.bundle), options.sign(report, json));
          return folder;
        }),
      [Symbol.asyncDispose]: () => intent[Symbol.asyncDispose](),
    };
  });
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

async function onDisk<T>(folder: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (cause) {
    if (!(cause instanceof Error && "syscall" in cause)) throw cause;
    throw new CanaryError({
      code: "REPLAY_FAILED",
      message: `cannot write into ${folder}: ${messageOf(cause)}`,
      hint: "Make room on the disk, or give a folder that can be written with --out, and run again.",
      cause,
    });
  }
}
