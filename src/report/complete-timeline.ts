import { PHASE_WORDS } from "./phase-words.ts";
import type { RunReport, TimelineEntry } from "./run-report.ts";

/**
 * The timeline in order, with the ends that the run did not write down: a phase lasts until the next one or the end of the
 * run, an action or undo as long as its record says. Phases get the names that people read elsewhere.
 */
export function completeTimeline(
  report: Pick<RunReport, "timeline" | "actions" | "startedEpochMs" | "finishedEpochMs">,
): readonly TimelineEntry[] {
  const ordered = [...report.timeline].sort((a, b) => a.atMs - b.atMs);
  const [first] = ordered;
  if (first === undefined) return [];
  const endMs = first.atMs + (report.finishedEpochMs - report.startedEpochMs);
  const phases = ordered.filter((entry) => entry.kind === "phase");
  return ordered.map((entry) => {
    const label = entry.kind === "phase" ? phaseWords(entry.label) : entry.label;
    if (entry.toMs !== undefined) return { ...entry, label };
    if (entry.kind === "phase")
      return { ...entry, label, toMs: nextStart(phases, entry) ?? Math.max(entry.atMs, endMs) };
    const durationMs = durationOf(entry, report.actions);
    return durationMs === undefined ? entry : { ...entry, toMs: entry.atMs + durationMs };
  });
}

function nextStart(phases: readonly TimelineEntry[], phase: TimelineEntry): number | undefined {
  return phases[phases.indexOf(phase) + 1]?.atMs;
}

/** The record under load that began nearest to the entry. */
function durationOf(entry: TimelineEntry, records: RunReport["actions"]): number | undefined {
  const phase = {
    action: "act",
    undo: "undo",
    barrier: undefined,
    note: undefined,
    alarm: undefined,
    breach: undefined,
    phase: undefined,
  }[entry.kind];
  const [nearest] = records
    .filter((record) => record.id === entry.label && record.proof === "load" && record.phase === phase)
    .sort((a, b) => Math.abs(a.startedMs - entry.atMs) - Math.abs(b.startedMs - entry.atMs));
  return nearest?.durationMs;
}

function phaseWords(label: string): string {
  const words: Readonly<Record<string, string>> = PHASE_WORDS;
  return Object.hasOwn(words, label) ? (words[label] ?? label) : label;
}
