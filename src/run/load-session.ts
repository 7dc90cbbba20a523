import type { Clock } from "../core/clock.ts";
import { type BlockStore, type BlockStoreOptions, createBlockStore } from "../measure/block-store.ts";
import type { ResponseLog } from "../measure/response-log.ts";
import type { Measure } from "../measure/slo.ts";
import type { Fingerprint } from "../mirror/fingerprint.ts";
import { ROLES, type Role, type TwinPair } from "../mirror/twin.ts";
import type { DriverReport, OverduePairs, RecordedRound, RecordingManifest, Window } from "../replay/recording.ts";
import { trafficRoutes } from "../replay/traffic/traffic-routes.ts";
import type { TrafficDriver } from "../replay/traffic-driver.ts";
import type { TrafficSpec } from "../replay/traffic-spec.ts";
import { readsMetrics, sampleMetrics } from "./metric-sampler.ts";
import { compareAnswers } from "./response-evidence.ts";
import type { RunEffects, RunStore } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import { watchTwins } from "./twin-watch.ts";

type PhaseName = keyof RecordingManifest["phases"];

/** What traffic needs of the outside world: less than a run, for those who measure without a plan. */
export type LoadEffects = Pick<RunEffects, "clock" | "startDriver" | "state" | "observe"> & {
  readonly store: Pick<RunStore, "recordingDir" | "saveMetrics" | "saveResponses" | "saveManifest">;
};

