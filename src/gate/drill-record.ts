import { z } from "zod";
import { DRILL_PREDICATE_TYPE } from "../attest/drill-statement.ts";
import { STATEMENT_TYPE } from "../attest/signed-document.ts";
import { Instant, Name, Sha256 } from "../attest/statement-words.ts";

const Subject = z.strictObject({ name: z.string().max(500), digest: z.strictObject({ sha256: Sha256 }) });
const Count = z.number().int().min(0);

/** A drill as it is signed (src/attest/drill-statement.ts), as far as freshness is decided by it. */
export const DrillStatementSchema = z.strictObject({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(Subject).min(1).max(20),
  predicateType: z.literal(DRILL_PREDICATE_TYPE),
  predicate: z.strictObject({
    runId: Name,
    environment: Name,
    outcome: Name,
    startedAt: Instant,
    cells: z.strictObject({ clean: Count, notRestored: Count, findings: Count, errors: Count }),
  }),
});
export type DrillStatement = z.infer<typeof DrillStatementSchema>;

/** SHA-256 of the scenario that was drilled. */
export function drilledScenario({ subject }: DrillStatement): string | undefined {
  return subject.find(({ name }) => name.startsWith("scenario/"))?.digest.sha256;
}

/** Whether every rollback restored the twin, and none of the cells failed for another reason. */
export function isCleanDrill({ predicate: { cells, outcome } }: DrillStatement): boolean {
  return (
    outcome === "clean" && cells.clean > 0 && cells.notRestored === 0 && cells.errors === 0 && cells.findings === 0
  );
}
