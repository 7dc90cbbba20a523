import { connect } from "node:net";
import type { CanaryError } from "../../core/errors.ts";
import type { ServiceSpec } from "../mirror-spec.ts";
import { execInContainer, healthOutput, lastLines } from "./container-io.ts";
import { healthArgv } from "./container-options.ts";
import { unavailable } from "./failures.ts";
import type { TwinContext } from "./run-context.ts";

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
/** An exec costs some 100 ms of the cores that everything else starts on. */
const EXEC_PAUSE_MS = 50;
/** After this long without an open port the health check is asked all the same: it may not need one. */
const PORT_PATIENCE_MS = 2_000;

/**
 * Resolves when a replica answers: its ports accept connections and its own health check, run by us, succeeds.
 * @throws CanaryError MIRROR_UNAVAILABLE with its last lines of output when it ends or stays unhealthy
 */
export async function waitUntilReady(twin: TwinContext, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const finished = new AbortController();
  const limit = AbortSignal.any([signal, finished.signal]);
  try {
    await Promise.race([becomesReady(twin, target, limit), endsEarly(twin, target, limit)]);
  } finally {
    finished.abort();
  }
}

/** Resolves when a one-shot has ended well. @throws CanaryError MIRROR_UNAVAILABLE with its last lines when it has not */
export async function waitUntilCompleted(twin: TwinContext, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const exitCode = await exitCodeOf(twin, target.containerId, signal);
  if (exitCode !== 0) throw await failure(twin, target, `ended with exit code ${exitCode}`);
}

async function becomesReady(twin: TwinContext, target: WaitingFor, signal: AbortSignal): Promise<void> {
  const startMs = twin.clock.monotonicMs();
  const timeoutMs = readyTimeoutMs(twin, target.service);
  const check = healthArgv(target.service.healthcheck);
  let complaint = "";
  for (;;) {
    const elapsedMs = twin.clock.monotonicMs() - startMs;
    const open = await portsOpen(target);
    if (
      open === "yes" ||
      (open === "unreachable" && elapsedMs > PORT_PATIENCE_MS) ||
      (check && elapsedMs > PORT_PATIENCE_MS)
    ) {
      if (check === undefined) return;
      const answer = await execInContainer(twin.engine, target.containerId, check, signal);
      if (answer.exitCode === 0) return;
      complaint = `; its health check says: ${healthOutput(answer)}`;
      await twin.clock.sleep(EXEC_PAUSE_MS, signal);
    }
    if (elapsedMs > timeoutMs)
      throw await failure(twin, target, `was not healthy after ${Math.round(timeoutMs / 1000)} s${complaint}`);
    await twin.clock.sleep(POLL_MS, signal);
  }
}

/** The health check's own patience, but never less than the operator's minimum: twins start on busy cores. */
function readyTimeoutMs(twin: TwinContext, service: ServiceSpec): number {
  const check = service.healthcheck;
  const promisedMs =
    check === undefined ? 0 : check.startPeriodMs + check.retries * (check.intervalMs + check.timeoutMs);
  return Math.max(twin.readyTimeoutMs, Math.min(promisedMs, 10 * 60_000));
}

async function endsEarly(twin: TwinContext, target: WaitingFor, signal: AbortSignal): Promise<never> {
  const exitCode = await exitCodeOf(twin, target.containerId, signal);
  throw await failure(twin, target, `ended with exit code ${exitCode} before it was ready`);
}

async function exitCodeOf(twin: TwinContext, containerId: string, signal: AbortSignal): Promise<number> {
  // Told by the engine as it happens: no polling. The abort closes the request, which changes nothing at the engine.
  const { StatusCode } = await twin.engine.wait(containerId, signal);
  return StatusCode;
}

async function failure(twin: TwinContext, target: WaitingFor, what: string): Promise<CanaryError> {
  // A signal of its own: the wait that failed may have been stopped because of this very failure.
  const output = await lastLines(twin.engine, target.containerId, 20, AbortSignal.timeout(5_000)).catch(() => "");
  return unavailable(`service ${target.service.name} of the ${twin.role} twin ${what}`, output);
}

async function portsOpen(target: WaitingFor): Promise<"yes" | "no" | "unreachable"> {
  const needed = target.neededPorts;
  const anyOf = needed.length > 0 ? needed : target.service.ports;
  if (anyOf.length === 0) return "yes";
  const states = await Promise.all(anyOf.map((port) => tryConnect(target.address, port)));
  const open = needed.length > 0 ? states.every((state) => state === "open") : states.includes("open");
  if (open) return "yes";
  return states.includes("refused") || states.includes("open") ? "no" : "unreachable";
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
