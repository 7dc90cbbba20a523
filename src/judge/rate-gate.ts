import { sum } from "../measure/arm-series.ts";
import type { BlockStore } from "../measure/block-store.ts";
import { workByRoute } from "../measure/work.ts";
import type { Window } from "../replay/recording.ts";
import type { ComparedWindows } from "./compared-windows.ts";
import { JUDGE_RULES } from "./judge-limits.ts";
import type { Reason } from "./verdict.ts";

/** A count of requests is taken to be off by no more than so many times its own root: few requests come as they like. */
const CHANCE_SDS = 5;

/**
 * Both twins get the same requests, so that a rate which changes is fair to both; yet a plan that was measured at a tenth of
 * the load of its baseline was not shown to bear that load, and bias learned under one load is not the bias under another.
 */
export function rateGate(store: BlockStore, windows: ComparedWindows): readonly Reason[] {
  const [without, inForce] = [counted(store, windows.without), counted(store, windows.with)];
  if (without.requests === 0 || inForce.requests === 0) return [];
  const [less, more] = without.rate < inForce.rate ? [without, inForce] : [inForce, without];
  const most = less.requests + CHANCE_SDS * Math.sqrt(less.requests);
  if (more.rate <= JUDGE_RULES.rateShiftMax * (most / less.seconds)) return [];
  const message = `${perSecond(inForce.rate)} requests a second came with the plan in force and ${perSecond(without.rate)} without it: what was measured under one load says nothing of the other.`;
  return [{ code: "ENVIRONMENT_UNSTABLE", message }];
}

interface Counted {
  readonly requests: number;
  readonly seconds: number;
  readonly rate: number;
}

function counted(store: BlockStore, windows: readonly Window[]): Counted {
  const requests = sum(windows.flatMap((window) => workByRoute(store, window).map((route) => route.requests)));
  const seconds = sum(windows.map(({ fromMs, toMs }) => Math.max(0, toMs - fromMs) / 1000));
  return { requests, seconds, rate: seconds === 0 ? 0 : requests / seconds };
}

function perSecond(rate: number): string {
  return String(Number(rate.toPrecision(3)));
}
