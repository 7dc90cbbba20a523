import type { Socket } from "node:net";
import type { Toxic } from "../twin-faults.ts";

/** Time and chance as the proxy is given them. */
export interface ProxyTools {
  readonly nowMs: () => number;
  readonly sleep: (durationMs: number) => Promise<void>;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/** One direction of one connection. */
export interface ToxicDirection {
  readonly source: Socket;
  readonly sink: Socket;
  /** Toxics that meet this direction now; they may change while bytes flow. */
  readonly toxics: () => readonly Toxic[];
  readonly tools: ProxyTools;
  readonly onBytes: (count: number) => void;
  /** The connection can not go on: both ends are closed. */
  readonly cut: () => void;
}

/** A chunk that waits for its turn, with the instant at which it came. */
interface Waiting {
  readonly chunk: Buffer;
  readonly atMs: number;
}

/** Read ahead so far; a latency then delays bytes and does not throttle them. */
const AHEAD_BYTES_MAX = 1024 * 1024;

/**
 * Passes bytes of one direction on as its toxics say, in order. Without toxics a chunk is written as it comes: the proxy
 * then costs two copies and no turn of a timer.
 */
export function passThrough(direction: ToxicDirection): void {
  const { source, sink, tools } = direction;
  const waiting: Waiting[] = [];
  const state = { bytes: 0, pumping: false, ended: false, sent: 0 };
  const finish = async (): Promise<void> => {
    // Nothing comes through, the end no more than the bytes before it.
    if (find(direction.toxics(), "timeout") !== undefined) return;
    const slow = find(direction.toxics(), "slow_close");
    if (slow !== undefined) await tools.sleep(slow.delayMs);
    sink.end();
  };
  const pump = async (): Promise<void> => {
    state.pumping = true;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      await deliver(direction, next, state);
      state.bytes -= next.chunk.length;
      if (state.bytes < AHEAD_BYTES_MAX / 2) source.resume();
    }
    state.pumping = false;
    if (state.ended) await finish();
  };
  source.on("data", (chunk: Buffer) => {
    direction.onBytes(chunk.length);
    if (!state.pumping && direction.toxics().length === 0) {
      state.sent = 0;
      if (sink.write(chunk)) return;
      source.pause();
      sink.once("drain", () => source.resume());
      return;
    }
    waiting.push({ chunk, atMs: tools.nowMs() });
    state.bytes += chunk.length;
    if (state.bytes > AHEAD_BYTES_MAX) source.pause();
    if (!state.pumping) void pump();
  });
  source.on("end", () => {
    state.ended = true;
    if (!state.pumping) void finish();
  });
}

async function deliver(direction: ToxicDirection, next: Waiting, state: { sent: number }): Promise<void> {
  const { tools, sink } = direction;
  const latency = find(direction.toxics(), "latency");
  if (latency !== undefined) {
    const jitterMs = (latency.jitterMs ?? 0) * (2 * tools.random() - 1);
    const dueMs = next.atMs + Math.max(0, latency.latencyMs + jitterMs);
    if (dueMs > tools.nowMs()) await tools.sleep(dueMs - tools.nowMs());
  }
  // Asked again: it may have come while this chunk waited. What it swallows is gone, so the connection ends with it.
  if (find(direction.toxics(), "timeout") !== undefined) return;
  const limit = find(direction.toxics(), "limit_data");
  const left = limit === undefined ? Number.POSITIVE_INFINITY : limit.bytes - state.sent;
  const allowed = next.chunk.length > left ? next.chunk.subarray(0, Math.max(0, left)) : next.chunk;
  for (const piece of slices(allowed, direction.toxics(), tools.random)) {
    const bandwidth = find(direction.toxics(), "bandwidth");
    if (bandwidth !== undefined) await tools.sleep(piece.length / bandwidth.kilobytesPerSecond);
    await write(sink, piece);
    state.sent += piece.length;
    const pauseMs = find(direction.toxics(), "slicer")?.delayMs ?? 0;
    if (pauseMs > 0) await tools.sleep(pauseMs);
  }
  if (limit !== undefined && state.sent >= limit.bytes) direction.cut();
}

/** Cuts a chunk as a slicer asks, and into tenths of a second of a narrow line. */
function slices(chunk: Buffer, toxics: readonly Toxic[], random: () => number): readonly Buffer[] {
  const slicer = find(toxics, "slicer");
  const bandwidth = find(toxics, "bandwidth");
  if (slicer === undefined && bandwidth === undefined) return chunk.length === 0 ? [] : [chunk];
  const tenth = bandwidth === undefined ? Number.POSITIVE_INFINITY : bandwidth.kilobytesPerSecond * 100;
  const pieces: Buffer[] = [];
  for (let at = 0; at < chunk.length; ) {
    const variation = (slicer?.variationBytes ?? 0) * (2 * random() - 1);
    const wanted = Math.min(tenth, slicer === undefined ? chunk.length : slicer.averageBytes + variation);
    const size = Math.max(1, Math.round(wanted));
    pieces.push(chunk.subarray(at, at + size));
    at += size;
  }
  return pieces;
}

function write(sink: Socket, piece: Buffer): Promise<void> {
  if (sink.destroyed || !sink.writable) return Promise.resolve();
  return new Promise((resolve) => {
    sink.write(piece, () => resolve());
  });
}

/** The toxic of one type, if it is among them; of several the first. */
export function find<Type extends Toxic["type"]>(
  toxics: readonly Toxic[],
  type: Type,
): Extract<Toxic, { type: Type }> | undefined {
  return toxics.find((toxic): toxic is Extract<Toxic, { type: Type }> => toxic.type === type);
}
