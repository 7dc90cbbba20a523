import { countOf } from "../amounts.ts";
import type { Tone } from "../terminal/paint.ts";
import type { DrillReport, DrillReportCell } from "./drill-report.ts";

/** What an outcome means, for people who were just woken up; the badge of a page and the tone of a terminal it is shown in. */
export const OUTCOME_WORDS: Readonly<
  Record<
    DrillReport["outcome"],
    {
      readonly title: string;
      readonly meaning: string;
      readonly badge: "promote" | "reject" | "hold";
      readonly tone: Tone;
    }
  >
> = {
  clean: {
    title: "CLEAN",
    meaning: "Every rollback restored the state exactly, whatever was broken.",
    badge: "promote",
    tone: "good",
  },
  "not-restored": {
    title: "NOT RESTORED",
    meaning: "At least one rollback leaves something behind. Do not promote this plan.",
    badge: "reject",
    tone: "bad",
  },
  findings: {
    title: "FINDINGS",
    meaning: "Every rollback that could be judged restored the state, but something else is wrong or not known.",
    badge: "hold",
    tone: "unsure",
  },
};

/** A result in a word that fits into a cell; the chip of a page and the tone of a terminal it is shown in. */
export const RESULT_WORDS: Readonly<
  Record<
    DrillReportCell["result"],
    { readonly word: string; readonly chip: "pass" | "fail" | "open" | "plain"; readonly tone: Tone }
  >
> = {
  clean: { word: "ok", chip: "pass", tone: "good" },
  "not-restored": { word: "LEFT", chip: "fail", tone: "bad" },
  finding: { word: "but", chip: "open", tone: "unsure" },
  error: { word: "?", chip: "plain", tone: "unsure" },
};

/** What the words of the matrix mean, in one line. */
export const LEGEND =
  "ok restored exactly   LEFT something stayed changed   but finding   ? not known   - does not apply";

/** The matrix of a drill: one head for each prefix of the plan, one row for each way with its cell at each prefix. */
export interface DrillMatrix {
  readonly heads: readonly { readonly count: string; readonly last: string }[];
  readonly rows: readonly {
    readonly way: DrillReport["columns"][number];
    /** In the order of the heads; `undefined` where nothing applies. */
    readonly cells: readonly (DrillReportCell | undefined)[];
  }[];
}

/** Lays a drill out as every reader of it is shown it. */
export function drillMatrix(report: DrillReport): DrillMatrix {
  const prefixes = Array.from({ length: report.plan.actions.length + 1 }, (_, prefix) => prefix);
  return {
    heads: prefixes.map((prefix) => prefixWords(report, prefix)),
    rows: report.columns.map((way) => ({
      way,
      cells: prefixes.map((prefix) => report.cells.find((cell) => cell.column === way.id && cell.prefix === prefix)),
    })),
  };
}

/** Head of a prefix: how many actions, and the last of them. */
function prefixWords(report: DrillReport, prefix: number): { readonly count: string; readonly last: string } {
  const last = report.plan.actions[prefix - 1];
  return { count: String(prefix), last: last === undefined ? "nothing" : `${prefix > 1 ? "+ " : ""}${last.id}` };
}

/** Cells that are not clean, the gravest first. */
export function troubles(report: DrillReport): readonly DrillReportCell[] {
  const order = ["not-restored", "finding", "error"];
  return report.cells
    .filter(({ result }) => result !== "clean")
    .toSorted((a, b) => order.indexOf(a.result) - order.indexOf(b.result));
}

/** Where a cell stands, in words: `kill db, 2 actions`. */
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
