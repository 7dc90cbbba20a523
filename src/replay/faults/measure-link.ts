import type { DependencyLink, Toxic } from "../../mirror/twin-faults.ts";
import { ANSWER_MS_MAX, type FaultTools, type Measured, probeLink } from "./fault-tools.ts";

/** Sent through toxics that only larger amounts show, bytes. */
const ECHO_BYTES = 20_000;
/** Timers and schedulers are late by this much at most, ms. */
const SLACK_MS = 100;
/** A delay counts as landed from this share of it on: what jitter and the clock leave of it. */
const SHARE_MIN = 0.8;

/**
 * Whether a toxic acts on a link now: by a connection to the real dependency where an answer of some bytes shows it, else
 * by bytes through the same toxics to an echo. A toxic that meets only a share of the connections is tried several times.
 */
export async function measureToxic(
  tools: FaultTools,
  at: { readonly link: DependencyLink; readonly toxic: Toxic; readonly plainMs: number },
  signal: AbortSignal,
): Promise<Measured> {
  const tries = (at.toxic.toxicity ?? 1) < 1 ? 10 : 1;
  let last: Measured = { holds: false, said: "nothing was tried" };
  for (let round = 0; round < tries && !last.holds; round++) last = await measureOnce(tools, at, signal);
  return last;
}

async function measureOnce(
  tools: FaultTools,
  { link, toxic, plainMs }: { readonly link: DependencyLink; readonly toxic: Toxic; readonly plainMs: number },
  signal: AbortSignal,
): Promise<Measured> {
  switch (toxic.type) {
    case "latency": {
      const wantedMs = SHARE_MIN * Math.max(0, toxic.latencyMs - (toxic.jitterMs ?? 0));
      const waitMs = toxic.latencyMs + (toxic.jitterMs ?? 0) + ANSWER_MS_MAX;
      const { outcome, tookMs } = await probeLink(tools, link, { waitMs, signal });
      return {
        holds: outcome === "answered" && tookMs >= wantedMs,
        said: `first byte after ${Math.round(tookMs)} ms, ${Math.round(plainMs)} ms without it`,
      };
    }
    case "down": {
      const { outcome } = await probeLink(tools, link, { signal });
      return { holds: outcome === "reset" || outcome === "refused", said: `a connection was ${outcome}` };
    }
    case "timeout": {
      const { outcome, tookMs } = await probeLink(tools, link, { signal });
      return { holds: outcome !== "answered", said: `a connection was ${outcome} after ${Math.round(tookMs)} ms` };
    }
    case "reset_peer": {
      // Says nothing, so that no answer ends it first.
      const waitMs = toxic.timeoutMs + ANSWER_MS_MAX;
      const { outcome, tookMs } = await probeLink(tools, link, { waitMs, silent: true, signal });
      return { holds: outcome === "reset", said: `a connection was ${outcome} after ${Math.round(tookMs)} ms` };
    }
    case "bandwidth":
    case "slicer":
    case "slow_close":
    case "limit_data":
      return await measureByEcho(tools, { link, toxic }, signal);
  }
}

async function measureByEcho(
  tools: FaultTools,
  at: {
    readonly link: DependencyLink;
    readonly toxic: Extract<Toxic, { type: "bandwidth" | "slicer" | "slow_close" | "limit_data" }>;
  },
  signal: AbortSignal,
): Promise<Measured> {
  const { toxic, link } = at;
  const bytes = toxic.type === "limit_data" ? Math.min(1e6, toxic.bytes + ECHO_BYTES) : ECHO_BYTES;
  const expectedMs = toxic.type === "bandwidth" ? bytes / toxic.kilobytesPerSecond : 0;
  const closeMs = toxic.type === "slow_close" ? toxic.delayMs : 0;
  const waitMs = Math.min(20_000, 2 * Math.max(expectedMs, closeMs) + 2000);
  const echo = await tools.faults.echo(link, { bytes, waitMs, signal });
  const took = Math.round(echo.tookMs);
  switch (toxic.type) {
    case "bandwidth":
      return {
        holds: echo.tookMs >= Math.min(waitMs, SHARE_MIN * expectedMs),
        said: `${echo.returnedBytes} bytes took ${took} ms`,
      };
    case "slicer":
      return {
        holds: echo.pieces >= (SHARE_MIN * bytes) / (toxic.averageBytes + (toxic.variationBytes ?? 0)) / 2,
        said: `${echo.returnedBytes} bytes came in ${echo.pieces} pieces`,
      };
    case "slow_close":
      return { holds: echo.closeMs >= SHARE_MIN * closeMs, said: `the end came after ${Math.round(echo.closeMs)} ms` };
    case "limit_data":
      return { holds: echo.returnedBytes <= toxic.bytes, said: `${echo.returnedBytes} of ${bytes} bytes came through` };
  }
}

/** Whether a link is as it was: its dependency answers, about as fast as before. */
export async function measurePlain(
  tools: FaultTools,
  at: { readonly link: DependencyLink; readonly plainMs: number },
  signal: AbortSignal,
): Promise<Measured> {
  const { outcome, tookMs } = await probeLink(tools, at.link, { signal });
  const echo = await tools.faults.echo(at.link, { bytes: ECHO_BYTES, waitMs: ANSWER_MS_MAX, signal });
  const whole = echo.returnedBytes === echo.sentBytes && echo.closeMs < SLACK_MS + at.plainMs;
  return {
    holds: outcome === "answered" && whole && tookMs < Math.max(SLACK_MS, 3 * at.plainMs) + SLACK_MS,
    said: `a connection was ${outcome} after ${Math.round(tookMs)} ms`,
  };
}
