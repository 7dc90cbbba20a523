import { connect } from "node:net";
import type { CanaryError } from "../../core/errors.ts";
import type { ServiceSpec } from "../mirror-spec.ts";
import type { ExecResult } from "../twin.ts";
import { execInContainer, healthOutput, lastLines } from "./container-io.ts";
import { healthArgv } from "./container-options.ts";
import { unavailable } from "./failures.ts";
import type { TwinContext } from "./run-context.ts";

/** What waiting needs to know of a twin. */
export type WaitingTwin = Pick<TwinContext, "engine" | "clock" | "role" | "readyTimeoutMs">;

/** A started replica as far as waiting for it goes. */
export interface WaitingFor {
  readonly service: ServiceSpec;
  readonly containerId: string;
  readonly address: string;
  /** Ports that must accept connections; of those merely declared, one has to. */
  readonly neededPorts: readonly number[];
}

const POLL_MS = 25;
const CONNECT_TIMEOUT_MS = 200;
const EXEC_PAUSE_MS_MIN = 50;
const EXEC_PAUSE_MS_MAX = 500;
/** After this long without an open port the health check is asked all the same: it may not need one. */
const PORT_PATIENCE_MS = 2_000;

/**
 * Resolves when a replica answers: its ports accept connections and its own health check, run by us, succeeds.
 * @throws CanaryError MIRROR_UNAVAILABLE with its last lines of output when it ends or stays unhealthy
 */
export async function waitUntilReady(twin: WaitingTwin, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const finished = new AbortController();
  const limit = AbortSignal.any([signal, finished.signal]);
  try {
    await Promise.race([becomesReady(twin, target, limit), endsEarly(twin, target, limit)]);
  } finally {
    finished.abort();
  }
}

/** Resolves when a one-shot has ended well. @throws CanaryError MIRROR_UNAVAILABLE with its last lines when it has not */
export async function waitUntilCompleted(twin: WaitingTwin, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const exitCode = await exitCodeOf(twin, target.containerId, signal);
  if (exitCode !== 0) throw await failure(twin, target, `ended with exit code ${exitCode}`);
}

async function becomesReady(twin: WaitingTwin, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const startMs = twin.clock.monotonicMs();
  const timeoutMs = readyTimeoutMs(twin, target.service);
  const check = healthArgv(target.service.healthcheck);
  let complaint = "";
  for (;;) {
    const elapsedMs = twin.clock.monotonicMs() - startMs;
    const ports = await portsOpen(target, check === undefined ? "needed" : "all");
    const patient = elapsedMs < PORT_PATIENCE_MS;
    if (ports === "open" || (!patient && (check !== undefined || ports === "unreachable"))) {
      if (check === undefined) return;
      const askedMs = twin.clock.monotonicMs();
      const answer = await askHealth(twin, target, check, signal);
      if (answer.exitCode === 0) return;
      complaint = `; its health check says: ${healthOutput(answer)}`;
      // At most half of the time: a check is a process of its own, on the cores that the service starts on.
      const tookMs = twin.clock.monotonicMs() - askedMs;
      await twin.clock.sleep(Math.min(Math.max(tookMs, EXEC_PAUSE_MS_MIN), EXEC_PAUSE_MS_MAX), signal);
    }
    if (elapsedMs > timeoutMs)
      throw await failure(twin, target, `was not healthy after ${Math.round(timeoutMs / 1000)} s${complaint}`);
    await twin.clock.sleep(POLL_MS, signal);
  }
}

/** One run of the health check; one that hangs counts as failed after its time-out, which a busy machine gets at least 5 s of. */
async function askHealth(
  twin: WaitingTwin,
  target: WaitingFor,
  check: readonly string[],
  signal: AbortSignal,
): Promise<ExecResult> {
  const timeoutMs = Math.max(target.service.healthcheck?.timeoutMs ?? 0, 5_000);
  const timeout = AbortSignal.timeout(timeoutMs);
  return await execInContainer(twin.engine, target.containerId, check, AbortSignal.any([signal, timeout])).catch(
    (cause: unknown) => {
      if (signal.aborted || !timeout.aborted) throw cause;
      return { exitCode: -1, stdout: `no answer within ${timeoutMs} ms`, stderr: "" };
    },
  );
}

/** The health check's own patience, but never less than the operator's minimum: twins start on busy cores. */
function readyTimeoutMs(twin: WaitingTwin, service: ServiceSpec): number {
  const check = service.healthcheck;
  const promisedMs =
    check === undefined ? 0 : check.startPeriodMs + check.retries * (check.intervalMs + check.timeoutMs);
  return Math.max(twin.readyTimeoutMs, Math.min(promisedMs, 10 * 60_000));
}

async function endsEarly(twin: WaitingTwin, target: WaitingFor, signal: AbortSignal): Promise<never> {
  const exitCode = await exitCodeOf(twin, target.containerId, signal);
  throw await failure(twin, target, `ended with exit code ${exitCode} before it was ready`);
}

async function exitCodeOf(twin: WaitingTwin, containerId: string, signal: AbortSignal): Promise<number> {
  // Told by the engine as it happens: no polling. The abort closes the request, which changes nothing at the engine.
  const { StatusCode } = await twin.engine.wait(containerId, signal);
  return StatusCode;
}

async function failure(twin: WaitingTwin, target: WaitingFor, what: string): Promise<CanaryError> {
  // A signal of its own: the wait that failed may have been stopped because of this very failure.
  const output = await lastLines(twin.engine, target.containerId, 20, AbortSignal.timeout(5_000)).catch(() => "");
  return unavailable(`service ${target.service.name} of the ${twin.role} twin ${what}`, output);
}

/**
 * Before a health check is asked, every port it might ask for should be open. Without one, the ports that the run needs
 * decide, or any of those declared: a port may be declared and unused.
 */
async function portsOpen(target: WaitingFor, which: "needed" | "all"): Promise<"open" | "closed" | "unreachable"> {
  const needed = target.neededPorts;
  const ports = which === "all" ? [...new Set([...needed, ...target.service.ports])] : needed;
  const anyOf = ports.length > 0 ? ports : target.service.ports;
  if (anyOf.length === 0) return "open";
  const states = await Promise.all(anyOf.map((port) => tryConnect(target.address, port)));
  const enough = ports.length > 0 ? states.every((state) => state === "open") : states.includes("open");
  if (enough) return "open";
  return states.every((state) => state === "unreachable") ? "unreachable" : "closed";
}

/** Straight to the container, past the ingress: a refusal comes back in microseconds where the network is this host's. */
function tryConnect(host: string, port: number): Promise<"open" | "refused" | "unreachable"> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_TIMEOUT_MS });
    const done = (state: "open" | "refused" | "unreachable"): void => {
      resolve(state);
      socket.destroy();
    };
    socket.once("timeout", () => done("unreachable"));
    socket.once("connect", () => done("open"));
    socket.once("error", (error: NodeJS.ErrnoException) =>
      done(error.code === "ECONNREFUSED" ? "refused" : "unreachable"),
    );
  });
}
