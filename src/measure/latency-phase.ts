import type { Role } from "../mirror/twin.ts";
import { differenceOf, quantileArm, sum } from "./arm-series.ts";
import type { BlockStore } from "./block-store.ts";
import { type BinCounts, binnedPool, sparseBlock } from "./sample.ts";
import { FLOOR_LOG, naturalLevel, nothingWhy, type PhaseQuery, type PhaseSeries, pairCounts } from "./series.ts";
import type { Measure } from "./slo.ts";

/** Pooled latency quantile of both twins over the valid blocks of a phase (STATISTICS.md 2.1). */
export function quantilePhase(
  store: BlockStore,
  query: PhaseQuery & { readonly measure: Extract<Measure, { kind: "latency" }> },
): PhaseSeries {
  const phase = store.requests(query.measure.route, query.window, query.blockMs);
  const valid = phase.blocks.filter((block) => block.valid);
  const invalid = phase.blocks.length - valid.length;
  if (valid.length === 0) {
    return { kind: "no-data", why: nothingWhy(phase.blocks.length), invalid, blocks: phase.blocks.length };
  }
  const size = sum(valid.map((block) => block.size));
  const options = { quantile: query.measure.quantile, scale: query.scale };
  const arm = (role: Role) =>
    quantileArm(
      binnedPool(phase.counts[role]),
      phase.blocks.flatMap((block, i) => (block.valid ? [sparseBlock(phase.latencies[role](i))] : [])),
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
    pairs: pairCounts(valid),
    constant: isOneBin(phase.counts.control) && isOneBin(phase.counts.shadow),
  };
}

function isOneBin(bins: BinCounts): boolean {
  return bins.low >= bins.high;
}
