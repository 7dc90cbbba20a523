import type { Role } from "../mirror/twin.ts";
import { differenceOf, quantileArmOf } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { type BinCounts, binnedPool } from "./sample.ts";
import { FLOOR_LOG, naturalLevel, nothingWhy, type PhaseQuery, type PhaseSeries } from "./series.ts";
import type { Measure } from "./slo.ts";

/** Pooled latency quantile of both twins over the valid blocks of a phase (STATISTICS.md 2.1). */
export function quantilePhase(
  store: BlockStore,
  query: PhaseQuery & { readonly measure: Extract<Measure, { kind: "latency" }> },
): PhaseSeries {
  const phase = store.requests(query.measure.route, query.window, query.blockMs, query.late);
  const { places, sizes, size, pairs } = phase.valid;
  const invalid = phase.blocks.length - places.length;
  if (places.length === 0) {
    return { kind: "no-data", why: nothingWhy(phase.blocks.length), invalid, blocks: phase.blocks.length };
  }
  const options = { quantile: query.measure.quantile, scale: query.scale };
  const arm = (role: Role) =>
    quantileArmOf(
      binnedPool(phase.counts[role]),
      { sizes, above: (ln) => phase.latencies[role].above(ln, places) },
      options,
    );
  const arms = { control: arm("control"), shadow: arm("shadow") };
  const levelOf = (role: Role): number => naturalLevel(arms[role].estimate, query.scale);
  const levels = { control: levelOf("control"), shadow: levelOf("shadow") };
  return {
    kind: "series",
    scale: query.scale,
    ...differenceOf(arms),
    arms,
    floor: query.scale === "log" ? FLOOR_LOG : FLOOR_LOG * levels.control,
    levels,
    invalid,
    observations: size,
    pairs,
    constant: isOneBin(phase.counts.control) && isOneBin(phase.counts.shadow),
  };
}

function isOneBin(bins: BinCounts): boolean {
  return bins.low >= bins.high;
}
