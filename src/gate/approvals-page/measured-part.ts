import { describeMeasured, describeRange } from "../../core/delta-range.ts";
import { describeDuration } from "../../report/amounts.ts";
import { chip, facts, list, section } from "../../report/html/page-parts.ts";
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
    sloList(predicate),
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
function undoWords({ rollback }: Predicate): string {
  if (!isRollbackProven(rollback)) return "not proven";
  const { underLoad } = rollback;
  if (underLoad.kind !== "run") return "not proven";
  const [took, promised] = [describeDuration(underLoad.undoMs), describeDuration(underLoad.withinMs)];
  return `proven, quietly and under load; took ${took}, promised ${promised}`;
}

/** The one line of it that somebody reads who reads no other: numbers where it held, the reason where not. */
export function measuredWords(verdict: VerdictEvidence | undefined): string {
  if (verdict === undefined) return "nothing: no verdict was published";
  const { predicate } = verdict.statement;
  const { title } = VERDICT_WORDS[predicate.verdict];
  const [first] = predicate.reasons;
  if (predicate.verdict !== "promote") return `${title}: ${first?.message ?? "no reason is given"}`;
  const told = predicate.slos
    .slice(0, GLANCED_MAX)
    .map((slo) => `${slo.name} ${deltaOf(slo, slo.estimate) ?? "no data"}`);
  const more = predicate.slos.length - told.length;
  const all = [...told, ...(more > 0 ? [`${more} more`] : [])].join(", ");
  return `${title}: ${all}; undo ${isRollbackProven(predicate.rollback) ? "proven" : "not proven"}`;
}

/** As many objectives as fit into a line. */
const GLANCED_MAX = 3;

const TONES = { pass: "pass", fail: "fail", open: "open", "no-data": "fail" } as const;

function sloList({ slos }: Predicate): SafeHtml {
  return html`<h3>Objectives: change against the untouched twin</h3><ul class="slos">${slos.map((slo) => {
    const { name, state, interval, accepted } = slo;
    const range = describeRange({
      scale: accepted.scale,
      lo: accepted.lo ?? Number.NEGATIVE_INFINITY,
      hi: accepted.hi ?? Number.POSITIVE_INFINITY,
    });
    const [lo, hi] = [deltaOf(slo, interval.lo) ?? "unknown", deltaOf(slo, interval.hi) ?? "unknown"];
    return html`<li><strong>${text(name)}</strong> ${chip(TONES[state], STATE_WORDS[state])} <span class="number">${deltaOf(slo, slo.estimate) ?? "no data"}</span>
<span class="muted">the truth lies in ${lo} to ${hi}; accepted is ${range}</span></li>`;
  })}</ul>`;
}

function deltaOf({ accepted }: Predicate["slos"][number], value: number | null): string | undefined {
  return value === null ? undefined : describeMeasured(value, accepted.scale);
}
