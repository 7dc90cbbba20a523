import { describeMeasured, describeRange } from "../../core/delta-range.ts";
import { describeDuration } from "../../report/amounts.ts";
import { chip, facts, list, section, table } from "../../report/html/page-parts.ts";
import { html, type SafeHtml } from "../../report/html/safe-html.ts";
import { STATE_WORDS } from "../../report/slo-words.ts";
import { VERDICT_WORDS } from "../../report/verdict-words.ts";
import type { VerdictEvidence } from "../evidence.ts";
import { isRollbackProven } from "../tier-checks.ts";
import { text, when } from "./page-words.ts";

type Predicate = VerdictEvidence["statement"]["predicate"];

/** The verdict: what was measured, whether the undo was proven, what the rehearsal could not show. */
export function measuredPart({ predicate }: VerdictEvidence["statement"], atEpochMs: number): SafeHtml {
  const words = VERDICT_WORDS[predicate.verdict];
  const { effects, mirror } = predicate;
  return section("measured", "What was measured", [
    html`<p><span class="verdict ${predicate.verdict}">${words.title}</span> ${words.meaning}</p>`,
    list(predicate.reasons.map(({ code, message }) => html`${text(message)} <code>${code}</code>`)),
    sloTable(predicate),
    facts([
      ["Undo", undoWords(predicate)],
      ["Effects nobody declared", effects.undeclared.total === 0 ? "none" : text(effects.undeclared.paths.join(", "))],
      ["Rehearsed", when(Date.parse(predicate.finishedAt), atEpochMs)],
      ["Good until", when(Date.parse(predicate.expiresAt), atEpochMs)],
      ["Not shown by the rehearsal", text(mirror.fidelity.join("; ") || "(the mirror names nothing)")],
    ]),
  ]);
}

/** The undo in a few words: proven means quietly and under load. */
export function undoWords({ rollback }: Predicate): string {
  if (!isRollbackProven(rollback)) return "not proven";
  const { underLoad } = rollback;
  const took =
    underLoad.kind === "run"
      ? `, ${describeDuration(underLoad.undoMs)} of ${describeDuration(underLoad.withinMs)}`
      : "";
  return `proven, quietly and under load${took}`;
}

const TONES = { pass: "pass", fail: "fail", open: "open", "no-data": "fail" } as const;

function sloTable({ slos }: Predicate): SafeHtml {
  return table({
    caption: "Service level objectives: change against the untouched twin",
    headings: ["objective", "", "measured", "the truth lies in", "accepted"],
    rows: slos.map(({ name, state, estimate, interval, accepted }) => {
      const bound = (value: number | null): string | undefined =>
        value === null ? undefined : describeMeasured(value, accepted.scale);
      return [
        text(name),
        chip(TONES[state], STATE_WORDS[state]),
        bound(estimate) ?? "no data",
        `${bound(interval.lo) ?? "unknown"} to ${bound(interval.hi) ?? "unknown"}`,
        describeRange({
          scale: accepted.scale,
          lo: accepted.lo ?? Number.NEGATIVE_INFINITY,
          hi: accepted.hi ?? Number.POSITIVE_INFINITY,
        }),
      ];
    }),
  });
}
