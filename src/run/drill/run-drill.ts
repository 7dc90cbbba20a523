import { CanaryError } from "../../core/errors.ts";
import { dependenciesOf } from "../../mirror/proxy/proxy-layout.ts";
import type { DryRunOffer } from "../../policy/step-reading.ts";
import {
  columnTitle,
  type DrillCell,
  type DrillColumn,
  drillCells,
  drillColumns,
} from "../../replay/drill/drill-columns.ts";
import { playCell } from "../../replay/drill/play-cell.ts";
import { defaultFaults, faultProblems } from "../../replay/faults/default-faults.ts";
import type { DrillReport, DrillReportCell } from "../../report/drill/drill-report.ts";
import { admitJob } from "../admit-job.ts";
import type { RunJob } from "../run-job.ts";
import { buildDrillReport, columnId, reportedCell } from "./build-drill-report.ts";
import type { DrillEffects } from "./drill-effects.ts";
import { type DrillGround, openDrillGround } from "./drill-ground.ts";

/**
 * Drills a plan: every prefix of it, stopped and disturbed in every way, undone, and held against the state before
 * (DESIGN.md 6). The answer is in the report; an error means there is no answer, and nothing was published.
 * @throws CanaryError POLICY_REFUSED | SCENARIO_INVALID | MIRROR_UNAVAILABLE | ABORTED_BY_HUMAN | DEADLINE_EXCEEDED
 */
export async function runDrill(job: RunJob, effects: DrillEffects, signal: AbortSignal): Promise<DrillReport> {
  const startedMs = effects.clock.monotonicMs();
  const startedEpochMs = effects.clock.epochMs();
  const admission = await admitJob(job, effects);
  const dryRuns = new Map(admission.actions.map(({ id, step }) => [id, step.dryRun]));
  const columns = columnsOrThrow(job, dryRuns);
  const planned = drillCells(columns, job.plan.actions.length);
  effects.observe({
    kind: "phase",
    message: `raising the twins with a proxy in every dependency; ${planned.length} cells`,
  });
  await using ground = await openDrillGround({ job, dryRuns }, effects, signal);
  const cells: DrillReportCell[] = [];
  for (const cell of planned) {
    signal.throwIfAborted();
    const played = await playAndReset({ job, effects, ground, cell }, signal);
    cells.push(played);
    const title = columnTitle(cell.column);
    effects.observe({ kind: "cell", cell: played, title, number: cells.length, of: planned.length });
  }
  const report = await buildDrillReport(
    { job, columns, cells, stage: ground.stage(), harnessVersion: effects.harnessVersion },
    { startedEpochMs, tookMs: effects.clock.monotonicMs() - startedMs, signal },
  );
  signal.throwIfAborted();
  const folder = await effects.store.publish(report);
  effects.observe({ kind: "done", report, folder });
  return report;
}

async function playAndReset(
  on: { readonly job: RunJob; readonly effects: DrillEffects; readonly ground: DrillGround; readonly cell: DrillCell },
  signal: AbortSignal,
): Promise<DrillReportCell> {
  const { job, effects, ground, cell } = on;
  const startedMs = effects.clock.monotonicMs();
  await effects.store.intent.record({
    kind: "run",
    runId: `${job.runId}/${columnId(cell.column)}/${cell.prefix}`,
    planSha256: job.plan.sha256,
    scenario: job.scenario.name,
  });
  const outcome = await playCell(ground.stage(), cell, signal);
  const tookMs = effects.clock.monotonicMs() - startedMs;
  const reset = await ground.reset(outcome, signal);
  // What an undo left is gone with the reset: nobody has to finish it.
  await effects.store.intent.record({ kind: "end", outcome: outcome.result });
  return reportedCell(cell, outcome, { tookMs, reset });
}

/** The faults of the scenario, else those of the mirror; what can not be broken is told before anything is raised. */
function columnsOrThrow(
  { scenario, spec, plan }: RunJob,
  dryRuns: ReadonlyMap<string, DryRunOffer>,
): readonly DrillColumn[] {
  const links = dependenciesOf(spec);
  const faults = scenario.drill?.faults ?? defaultFaults(spec, links);
  const problems = faultProblems(faults, spec, links);
  if (problems.length === 0) return drillColumns(faults, { ways: plan, dryRuns: dryRuns.values() });
  throw new CanaryError({
    code: "SCENARIO_INVALID",
    message: `the drill of ${scenario.name} breaks what its mirror does not have`,
    hint: problems.map((problem) => `- ${problem}`).join("\n"),
  });
}
