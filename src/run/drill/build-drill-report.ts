import { redact, redactDeep } from "../../core/redact.ts";
import { linkName } from "../../mirror/proxy/proxy-layout.ts";
import { columnTitle, columnWhat, type DrillCell, type DrillColumn } from "../../replay/drill/drill-columns.ts";
import type { CellOutcome, DrillStage } from "../../replay/drill/drill-stage.ts";
import {
  type DrillReport,
  type DrillReportCell,
  DrillReportSchema,
  type DrillReset,
} from "../../report/drill/drill-report.ts";
import type { RunJob } from "../run-job.ts";

/** Name of a column in the report: its title without spaces. */
export function columnId(column: DrillColumn): string {
  return columnTitle(column).replaceAll(/[^a-zA-Z0-9.>:+]+/g, "-");
}

/** A played cell as the report keeps it; what services said is masked. */
export function reportedCell(
  cell: DrillCell,
  outcome: CellOutcome,
  around: { readonly tookMs: number; readonly reset: DrillReset },
): DrillReportCell {
  const { fault } = outcome;
  const masked = ({ holds, said }: { holds: boolean; said: string }) => ({ holds, said: redact(said) });
  return {
    prefix: cell.prefix,
    column: columnId(cell.column),
    result: outcome.result,
    reason: redact(outcome.reason),
    notes: outcome.notes.map(redact),
    differences: outcome.differences.map((difference) => ({ ...difference })),
    ...(fault === undefined ? {} : { fault: { landed: masked(fault.landed), lifted: masked(fault.lifted) } }),
    ...(outcome.wayBack === undefined ? {} : { wayBack: { ...outcome.wayBack } }),
    health: outcome.health.map((answer) => ({ ...answer, said: redact(answer.said) })),
    actMs: outcome.actMs,
    undoMs: outcome.undoMs,
    recoverMs: outcome.recoverMs,
    ...around,
  };
}

/** Everything a drill showed, checked by the schema that readers use. */
export async function buildDrillReport(
  shown: {
    readonly job: RunJob;
    readonly columns: readonly DrillColumn[];
    readonly cells: readonly DrillReportCell[];
    readonly stage: DrillStage;
    readonly harnessVersion: string;
  },
  when: { readonly startedEpochMs: number; readonly tookMs: number; readonly signal: AbortSignal },
): Promise<DrillReport> {
  const { job, columns, cells, stage } = shown;
  const { facts } = stage.pair;
  const { agent, actions } = job.plan;
  const links = await Promise.all(
    stage.faults.links.map(async (link) => {
      const { connections, bytesUp, bytesDown } = await stage.faults.traffic(link, when.signal);
      return { name: linkName(link), connections, bytesUp, bytesDown };
    }),
  );
  return DrillReportSchema.parse(
    redactDeep({
      schema: "canary.drill/v1",
      harnessVersion: shown.harnessVersion,
      runId: job.runId,
      startedEpochMs: when.startedEpochMs,
      tookMs: when.tookMs,
      environment: job.scenario.environment.id,
      scenario: { name: job.scenario.name, sha256: job.scenario.sha256 },
      mirror: { name: job.spec.name, sha256: job.spec.sha256 },
      plan: {
        name: job.plan.name,
        sha256: job.plan.sha256,
        intent: job.plan.intent,
        agent: `${agent.id} ${agent.version}`,
        actions: actions.map(({ id, what }) => ({ id, what })),
      },
      columns: columns.map((column) => ({
        id: columnId(column),
        kind: column.kind,
        title: columnTitle(column),
        what: columnWhat(column),
      })),
      cells,
      outcome: outcomeOf(cells),
      links,
      twins: { engine: facts.engine, isolation: facts.isolation, raiseMs: facts.raiseMs },
      fidelity: job.spec.fidelity,
    }),
  );
}

function outcomeOf(cells: readonly DrillReportCell[]): DrillReport["outcome"] {
  if (cells.some(({ result }) => result === "not-restored")) return "not-restored";
  return cells.every(({ result }) => result === "clean") && cells.length > 0 ? "clean" : "findings";
}
