import { countOf } from "../amounts.ts";
import type { DrillReport, DrillReportCell } from "./drill-report.ts";

/** What an outcome means, for people who were just woken up. */
export const OUTCOME_WORDS: Readonly<
  Record<DrillReport["outcome"], { readonly title: string; readonly meaning: string; readonly tone: string }>
> = {
  clean: {
    title: "CLEAN",
    meaning: "Every rollback restored the state exactly, whatever was broken.",
    tone: "promote",
  },
  "not-restored": {
    title: "NOT RESTORED",
    meaning: "At least one rollback leaves something behind. Do not promote this plan.",
    tone: "reject",
  },
  findings: {
    title: "FINDINGS",
    meaning: "Every rollback that could be judged restored the state, but something else is wrong or not known.",
    tone: "hold",
  },
};

/** A result in a word that fits into a cell, and the tone it is shown in. */
export const RESULT_WORDS: Readonly<
  Record<DrillReportCell["result"], { readonly word: string; readonly chip: "pass" | "fail" | "open" | "plain" }>
> = {
  clean: { word: "ok", chip: "pass" },
  "not-restored": { word: "LEFT", chip: "fail" },
  finding: { word: "but", chip: "open" },
  error: { word: "?", chip: "plain" },
};

/** What the words of the matrix mean, in one line. */
export const LEGEND =
  "ok restored exactly   LEFT something stayed changed   but finding   ? not known   - does not apply";

/** Head of a prefix: how many actions, and the last of them. */
export function prefixWords(report: DrillReport, prefix: number): { readonly count: string; readonly last: string } {
  const last = report.plan.actions[prefix - 1];
  return { count: String(prefix), last: last === undefined ? "nothing" : `${prefix > 1 ? "+ " : ""}${last.id}` };
}

/** Prefixes of a plan: 0 to all of its actions. */
export function prefixesOf(report: DrillReport): readonly number[] {
  return Array.from({ length: report.plan.actions.length + 1 }, (_, prefix) => prefix);
}

/** The cell at a place of the matrix; `undefined` where nothing applies. */
export function cellAt(report: DrillReport, column: string, prefix: number): DrillReportCell | undefined {
  return report.cells.find((cell) => cell.column === column && cell.prefix === prefix);
}

/** Cells that are not clean, the gravest first. */
export function troubles(report: DrillReport): readonly DrillReportCell[] {
  const order = ["not-restored", "finding", "error"];
  return report.cells
    .filter(({ result }) => result !== "clean")
    .toSorted((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
}

/** Where a cell stands, in words: `kill db, after 2 actions`. */
export function placeWords(report: DrillReport, cell: DrillReportCell): string {
  const title = report.columns.find(({ id }) => id === cell.column)?.title ?? cell.column;
  return `${title}, ${cell.prefix === 0 ? "no action" : countOf(cell.prefix, "action")}`;
}

/** Which way back a cell took, in a sentence without its end; nothing where nothing was begun. */
export function wayBackWords({ wayBack }: DrillReportCell): string | undefined {
  if (wayBack === undefined) return undefined;
  const { why, how } = wayBack;
  if (why === "resumed") return "Way back: finished from the log of the dead harness";
  if (how === "undos")
    return `Way back: the undo of each action${why === "planned" ? "" : `, as after ${CAUSES[why]}`}`;
  const own = why === "failure" ? "onFailure" : "onAbort";
  return how === "steps" ? `Way back: the plan's own ${own}` : `Way back: none, for the plan's ${own} says stop`;
}

const CAUSES = { failure: "a failure", abort: "an abort" } as const;

/** How often each way of resetting was needed, and the slowest of those that did something. */
export function resetWords(report: DrillReport): string {
  const count = (way: string): number => report.cells.filter(({ reset }) => reset.way === way).length;
  const used = [
    [count("none"), "needed none"],
    [count("restarted"), "by restarting services whose connections did not survive"],
    [count("snapshot"), "by snapshot"],
    [count("raised-anew"), "by raising the twins anew"],
  ] as const;
  return used
    .filter(([times]) => times > 0)
    .map(([times, words]) => `${times} ${words}`)
    .join(", ");
}
