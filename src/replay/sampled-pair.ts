import type { Role } from "../mirror/twin.ts";

// Contract: what the driver hands on of a sample of the answers. It lives in memory alone and only until it was compared.

/** One twin's answer to a sampled request. */
export interface SampledAnswer {
  /** HTTP status, or 1000 + gRPC status. */
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** The first `LIMITS.sampledBodyBytesMax` bytes; a gRPC message as JSON, where it is no longer than that. */
  readonly body: Uint8Array;
  /** Length of the whole body. */
  readonly bodyBytes: number;
}

/** Both answers to one request; undefined where a twin gave none. */
export interface SampledPair {
  readonly sequence: number;
  /** When it should have been sent, ms on the run's axis. */
  readonly atMs: number;
  /** Index into the recording's routes. */
  readonly route: number;
  readonly answers: Readonly<Record<Role, SampledAnswer | undefined>>;
}
