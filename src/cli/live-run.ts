import { homedir, userInfo } from "node:os";
import path from "node:path";
import { type AbortCause, abortedByHuman } from "../core/abort-cause.ts";
import { CanaryError } from "../core/errors.ts";
import { readOwner } from "../mirror/twins/owner.ts";
import type { RunEvent, RunObserver } from "../report/run-event.ts";
import { type Controls, type StopRequest, startControlServer } from "../run/live/control-server.ts";
import { type HaltReport, haltHost } from "../run/live/halt-host.ts";
import { type LiveRegistry, openRegistry } from "../run/live/live-registry.ts";
import { systemClock } from "./system.ts";

/** A run that others of this host can see and stop. */
export interface JoinedRun extends AsyncDisposable {
  /** Aborts when it is told to stop over HTTP, or with the whole host. */
  readonly signal: AbortSignal;
  /** Keeps what `GET /v1/status` answers. */
  readonly observe: RunObserver;
  /** Where the address and the token are; only this user can read it. */
  readonly file: string;
  readonly url: string;
}

/** Over HTTP nobody waits for more than this. */
const HALT_WAIT_MS = 120_000;

/** Where runs of this host are known: CANARY_STATE_DIR, else the state folder of this user. */
export async function hostRegistry(): Promise<LiveRegistry> {
  const named = process.env["CANARY_STATE_DIR"];
  const state = process.env["XDG_STATE_HOME"] ?? path.join(homedir(), ".local", "state");
  const folder = named === undefined || named === "" ? path.join(state, "canary") : path.resolve(named);
  return await openRegistry({ folder, userId: process.getuid?.() });
}

/** Who is at this terminal, for the record. */
export function thisUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

/**
 * Makes a run known to this host and listens for those who want to stop it.
 * @throws CanaryError HOST_HALTED when nothing may start
 */
export async function joinHost(run: {
  readonly runId: string;
  readonly scenario: string;
  readonly plan: string;
  readonly runDir: string;
}): Promise<JoinedRun> {
  const registry = await hostRegistry();
  const stop = new AbortController();
  const seen = statusOf(run, stop.signal);
  const token = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url");
  const abort = (cause: AbortCause): void => stop.abort(abortedByHuman(cause));
  await using opening = new AsyncDisposableStack();
  const server = opening.use(
    await startControlServer(token, controlsOf({ run, registry, status: seen.status, abort })),
  );
  const registered = opening.use(
    await registry.register({
      ...run,
      schema: "canary.live-run/v1",
      runDir: path.resolve(run.runDir),
      owner: await readOwner(process.pid),
      url: server.url,
      token,
      startedEpochMs: systemClock.epochMs(),
    }),
  );
  // Known first, looked second: `canary halt` marks first and looks second, so that no run slips through.
  await refuseWhereHalted(registry);
  const opened = opening.move();
  return {
    signal: stop.signal,
    observe: seen.observe,
    file: registered.file,
    url: server.url,
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** @throws CanaryError HOST_HALTED */
export async function refuseWhereHalted(registry: LiveRegistry): Promise<void> {
  const halt = await registry.halted();
  if (halt === undefined) return;
  const why = halt.reason === undefined ? "" : `: ${halt.reason}`;
  throw new CanaryError({
    code: "HOST_HALTED",
    message: `this host was halted by ${halt.by}${why}`,
    hint: "Nothing was started. When the reason is gone: canary halt --lift",
  });
}

function controlsOf(of: {
  readonly run: { readonly runId: string };
  readonly registry: LiveRegistry;
  readonly status: () => unknown;
  readonly abort: (cause: AbortCause) => void;
}): Controls {
  const causeOf = (request: StopRequest, how: AbortCause["how"]): AbortCause => ({
    how,
    detail: request.by ?? "whoever holds the token",
    ...(request.reason === undefined ? {} : { reason: request.reason }),
  });
  return {
    status: of.status,
    abort: (request) => of.abort(causeOf(request, request.how ?? "http")),
    halt: async (request): Promise<HaltReport> => {
      const cause = causeOf(request, "halt");
      const halt = { schema: "canary.halt/v1" as const, by: cause.detail, atEpochMs: systemClock.epochMs() };
      const reason = cause.reason === undefined ? {} : { reason: cause.reason };
      const { runId: except } = of.run;
      const signal = new AbortController().signal;
      const halting = haltHost(
        { halt: { ...halt, ...reason }, waitMs: HALT_WAIT_MS, except, signal },
        { registry: of.registry, clock: systemClock, fetch, terminate: (pid) => process.kill(pid, "SIGTERM") },
      );
      of.abort(cause);
      return await halting;
    },
  };
}

/** The little that is told to those who ask: where the run is and what tripped. */
function statusOf(
  run: { readonly runId: string; readonly scenario: string; readonly plan: string },
  stop: AbortSignal,
): { readonly observe: RunObserver; readonly status: () => unknown } {
  let phase: string = "starting";
  const breaches: string[] = [];
  const observe = (event: RunEvent): void => {
    if (event.kind === "phase") phase = event.phase;
    if (event.kind === "breach") breaches.push(`${event.name}: ${event.message}`);
    if (event.kind === "alarm") breaches.push(event.message);
  };
  return { observe, status: () => ({ ...run, phase, breaches, stopping: stop.aborted }) };
}
