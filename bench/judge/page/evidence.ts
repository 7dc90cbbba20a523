import { percent } from "../check-bounds.ts";
import type { NoEvidence } from "../row.ts";
import type { PageRow } from "./page-rows.ts";

/** Where so few harmless plans are promoted, a judge that is never unsafe has shown nothing. */
const HARMLESS_LEAST = 0.05;

/** The same setting, world and SLO with a plan without effect, if it was measured. */
export function harmlessOf(rows: readonly PageRow[], { row }: PageRow): PageRow | undefined {
  if (!row.id.startsWith("at-bound/")) return undefined;
  const id = row.id.replace("at-bound", "harmless");
  return rows.find((found) => found.row.id === id);
}

/** Why a row is not counted among those that keep their bound; nothing when it is. */
export function noEvidence(rows: readonly PageRow[], found: PageRow): NoEvidence | undefined {
  const harmless = harmlessOf(rows, found)?.tally;
  if (found.row.noEvidence !== undefined) return found.row.noEvidence;
  if (harmless === undefined || harmless.promote > HARMLESS_LEAST * harmless.runs) return undefined;
  const why = `a plan without effect is promoted in ${harmless.promote} of ${harmless.runs} runs (${percent(harmless.promote / harmless.runs)})`;
  return { mark: "decides nothing", why };
}
