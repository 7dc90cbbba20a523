import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { codeDigest } from "./code-digest.ts";
import type { Row } from "./row.ts";
import type { Tally } from "./tally.ts";

const RESULTS_FILE = fileURLToPath(new URL("./results.json", import.meta.url));

const Count = z.number().int().min(0);
const StoredRowSchema = z.strictObject({
  tally: z.strictObject({
    runs: Count,
    promote: Count,
    reject: Count,
    hold: Count,
    beforeSeconds: z.number().min(0),
    afterSeconds: z.record(z.string(), Count),
  }),
  date: z.iso.date(),
  /** Of the row's record, and of the code that made it (`codeDigest`; before 2026-11-30 of whole folders, rivals and comments too). */
  definition: z.string(),
  code: z.string(),
});
const StoredSchema = z.strictObject({
  schema: z.literal("canary.bench-judge/v1"),
  firstSeed: Count,
  machine: z.string(),
  rows: z.record(z.string(), StoredRowSchema),
});

/** One row as it was measured. */
export type StoredRow = z.infer<typeof StoredRowSchema>;
/** Every row of the last full run. */
export type StoredResults = z.infer<typeof StoredSchema>;

/** What is beside RESULTS.md, or nothing. */
export function readResults(): StoredResults | undefined {
  let text: string;
  try {
    text = readFileSync(RESULTS_FILE, "utf8");
  } catch {
    return undefined;
  }
  return StoredSchema.parse(JSON.parse(text));
}

/** Writes it; readers of the page can count again. */
export function writeResults(results: StoredResults): void {
  const rows = Object.entries(results.rows).map(([id, row]) => `    ${JSON.stringify(id)}: ${JSON.stringify(row)}`);
  const { rows: _, ...head } = results;
  const text = `${JSON.stringify(head, undefined, 2).slice(0, -2)},\n  "rows": {\n${rows.join(",\n")}\n  }\n}\n`;
  writeFileSync(RESULTS_FILE, text);
}

/** A row that was just measured. */
export function storedRow(row: Row, tally: Tally, date: string): StoredRow {
  return { tally: { ...tally }, date, definition: definitionOf(row), code: codeDigest(row.judge) };
}

/** Twelve digits of everything that decides a row, but for the code. */
export function definitionOf({ world, truth, judge, goals, beforeSeconds, runs }: Row): string {
  return digest(JSON.stringify({ world, truth, judge, goals, beforeSeconds, runs }));
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
