import { execFileSync } from "node:child_process";
import { CanaryError, messageOf } from "../../core/errors.ts";
import { ROLES, type Role } from "../../mirror/twin.ts";
import type { DriverReport } from "../recording.ts";
import { requestRandom } from "../traffic/request-random.ts";
import type { TrafficPlan } from "../traffic/traffic-plan.ts";
import type { DriverTargets } from "../traffic-driver.ts";
import { answerSampler } from "./answer-sampler.ts";
import { type Drive, startDrive, type TwinLanes } from "./drive.ts";
import { raiseNiceness, systemDriverClock } from "./driver-clock.ts";
import { driverHealth } from "./driver-health.ts";
import type { DriverCommand, DriverNotice } from "./driver-protocol.ts";
import { type GrpcMethods, grpcLane } from "./grpc-lane.ts";
import { httpLane } from "./http-lane.ts";
import { type PairWriter, startPairWriter } from "./pair-writer.ts";
import { prepareTraffic } from "./prepare-traffic.ts";
import { PULSE_MS } from "./pulse.ts";

// Entry point of the driver's process: started by `startDriver`, ends with its parent.

type StartCommand = Extract<DriverCommand, { kind: "start" }>;

/** From the notice that it starts to the first instant of the list: time for the notice to travel. */
const LEAD_MS = 20;
const FLUSH_MS = 250;
const EXPIRE_MS = 10;

function tell(notice: DriverNotice, gone: () => void = () => undefined): void {
  if (process.connected) process.send?.(notice, undefined, {}, gone);
}

const UNEXPECTED = { code: "REPLAY_FAILED", hint: "This is a bug in the traffic driver; please report it." } as const;

function failWith(error: unknown): void {
  const { code, hint } = error instanceof CanaryError ? error : UNEXPECTED;
  const stack = error instanceof Error ? error.stack : undefined;
  tell({ kind: "failed", code, message: messageOf(error), hint, stack });
}

/** The best scheduling class that this machine grants: late sends are the driver's noise, not the twins'. */
function takePriority(): DriverReport["priority"] {
  try {
    execFileSync("chrt", ["--all-tasks", "--rr", "--pid", "10", String(process.pid)], { stdio: "ignore" });
    return "realtime";
  } catch {
    return raiseNiceness() ? "nice" : "normal";
  }
}

async function openLanes(
  plan: TrafficPlan,
  targets: DriverTargets,
  methods: GrpcMethods,
): Promise<Record<Role, TwinLanes>> {
  const open = async (role: Role): Promise<TwinLanes> => {
    const { http, grpc } = targets[role];
    const needsHttp = plan.recorded.length > 0 || plan.spec.mix.some((route) => route.http !== undefined);
    if ((needsHttp && http === undefined) || (methods.size > 0 && grpc === undefined)) {
      throw new CanaryError({
        code: "SCENARIO_INVALID",
        message: `the traffic needs ${http === undefined ? "an http" : "a grpc"} entry point and the mirror has none`,
        hint: "Name it under `x-canary: entry:` of the mirror's Compose file.",
      });
    }
    return {
      ...(needsHttp && http !== undefined && { http: httpLane(http) }),
      ...(methods.size > 0 && grpc !== undefined && { grpc: await grpcLane(grpc, methods) }),
    };
  };
  return { control: await open("control"), shadow: await open("shadow") };
}

interface Running {
  readonly drive: Drive;
  readonly writer: PairWriter;
  readonly finish: () => Promise<{ readonly offset: number; readonly report: DriverReport }>;
}

async function start(command: StartCommand): Promise<Running> {
  const { traffic, baseDir, seed } = command;
  const clock = await systemDriverClock();
  const { plan, methods } = await prepareTraffic(traffic, baseDir, seed);
  const lanes = await openLanes(plan, command.targets, methods);
  const writer = await startPairWriter({
    dir: command.recordingDir,
    onWritten: (offset) => tell({ kind: "written", offset }),
    onFailure: failWith,
  });
  const health = driverHealth();
  const priority = takePriority();
  const startMs = clock.nowMs() + LEAD_MS;
  const sampler = answerSampler({
    perSecond: command.sampledPerSecond,
    routes: plan.routes.length,
    random: requestRandom(seed),
    send: (pair, gone) => tell({ kind: "sampled", pair }, gone),
  });
  const drive = startDrive({ plan, seed, lanes, clock, health, writer, sampler, startMs });
  let usedMs = clock.cpuMs();
  let readMs = clock.nowMs();
  const stops = [
    clock.every(FLUSH_MS, () => void writer.flush()),
    clock.every(EXPIRE_MS, drive.expire),
    clock.every(PULSE_MS, () => {
      health.cpuShare((clock.cpuMs() - usedMs) / (clock.nowMs() - readMs));
      usedMs = clock.cpuMs();
      readMs = clock.nowMs();
      tell({ kind: "pulse", pulse: drive.beat() });
    }),
  ];
  tell({ kind: "started", startMonotonicMs: startMs });
  const finish = async (): Promise<{ offset: number; report: DriverReport }> => {
    await drive.pause();
    for (const stop of stops) stop();
    const offset = await writer.end();
    await Promise.all(ROLES.flatMap((role) => [lanes[role].http?.close(), lanes[role].grpc?.close()]));
    return { offset, report: health.report(priority) };
  };
  return { drive, writer, finish };
}

async function obey(command: DriverCommand, running: Running): Promise<void> {
  switch (command.kind) {
    case "start":
      break;
    case "pause":
      await running.drive.pause();
      tell({ kind: "paused", offset: await running.writer.flush() });
      break;
    case "resume":
      running.drive.resume();
      tell({ kind: "resumed" });
      break;
    case "finish":
      // The parent closes the channel when it has read this; ending here first could overtake the notice.
      tell({ kind: "finished", ...(await running.finish()) });
      break;
  }
}

let running: Promise<Running> | undefined;

process.on("message", (command: DriverCommand) => {
  if (command.kind === "start") running = start(command);
  running?.then((started) => obey(command, started)).catch(failWith);
});
// The channel closes when the parent ends, however it ends: nobody is left to measure for.
process.on("disconnect", () => process.exit(0));
process.on("uncaughtException", failWith);
// The terminal's Ctrl-C reaches the whole process group; when to stop is the parent's decision.
process.on("SIGINT", () => undefined);
