// Contract: what a drill may break on the shadow, on purpose and for a while. Nothing of this exists for the control.

/** A way from one service to another: connections of `from` to `to:port`. */
export interface DependencyLink {
  readonly from: string;
  readonly to: string;
  readonly port: number;
}

/** Which way a toxic acts: `downstream` is from the dependency to its caller, as in Toxiproxy. */
export type ToxicStream = "upstream" | "downstream";

/**
 * What can be done to the bytes of a link: Toxiproxy's catalogue, with its names and units in the fields' names.
 * `toxicity` is the share of connections that it meets, 0..1; all of them when absent.
 */
export type Toxic = { readonly stream?: ToxicStream | undefined; readonly toxicity?: number | undefined } & (
  | { readonly type: "latency"; readonly latencyMs: number; readonly jitterMs?: number | undefined }
  | { readonly type: "bandwidth"; readonly kilobytesPerSecond: number }
  /** The end of a connection is passed on this much later. */
  | { readonly type: "slow_close"; readonly delayMs: number }
  /** Nothing comes through; the connection is closed after this long, 0 keeps it open until the toxic is gone. */
  | { readonly type: "timeout"; readonly timeoutMs: number }
  /** The connection is reset after this long. */
  | { readonly type: "reset_peer"; readonly timeoutMs: number }
  | {
      readonly type: "slicer";
      readonly averageBytes: number;
      readonly variationBytes?: number | undefined;
      readonly delayMs?: number | undefined;
    }
  /** The connection is closed after this many bytes. */
  | { readonly type: "limit_data"; readonly bytes: number }
  /** Connections are reset and new ones are not let through. */
  | { readonly type: "down" }
);

/** What passed a link since it was raised; by this the proxy is known to stand in the way. */
export interface LinkTraffic {
  readonly connections: number;
  readonly open: number;
  /** Of the caller's own, those that a toxic in force meets or met since it was set: toxicity spares the others. */
  readonly met: number;
  readonly bytesUp: number;
  readonly bytesDown: number;
}

/** One connection made on purpose, as it went. */
export interface ConnectionProbe {
  /** `answered`: a byte came back; `silent`: open, and nothing came in time; else how it ended. */
  readonly outcome: "answered" | "silent" | "closed" | "reset" | "refused";
  /** Until the first byte, the end, or the end of patience, ms. */
  readonly tookMs: number;
}

/** Bytes sent through a link's toxics to an echo and back. */
export interface EchoProbe {
  readonly sentBytes: number;
  readonly returnedBytes: number;
  readonly pieces: number;
  /** Until the last byte came back, or patience ended, ms. */
  readonly tookMs: number;
  /** From our end of the connection to theirs, ms. */
  readonly closeMs: number;
}

/** What a stub answers instead of its handlers. */
export type StubAnswer = { readonly kind: "status"; readonly status: number } | { readonly kind: "garbage" };

/** What the engine can do to the containers of a service. */
export type ContainerSwitch = "kill" | "stop" | "start" | "pause" | "unpause" | "disconnect" | "connect";

/** How the engine reports the containers of a service. */
export interface ServiceCondition {
  readonly running: number;
  readonly paused: number;
  readonly ended: number;
  /** Of the running and paused ones, those that are on the twin's network. */
  readonly connected: number;
}

/**
 * Switches of the shadow, for drills. Each changes one thing and says nothing of whether it worked: that is measured.
 * Every method rejects with `CanaryError MIRROR_UNAVAILABLE` when the engine or the proxy does not answer or refuses.
 */
export interface FaultSwitches {
  /** Links whose bytes pass the fault proxy. */
  readonly links: readonly DependencyLink[];
  /** Puts toxics in place of those before; an empty list lets everything through again. Open connections are met too. */
  setToxics(link: DependencyLink, toxics: readonly Toxic[], signal: AbortSignal): Promise<void>;
  traffic(link: DependencyLink, signal: AbortSignal): Promise<LinkTraffic>;
  /** One connection through the link to the real dependency: sends `hello`, waits for the first byte. */
  probe(
    link: DependencyLink,
    hello: Uint8Array,
    options: { readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<ConnectionProbe>;
  /** The same toxics with an echo behind them, for what a short answer does not show. */
  echo(
    link: DependencyLink,
    options: { readonly bytes: number; readonly waitMs: number; readonly signal: AbortSignal },
  ): Promise<EchoProbe>;
  /** Throws one switch of every container of a service. */
  turn(service: string, to: ContainerSwitch, signal: AbortSignal): Promise<void>;
  condition(service: string, signal: AbortSignal): Promise<ServiceCondition>;
  /** Sets limits of the running containers; those not named stay. */
  limit(
    service: string,
    limits: { readonly cpus?: number; readonly memoryBytes?: number },
    signal: AbortSignal,
  ): Promise<void>;
  /** Gives the limits back that the service is meant to have; replaces containers that were meant to have none. */
  unlimit(service: string, signal: AbortSignal): Promise<"changed" | "replaced">;
  /** Runs the service's own health check once; `undefined` when it has none. */
  health(
    service: string,
    signal: AbortSignal,
  ): Promise<{ readonly healthy: boolean; readonly said: string } | undefined>;
  /** Replaces the containers of a service by new ones of the same configuration. */
  restart(service: string, signal: AbortSignal): Promise<void>;
  /** Answers for a third party; `undefined` gives the stub's own handlers back. */
  answerStub(host: string, answer: StubAnswer | undefined): void;
  /** Asks a stub as a service would. */
  askStub(host: string, signal: AbortSignal): Promise<{ readonly status: number; readonly contentType: string }>;
}
