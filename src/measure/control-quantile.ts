import type { Window } from "../replay/recording.ts";
import { addLatencies, routeSections } from "./base-block.ts";
import { createBinTally } from "./bin-tally.ts";
import type { BlockStore } from "./block-store.ts";
import { lnAtBin } from "./log-bins.ts";

/**
 * A quantile of the control's latencies over a window, ms, to within a bin (0.15%); late seconds and failed requests count.
 * @param route - undefined: all of them
 * @returns undefined where fewer than `leastRequests` have a latency
 */
export function controlQuantileMs(
  store: BlockStore,
  window: Window,
  asked: { readonly route: string | undefined; readonly quantile: number; readonly leastRequests: number },
): number | undefined {
  const tally = createBinTally();
  for (const { packed } of store.bases(window)) {
    for (const section of routeSections(packed)) {
      const isAsked = asked.route === undefined || store.routes[section.route] === asked.route;
      if (isAsked) addLatencies(section, "control", tally);
    }
  }
  const bins: { readonly bin: number; readonly count: number }[] = [];
  tally.drain((bin, count) => bins.push({ bin, count }));
  const size = bins.reduce((total, { count }) => total + count, 0);
  if (size < asked.leastRequests) return undefined;
  let below = 0;
  const found = bins.find(({ count }) => {
    below += count;
    return below >= asked.quantile * size;
  });
  return found === undefined ? undefined : Math.exp(lnAtBin(found.bin + 1));
}