/** Traffic that flows to both twins, with everything that is read from them, on one axis. */
export interface LoadSession extends AsyncDisposable {
  readonly store: BlockStore;
  /** What was compared of answers so far. */
  readonly responses: ResponseLog;
  readonly phases: RecordingManifest["phases"];
  /** Of a switchback: those that are complete. */
  readonly rounds: readonly RecordedRound[];
  /** Aborts when there is nothing to wait for any more: the driver has ended by itself, or both twins are gone. */
  readonly ended: AbortSignal;
  /** Milliseconds since the first arrival. */
  axisMs(): number;
  /** Every request intended before this instant has its outcome, and every metric was asked for beyond it. */
  completeUntilMs(): number;
  /** Since when requests have flowed without a pause, ms on the axis; undefined while a barrier holds them up. */
  flowingFromMs(): number | undefined;
  /** Pairs that still waited when the driver last told, and when that was; -Infinity before it did. */
  overdue(): { readonly atMs: number; readonly pairs: readonly OverduePairs[] };
  /** Notes that a harm was in force in this window, so that nobody takes it for traffic of the run's. */
  notePlanted(what: string, window: Window): void;
  /** Marks a phase; a later mark of the same phase replaces its end. */
  mark(phase: PhaseName, window: Window): void;
  /** Adds a complete round of a switchback. */
  markRound(round: RecordedRound): void;
  /** Arrivals stop, requests and work in hand end, background services freeze; fingerprints of both; then all goes on. */
  barrier(signal: AbortSignal): Promise<Readonly<Record<Role, Fingerprint>>>;
  /** The same stillness for a look of another kind; background services are frozen while it lasts. */
  still<T>(look: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** The last barrier: the driver ends, the background stays frozen. */
  finish(signal: AbortSignal): Promise<{
    readonly driver: DriverReport;
    readonly fingerprints: Readonly<Record<Role, Fingerprint>>;
  }>;
}

/** For work in hand to be done before the noise of the twins is learned: what is learned is never held against a plan. */
const WORK_IN_HAND_MS = 1000;

/** Starts driver and sampler; both twins receive their first request at the same instant. */
export async function startLoad(options: {
  readonly job: Pick<RunJob, "runId" | "seed" | "scenario" | "scenarioDir">;
  readonly pair: TwinPair;
  readonly effects: LoadEffects;
  readonly signal: AbortSignal;
}): Promise<LoadSession> {
  const { job, pair, effects } = options;
  const routes = trafficRoutes(job.scenario.traffic);
  const store = createBlockStore(blockStoreOptions(job.scenario.traffic));
  const answers = compareAnswers(job.scenario.responses.perSecond, effects.store.saveResponses);
  const planted: { readonly what: string; readonly window: Window }[] = [];
  const phases: { -readonly [K in PhaseName]?: Window } = {};
  const rounds: RecordedRound[] = [];
  const sampling = new AbortController();
  const watch = watchTwins(pair, options.signal);
  let overdue: ReturnType<LoadSession["overdue"]> = { atMs: Number.NEGATIVE_INFINITY, pairs: [] };
  await using opening = new AsyncDisposableStack();
  const driver = opening.use(
    await effects.startDriver({
      traffic: job.scenario.traffic,
      baseDir: job.scenarioDir,
      targets: driverTargets(pair),
      seed: job.seed,
      recordingDir: effects.store.recordingDir,
      onPairs: store.addPairs,
      ...answers.driver,
      onPulse: (pulse) => {
        effects.observe({ kind: "pulse", pulse });
        overdue = { atMs: pulse.atMs, pairs: pulse.overdue ?? [] };
        watch.onPulse(pulse);
      },
      signal: options.signal,
    }),
  );
  const axisMs = axisOf(effects.clock, driver);
  const measures = [...job.scenario.slos.map((slo) => slo.measure), ...triggerMeasures(job.scenario)];
  let flowingFromMs: number | undefined = 0;
  let sampledUntilMs = readsMetrics(measures) ? 0 : Number.POSITIVE_INFINITY;
  const sampler = sampleMetrics({
    pair,
    measures,
    axisMs,
    onSamples: (samples, atMs) => {
      sampledUntilMs = atMs;
      for (const sample of samples) store.addMetric(sample);
      effects.store.saveMetrics(samples);
    },
    clock: effects.clock,
    signal: AbortSignal.any([options.signal, sampling.signal]),
  });
  opening.defer(async () => {
    sampling.abort();
    await sampler;
  });
  const manifest = (report?: DriverReport): RecordingManifest => ({
    schema: "canary.recording/v1",
    runId: job.runId,
    seed: job.seed,
    routes,
    ratePerSecond: job.scenario.traffic.ratePerSecond,
    startedEpochMs: effects.clock.epochMs() - axisMs(),
    phases,
    ...(rounds.length === 0 ? {} : { rounds }),
    ...(planted.length === 0 ? {} : { planted }),
    ...(report === undefined ? {} : { driver: report }),
  });
  const still = async <T>(look: () => Promise<T>, signal: AbortSignal, worksOnMs = 0): Promise<T> => {
    flowingFromMs = undefined;
    await driver.pause(signal);
    if (worksOnMs > 0 && pair.spec.background.length > 0) await effects.clock.sleep(worksOnMs, signal);
    await freezeBackground(pair, signal);
    const seen = await look();
    await thawBackground(pair, signal);
    await driver.resume();
    flowingFromMs = axisMs();
    return seen;
  };
  const opened = opening.move();
  return {
    store,
    responses: answers.log,
    phases,
    rounds,
    ended: AbortSignal.any([driver.ended, watch.lost]),
    axisMs,
    completeUntilMs: () => Math.min(store.deliveredUntilMs(), sampledUntilMs),
    flowingFromMs: () => flowingFromMs,
    overdue: () => overdue,
    notePlanted: (what, window) => void planted.push({ what, window }),
    mark: (phase, window) => {
      phases[phase] = window;
    },
    markRound: (round) => {
      rounds.push(round);
    },
    barrier: (signal) => still(() => fingerprintsOf({ pair, effects, signal }), signal, WORK_IN_HAND_MS),
    still,
    finish: async (signal) => {
      flowingFromMs = undefined;
      const report = await driver.finish(signal);
      sampling.abort();
      await sampler;
      await effects.store.saveManifest(manifest(report));
      return { driver: report, fingerprints: await frozenFingerprints({ pair, effects, signal }) };
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** State of both twins while nothing moves: background frozen, no traffic (the caller stopped it). */
export async function frozenFingerprints(options: {
  readonly pair: TwinPair;
  readonly effects: Pick<RunEffects, "state">;
  readonly signal: AbortSignal;
}): Promise<Readonly<Record<Role, Fingerprint>>> {
  await freezeBackground(options.pair, options.signal);
  return await fingerprintsOf(options);
}

async function freezeBackground(pair: TwinPair, signal: AbortSignal): Promise<void> {
  await Promise.all(ROLES.map((role) => pair[role].freeze(pair.spec.background, signal)));
}

/** Background services of both twins work on; requests still stay away. */
export async function thawBackground(pair: TwinPair, signal: AbortSignal): Promise<void> {
  await Promise.all(ROLES.map((role) => pair[role].thaw(pair.spec.background, signal)));
}

/** State of both twins; the caller sees to it that nothing moves. */
export async function fingerprintsOf({
  pair,
  effects,
  signal,
}: Parameters<typeof frozenFingerprints>[0]): Promise<Readonly<Record<Role, Fingerprint>>> {
  const [control, shadow] = await Promise.all([
    effects.state.fingerprint(pair.control, pair.spec.state, { signal }),
    effects.state.fingerprint(pair.shadow, pair.spec.state, { signal }),
  ]);
  return { control, shadow };
}

/** How a recording of this traffic is counted; the same when it is judged again. */
export function blockStoreOptions(traffic: TrafficSpec): BlockStoreOptions {
  const timeouts = [...traffic.mix.map((route) => route.timeoutMs), traffic.recording?.timeoutMs ?? 0];
  return { routes: trafficRoutes(traffic), baseBlockMs: 1000, noAnswerMs: Math.max(...timeouts) };
}

function axisOf(clock: Clock, driver: TrafficDriver): () => number {
  return () => clock.monotonicMs() - driver.startMonotonicMs;
}

/** What only triggers look at is read like everything else. */
function triggerMeasures({ triggers }: Pick<RunJob["scenario"], "triggers">): readonly Measure[] {
  return triggers.flatMap((trigger) => ("metric" in trigger ? [trigger.metric] : []));
}

function driverTargets(pair: TwinPair): Parameters<RunEffects["startDriver"]>[0]["targets"] {
  const targetsOf = (role: Role) => {
    const { http, grpc } = pair.spec.entry;
    return {
      ...(http === undefined ? {} : { http: pair[role].address(http) }),
      ...(grpc === undefined ? {} : { grpc: pair[role].address(grpc) }),
    };
  };
  return { control: targetsOf("control"), shadow: targetsOf("shadow") };
}
