import path from "node:path";
import { pid } from "node:process";
import { systemClock } from "../../src/cli/system.ts";
import { seededRandom } from "../../src/core/random.ts";
import { JudgeLimitsSchema } from "../../src/judge/judge-limits.ts";
import { judgeSlos } from "../../src/judge/judge-slos.ts";
import { createBlockStore } from "../../src/measure/block-store.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import { ROLES, type Role, type TwinPair } from "../../src/mirror/twin.ts";
import { dockerRuntime } from "../../src/mirror/twins/docker-runtime.ts";
import { startDriver } from "../../src/replay/driver/start-driver.ts";
import type { DriverTargets, TrafficDriver } from "../../src/replay/traffic-driver.ts";
import type { TrafficSpec } from "../../src/replay/traffic-spec.ts";
import { blockStoreOptions } from "../../src/run/load-session.ts";
import { type Harm, harmOf, type Lengths, secondsOf, shuffledTurns } from "./schedule.ts";
import { type Session, saveSession } from "./session-file.ts";

/** One raise of the twins: what is done in it, and where it is kept. */
export interface SessionOrder {
  readonly folder: string;
  readonly spec: MirrorSpec;
  /** Already at the rate that is wanted. */
  readonly traffic: TrafficSpec;
  /** Folder that paths in the traffic are relative to. */
  readonly baseDir: string;
  readonly seed: number;
  readonly turns: number;
  readonly lengths: Lengths;
  readonly machine: string;
  readonly say: (line: string) => void;
  /** Ends the session where it is; what was measured is kept. */
  readonly signal: AbortSignal;
}

const WARM_UP_SECONDS = 15;
const REACH_SECONDS = 24;
/** Planted to learn how much of the measured latency lies behind the ingress. */
const REACH_SHARE = 0.5;

/**
 * Raises the twins, sends traffic, and plants one harm after the other with clean traffic between them. Everything is on
 * disk when it returns, also after an abort.
 * @throws CanaryError when the twins or the driver can not be had
 */
export async function playSession(order: SessionOrder): Promise<void> {
  const { spec, say } = order;
  const forever = new AbortController().signal;
  await using pair = await dockerRuntime({ clock: systemClock, ownerPid: pid }).raise({
    spec,
    runId: `real-${path.basename(order.folder)}`,
    isolation: "strict",
    onProgress: () => undefined,
    signal: order.signal,
  });
  const session: Session = {
    schema: "canary.bench.real-twins/v1",
    ratePerSecond: order.traffic.ratePerSecond,
    seed: order.seed,
    startedAt: new Date(systemClock.epochMs()).toISOString(),
    machine: order.machine,
    cores: pair.facts.cores.kind,
    reach: 1,
    lengths: order.lengths,
    stretches: [],
  };
  let last = session;
  const keep = async (next: Session): Promise<void> => {
    last = next;
    await saveSession(order.folder, next);
  };
  await keep(session);
  const store = createBlockStore(blockStoreOptions(order.traffic));
  await using driver = await startDriver({
    traffic: order.traffic,
    baseDir: order.baseDir,
    targets: targetsOf(pair),
    seed: order.seed,
    recordingDir: order.folder,
    onPairs: store.addPairs,
    onPulse: () => undefined,
    signal: forever,
  });
  try {
    await goThrough(order, { pair, driver, session, store, keep });
  } catch (error) {
    if (!order.signal.aborted) throw error;
    say("stopped: what was measured so far is kept");
  }
  const { bottleneck } = await driver.finish(forever);
  if (bottleneck.kind === "no") return;
  say(`the driver was the bottleneck, nothing of this session counts: ${bottleneck.why}`);
  await keep({ ...last, bottleneck: bottleneck.why });
}

interface Playing {
  readonly pair: TwinPair;
  readonly driver: TrafficDriver;
  readonly session: Session;
  readonly store: ReturnType<typeof createBlockStore>;
  readonly keep: (session: Session) => Promise<void>;
}

async function goThrough(order: SessionOrder, { pair, driver, session, store, keep }: Playing): Promise<void> {
  const { lengths, signal, say } = order;
  const axisMs = (): number => systemClock.monotonicMs() - driver.startMonotonicMs;
  const lasting = (seconds: number): Promise<void> => systemClock.sleep(seconds * 1000, signal);
  await lasting(WARM_UP_SECONDS);
  let known = session;
  const stretch = async (kind: Harm | "clean", seconds: number): Promise<void> => {
    const fromMs = axisMs();
    await pair.shadow.plantHarm(kind === "clean" ? undefined : harmOf(kind, known.reach), signal);
    await lasting(seconds + lengths.settle);
    const whole = { kind, fromMs, toMs: fromMs + (seconds + lengths.settle) * 1000 };
    known = { ...known, stretches: [...known.stretches, whole] };
    await keep(known);
  };
  await stretch("clean", lengths.baseline);
  known = { ...known, reach: await reachOf(order, { pair, store, axisMs, baseline: known.stretches[0], lasting }) };
  say(`  ${Math.round(known.reach * 100)}% of the median lies behind the ingress`);
  await stretch("clean", lengths.clean);
  for (const harm of shuffledTurns(order.turns, seededRandom(order.seed))) {
    say(`  ${harm}`);
    await stretch(harm, secondsOf(harm, lengths));
    await stretch("clean", lengths.clean);
  }
}

/** How much of a proportional delay arrives at the driver, seen from one that is large enough to be measured quickly. */
async function reachOf(
  order: SessionOrder,
  seen: {
    readonly pair: TwinPair;
    readonly store: ReturnType<typeof createBlockStore>;
    readonly axisMs: () => number;
    readonly baseline: Session["stretches"][number] | undefined;
    readonly lasting: (seconds: number) => Promise<void>;
  },
): Promise<number> {
  await seen.pair.shadow.plantHarm({ delayShare: REACH_SHARE }, order.signal);
  await seen.lasting(order.lengths.settle);
  const fromMs = seen.axisMs();
  await seen.lasting(REACH_SECONDS);
  const toMs = seen.axisMs();
  await seen.pair.shadow.plantHarm(undefined, order.signal);
  const [median] = judgeSlos({
    store: seen.store,
    slos: [
      { slo: SloSchema.parse({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } }) },
    ],
    limits: JudgeLimitsSchema.parse({ blockSeconds: 2 }),
    restarted: false,
    windows: { baseline: seen.baseline ?? { fromMs: 0, toMs: 0 }, after: { fromMs, toMs } },
  });
  return Math.min(1, Math.max(0.4, (median?.estimate ?? REACH_SHARE) / REACH_SHARE));
}

function targetsOf(pair: TwinPair): DriverTargets {
  const of = (role: Role): DriverTargets[Role] => {
    const { http, grpc } = pair.spec.entry;
    return {
      ...(http === undefined ? {} : { http: pair[role].address(http) }),
      ...(grpc === undefined ? {} : { grpc: pair[role].address(grpc) }),
    };
  };
  const [control, shadow] = ROLES.map(of);
  return { control: control ?? {}, shadow: shadow ?? {} };
}
