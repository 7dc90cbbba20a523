import { CanaryError } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import { seededRandom } from "../../core/random.ts";
import type { RecordedRequest } from "../recordings/recorded-request.ts";
import type { TrafficSpec } from "../traffic-spec.ts";
import { type Arrivals, recordedArrivals, startArrivals } from "./arrivals.ts";
import { type CapturePlan, planCaptures } from "./captured-values.ts";
import { type Call, compileMessage, recordedCall } from "./compile-call.ts";
import { DRAW, type RequestRandom, requestRandom } from "./request-random.ts";
import { trafficRoutes } from "./traffic-routes.ts";
import { weightedChoice } from "./weighted-choice.ts";

/** A traffic spec with everything prepared that does not depend on answers. */
export interface TrafficPlan {
  readonly spec: TrafficSpec;
  readonly routes: readonly string[];
  /** Calls of the mix, in its order. */
  readonly mix: readonly Call[];
  readonly recorded: readonly RecordedRequest[];
  readonly captures: CapturePlan;
}

/** The next request of the list; its fields change with every `advance`. */
export interface TrafficCursor {
  /** Number of the request, from 0. */
  readonly sequence: number;
  /** When it is due, ms from the start of the traffic; the list knows nothing of pauses. */
  readonly atMs: number;
  readonly call: Call;
  advance(): void;
}

/**
 * Compiles every text of the traffic.
 * @param recorded - requests of the recording, if the spec names one
 * @throws CanaryError SCENARIO_INVALID listing every placeholder, header and path that cannot work
 */
export function planTraffic(spec: TrafficSpec, recorded: readonly RecordedRequest[]): TrafficPlan {
  const problems: string[] = [];
  const routes = trafficRoutes(spec);
  const captures = planCaptures(spec.mix);
  const names = new Set(captures.poolOfName.keys());
  if (names.has("seq")) problems.push("traffic.mix: a captured value cannot be called seq");
  const mix = spec.mix.map((route, index) => ({
    route: routes.indexOf(route.route),
    timeoutMs: route.timeoutMs,
    message: compileMessage(route, {
      values: spec.values,
      captures: names,
      problems,
      where: `traffic.mix.${index}`,
    }),
    capture: Object.entries(route.capture),
    gives: captures.poolsOfRoute[index] ?? [],
  }));
  if (spec.recording !== undefined && recorded.length === 0) {
    problems.push(`traffic.recording: ${spec.recording.file} holds no request that would be replayed`);
  }
  if (problems.length === 0) return { spec, routes, mix, recorded, captures };
  throw new CanaryError({
    code: "SCENARIO_INVALID",
    message: "the traffic cannot be sent as written",
    hint: problems.slice(0, 50).join("\n"),
  });
}

type Source = { readonly arrivals: Arrivals; readonly call: (sequence: number) => Call };

/** The request list of a seed, endless and drawn lazily; the same seed gives the same list. */
export function startTraffic(plan: TrafficPlan, seed: number): TrafficCursor {
  const sources = trafficSources(plan, seed).map((source) => ({ source, atMs: source.arrivals.next() }));
  const earliest = (): (typeof sources)[number] =>
    sources.reduce((first, other) => (other.atMs < first.atMs ? other : first));
  let due = earliest();
  const cursor = {
    sequence: 0,
    atMs: due.atMs,
    call: due.source.call(0),
    advance: () => {
      due.atMs = due.source.arrivals.next();
      due = earliest();
      cursor.sequence += 1;
      cursor.atMs = due.atMs;
      cursor.call = due.source.call(cursor.sequence);
    },
  };
  return cursor;
}

/** One source, or two if the recording keeps its own pace beside a mix. */
function trafficSources(plan: TrafficPlan, seed: number): readonly Source[] {
  const { spec, mix } = plan;
  const random = requestRandom(seed);
  const drawn = seededRandom(seed);
  const fromRecording = recordedCalls(plan);
  if (spec.recording === undefined || fromRecording === undefined) {
    return [{ arrivals: mixArrivals(spec, 1, drawn), call: mixedCalls(mix, weightsOf(spec), random) }];
  }
  const weights = weightsOf(spec);
  if (spec.recording.pace === "arrivals") {
    const calls = mixedCalls([...mix, fromRecording], [...weights, spec.recording.weight], random);
    return [{ arrivals: mixArrivals(spec, 1, drawn), call: calls }];
  }
  const mixWeight = weights.reduce((sum, weight) => sum + weight, 0);
  const share = spec.recording.weight / (spec.recording.weight + mixWeight);
  const offsetsMs = Float64Array.from(plan.recorded, (request) => request.offsetMs);
  const paced = { arrivals: recordedArrivals(offsetsMs, spec.ratePerSecond * share), call: fromRecording };
  if (mix.length === 0) return [paced];
  return [paced, { arrivals: mixArrivals(spec, 1 - share, drawn), call: mixedCalls(mix, weights, random) }];
}

function weightsOf(spec: TrafficSpec): readonly number[] {
  return spec.mix.map((route) => route.weight);
}

function mixArrivals(spec: TrafficSpec, share: number, random: () => number): Arrivals {
  const kind =
    spec.arrivals.kind === "ramp"
      ? { ...spec.arrivals, fromRatePerSecond: spec.arrivals.fromRatePerSecond * share }
      : spec.arrivals;
  return startArrivals({ kind, ratePerSecond: spec.ratePerSecond * share, random });
}

/** By weight, from the seed and the number of the request alone. */
function mixedCalls(
  choices: readonly (Call | (() => Call))[],
  weights: readonly number[],
  random: RequestRandom,
): (sequence: number) => Call {
  const choose = weightedChoice(weights);
  return (sequence) => {
    random.at(sequence, DRAW.route);
    const choice = choices[choose(random.next())];
    invariant(choice !== undefined, "a weighted choice outside its list");
    return typeof choice === "function" ? choice() : choice;
  };
}

/** The recording's requests in their order, wrapping around. */
function recordedCalls(plan: TrafficPlan): (() => Call) | undefined {
  const { recording } = plan.spec;
  if (recording === undefined) return undefined;
  const calls = plan.recorded.map((request) =>
    recordedCall(request, plan.routes.indexOf(request.route), recording.timeoutMs),
  );
  let taken = 0;
  return () => {
    const call = calls[taken % calls.length];
    invariant(call !== undefined, "a recording without requests");
    taken += 1;
    return call;
  };
}
