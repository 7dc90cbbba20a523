import type { Role } from "../mirror/twin.ts";
import type { BlockStore } from "./block-store.ts";
import { bucketSample, histogramBlocks } from "./bucket-phase.ts";
import { blockRatios } from "./phase-series.ts";
import { sparsePool } from "./sample.ts";
import type { PhaseQuery } from "./series.ts";

/** Level of both twins in one block, natural units. */
export interface BlockLevel {
  /** Middle of the block on the run's axis. */
  readonly atMs: number;
  readonly control: number;
  readonly shadow: number;
}

/** How the level of a measure moved over a window, block by block; blocks without data of both twins are left out. */
export function blockLevels(store: BlockStore, query: PhaseQuery): readonly BlockLevel[] {
  const grid = store.grid(query.window, query.blockMs);
  const levels = levelsOf(store, query);
  return levels.flatMap((level, block) =>
    level === undefined ? [] : [{ atMs: grid.fromMs + (block + 0.5) * grid.blockMs, ...level }],
  );
}

type Level = Omit<BlockLevel, "atMs"> | undefined;

function levelsOf(store: BlockStore, query: PhaseQuery): readonly Level[] {
  const { measure, window, blockMs } = query;
  if (measure.kind === "latency" || measure.kind === "errors") {
    const { blocks, latencies } = store.requests(measure.route, window, blockMs);
    return blocks.map((block, i): Level => {
      if (!block.valid) return undefined;
      const level = (role: Role): number =>
        measure.kind === "errors"
          ? 1 - block.ok[role] / block.size
          : Math.exp(sparsePool(latencies[role].at(i)).lnQuantile(measure.quantile));
      return { control: level("control"), shadow: level("shadow") };
    });
  }
  if (measure.kind === "histogram") {
    const { bounds, blocks } = histogramBlocks(store, { ...query, measure });
    return blocks.map((counts): Level => {
      if (counts === undefined) return undefined;
      const level = (role: Role): number => Math.exp(bucketSample(bounds, counts[role]).lnQuantile(measure.quantile));
      return { control: level("control"), shadow: level("shadow") };
    });
  }
  return blockRatios(store, query).map(
    (ratio): Level =>
      ratio === undefined ? undefined : { control: ratio.control / ratio.bottom, shadow: ratio.shadow / ratio.bottom },
  );
}
