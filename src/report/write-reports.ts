import { mkdir, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { type JunitOptions, junitXml } from "./files/junit-xml.ts";
import { reportJson } from "./files/report-json.ts";
import { summaryMarkdown } from "./files/summary-md.ts";
import { reportPage } from "./html/report-page.ts";
import type { RunReport } from "./run-report.ts";

/** Names of the report files in a run's folder. */
export const REPORT_FILES = {
  json: "report.json",
  summary: "summary.md",
  junit: "junit.xml",
  page: "report.html",
} as const;

/**
 * Writes report.json, summary.md, junit.xml and report.html into `dir`, which is made if it is missing. Each file appears
 * whole or not at all.
 */
export async function writeReports(
  report: RunReport,
  dir: string,
  options: JunitOptions = { holdAs: "skipped" },
): Promise<void> {
  const texts = [
    [REPORT_FILES.json, reportJson(report)],
    [REPORT_FILES.summary, summaryMarkdown(report)],
    [REPORT_FILES.junit, junitXml(report, options)],
    [REPORT_FILES.page, await reportPage(report)],
  ] as const;
  await mkdir(dir, { recursive: true });
  for (const [name, text] of texts) {
    const file = path.join(dir, name);
    await writeFile(`${file}.part`, text);
    await rename(`${file}.part`, file);
  }
}
