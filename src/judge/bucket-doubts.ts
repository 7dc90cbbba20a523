import { type DeltaRange, describeDelta } from "../core/delta-range.ts";
import type { Series } from "../measure/series.ts";
import { deltaUnit } from "../measure/slo.ts";
import { acceptedRange, outwards, type ResolvedSlo } from "./accepted.ts";
import type { SloJudgement } from "./verdict.ts";
import { type Unseen, unseenAfterBaseline } from "./within-buckets.ts";

/**
 * A pass of a histogram that is held while the effect could leave the accepted range unseen, inside the buckets in which the quantile
 * lies (`within-buckets.ts`); anything else as it is. Open, not without data: a rejection needs counts that moved, and stays possible.
 */
export function heldForBuckets(judged: SloJudgement): SloJudgement {
  if (judged.state !== "pass" || judged.buckets === undefined) return judged;
  const note = unseenText(judged.buckets, judged);
  if (note === undefined) return judged;
  const because = { code: "UNDERPOWERED", subject: judged.name, message: `${judged.name}: ${note}` } as const;
  return { ...judged, state: "open", note, because };
}

/** Why a conforming plan could not pass in the buckets of this baseline, and what would do; undefined where it could. */
export function unseenPlanned(resolved: ResolvedSlo, before: Series): string | undefined {
  const unseen = unseenAfterBaseline(resolved, before);
  const { limit, measure } = resolved.slo;
  return unseen && unseenText(unseen, { accepted: acceptedRange(resolved) ?? limit, unit: deltaUnit(measure) });
}

/** What could leave the accepted range unseen, and what would do; undefined where nothing could. */
export function unseenText(
  unseen: Unseen,
  { accepted, unit }: Pick<SloJudgement, "accepted" | "unit">,
): string | undefined {
  const say = (delta: number): string => describeDelta(delta, accepted.scale, unit);
  const { lo, hi } = unseenSides(unseen, accepted);
  const sizes = [
    ...(lo === undefined ? [] : [Number.isFinite(lo) ? `down to ${say(lo)}` : "a fall of any size"]),
    ...(hi === undefined ? [] : [Number.isFinite(hi) ? `up to ${say(hi)}` : "a rise of any size"]),
  ];
  if (sizes.length === 0) return undefined;
  const limits = [
    ...(lo === undefined ? [] : [-outwards(-lo, accepted, unit)]),
    ...(hi === undefined ? [] : [outwards(hi, accepted, unit)]),
  ];
  const instead = limits.every(Number.isFinite) ? ` or a limit of ${limits.map(say).join(" to ")}` : "";
  return `${unseen.where}, in which ${sizes.join(" or ")} would not be seen; finer buckets${instead} would do`;
}

/** The sides of a range that the effect could leave unseen, with how far; infinite where nothing is known. */
export function unseenSides(
  unseen: Pick<Unseen, "lo" | "hi">,
  accepted: DeltaRange,
): { readonly lo?: number; readonly hi?: number } {
  // A fall by all there is: nobody asks for less.
  const lo = accepted.scale === "ratio" && unseen.lo <= -1 ? Number.NEGATIVE_INFINITY : unseen.lo;
  return {
    ...(Number.isFinite(accepted.lo) && !(lo > accepted.lo) ? { lo } : {}),
    ...(Number.isFinite(accepted.hi) && !(unseen.hi < accepted.hi) ? { hi: unseen.hi } : {}),
  };
}
