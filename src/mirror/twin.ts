import type { MirrorSpec, ServicePort } from "./mirror-spec.ts";
import type { TwinFacts } from "./twin-facts.ts";
import type { DependencyLink, FaultSwitches } from "./twin-faults.ts";
import type { ErrorPattern, FileListing, FlagFile, ServiceProgram } from "./twin-surroundings.ts";
import type { ActorWork, WriteLog } from "./write-log.ts";

// Contract: a raised pair of twins, as the rest of the run sees it. Implemented in src/mirror/twins; simulated in test/sim.

export type Role = "control" | "shadow";
export const ROLES: readonly Role[] = ["control", "shadow"];

/** A TCP address on loopback. */
export interface Address {
  readonly host: "127.0.0.1";
  readonly port: number;
}

/** Configuration of one service of a twin as the engine reports it, in the words of the resource grammar. */
export interface ServiceConfiguration {
  readonly service: string;
  readonly replicas: number;
  readonly imageId: string;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly memoryBytes?: number;
  readonly cpus?: number;
  /** `kind:source:target:ro|rw`, sorted; sources that carry a run id are normalised so that twins compare equal. */
  readonly mounts: readonly string[];
  /** Name of each network with the other names the service has on it, sorted; the twin's own network is `twin`. */
  readonly networks?: readonly string[];
  readonly pidsMax?: number;
}

/** What `update` may change; absent fields stay as they are, `undefined` values are not allowed. */
export interface ServiceChange {
  /** Merged into the environment; `null` removes a variable. */
  readonly environment?: Readonly<Record<string, string | null>>;
  readonly image?: string;
  /** `null` takes the limit away. */
  readonly memoryBytes?: number | null;
  readonly cpus?: number | null;
}

/** Cumulative use of one service (sum of its replicas) since its containers started. */
export interface ServiceUsage {
  readonly service: string;
  /** CPU seconds, cumulative; replaced replicas keep counting so that the number never falls. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

/** One running process that serves: the main process of a replica. */
export interface ServiceProcess {
  readonly service: string;
  /** Of no other process of this twin, before or after; a restart in the same container gives another one. */
  readonly id: string;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Owner and permissions of a file. */
export interface FileAttributes {
  /** Permission bits, e.g. 0o644. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** One request to a third party of the mirror, as a service would send it. */
export interface StubRequest {
  /** A host of `x-canary: stubs`. */
  readonly host: string;
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A database of a state service: the declared one, or another one of the same server. */
export interface DatabaseOf {
  readonly service: string;
  readonly database?: string;
}

export type SqlRow = Readonly<Record<string, unknown>>;

/** One call that a stub answered for a twin. */
export interface StubCall {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly atMonotonicMs: number;
}

/** A known harm in front of a twin's HTTP and gRPC ports: planted to show that it is noticed. */
export interface IngressHarm {
  /** Requests it meets; all of them when absent. */
  readonly requests?: { readonly method?: string; readonly pathPrefix: string };
  /** Added to every answer, ms in the mean: what is no whole number of milliseconds is rounded up or down by chance. */
  readonly delayMs?: number;
  /** Added in proportion to what the answer took behind the ingress; 0.1 is a tenth more. */
  readonly delayShare?: number;
  /** Share of requests, 0..1, that are answered with 503 and never reach the service. */
  readonly errorShare?: number;
}

/** One running copy of the mirror. Every method rejects with `CanaryError MIRROR_UNAVAILABLE` when the engine is gone. */
export interface Twin {
  readonly role: Role;
  /** Loopback address of the entry points and of any service port the run needs; stable for the twin's whole life. */
  address(port: ServicePort): Address;
  /** Sets the number of replicas; resolves when all are running, ready and reached by the ingress (or gone from it). Frozen services stay frozen. */
  scale(service: string, replicas: number, signal: AbortSignal): Promise<void>;
  /** Id of an image, which is present afterwards. Rejects when it can not be had. */
  imageId(reference: string, signal: AbortSignal): Promise<string>;
  /** Replaces the service's containers one by one with the changed configuration; resolves when ready. */
  update(service: string, change: ServiceChange, signal: AbortSignal): Promise<void>;
  /**
   * Restarts every replica in its container, `maxUnavailable` at a time: the ingress sends it nothing new, it ends, starts and
   * is ready before the next ones go. Replicas of a frozen service are replaced by ones that start when it is thawed.
   */
  restart(service: string, options: { readonly maxUnavailable: number }, signal: AbortSignal): Promise<void>;
  /**
   * Content of a file in a volume or the image's own file system; `undefined` where there is none. Works on frozen services.
   * Rejects where the replicas hold different ones, for what is no plain file, and beyond LIMITS.fileBytesMax.
   */
  readFile(service: string, path: string, signal: AbortSignal): Promise<Buffer | undefined>;
  /** Owner and permissions of the file in the first replica; `undefined` where there is none. */
  fileAttributes(service: string, path: string, signal: AbortSignal): Promise<FileAttributes | undefined>;
  /**
   * Writes the file in every replica, or removes it (`undefined`). An existing file keeps its owner and permissions; a new one
   * gets `attributes`, else root's with 0644. The folder must exist. Bind mounts, tmpfs and read-only file systems are refused.
   */
  writeFile(
    service: string,
    path: string,
    bytes: Buffer | undefined,
    signal: AbortSignal,
    attributes?: FileAttributes,
  ): Promise<void>;
  /** Runs argv (no shell) in the first replica, with these variables beside the container's own. */
  exec(
    service: string,
    argv: readonly string[],
    signal: AbortSignal,
    environment?: Readonly<Record<string, string>>,
  ): Promise<ExecResult>;
  /** Runs SQL in a state database on a kept connection; several statements run as one transaction. Large results are the caller's fault. */
  sql(database: DatabaseOf, text: string, params?: readonly unknown[]): Promise<readonly SqlRow[]>;
  /** Runs an action's statements on a connection, as a role and in transactions of its own; the role is gone when it ends. */
  sqlAs(database: { readonly service: string }, work: ActorWork, signal: AbortSignal): Promise<void>;
  /** Begins to keep the log of what is written to a database; a server that keeps none answers so when it is read. */
  openWriteLog(database: { readonly service: string }, signal: AbortSignal): Promise<WriteLog>;
  /** Sends one Redis command on a kept connection, e.g. ["HGETALL", "k"]; `as` names the connection (CLIENT SETNAME), each name has its own. */
  redis(store: { readonly service: string }, command: readonly string[], as?: string): Promise<unknown>;
  /** The same with parts that may be bytes; every string of the answer comes as a Buffer, so that values survive the way. */
  redisBytes(store: { readonly service: string }, command: readonly (string | Buffer)[]): Promise<unknown>;
  /** Ends the harness's own kept connections to a store; whatever is asked next connects anew. */
  disconnect(store: { readonly service: string }): Promise<void>;
  /** Starts every replica again whose process ended by itself; answers those services, when all that should run do answer. Frozen ones are left. */
  revive(signal: AbortSignal): Promise<readonly string[]>;
  /** Current configuration of every service, sorted by name. */
  configuration(signal: AbortSignal): Promise<readonly ServiceConfiguration[]>;
  /** Main processes of all replicas that run or are frozen; by them a restart is told, whoever caused it. */
  processes(signal: AbortSignal): Promise<readonly ServiceProcess[]>;
  /** Everything that runs in the replicas for a while (0.2 s); works on frozen services. */
  programs(signal: AbortSignal): Promise<readonly ServiceProgram[]>;
  /** CPU and memory per service, cheap enough for every second. */
  usage(signal: AbortSignal): Promise<readonly ServiceUsage[]>;
  /** Text of every replica's Prometheus endpoint; empty only when there is no replica. Rejects when one does not answer or is frozen. */
  scrape(port: ServicePort & { readonly path: string }, signal: AbortSignal): Promise<readonly string[]>;
  /** Pauses (or resumes) every replica of these services, present and future. */
  freeze(services: readonly string[], signal: AbortSignal): Promise<void>;
  thaw(services: readonly string[], signal: AbortSignal): Promise<void>;
  /** Last lines of a service's output, all replicas, for people. */
  logs(service: string, lines: number, signal: AbortSignal): Promise<string>;
  /** Files, folders and links of replicas and volumes, but for the engine's own and what is in `except` (absolute; a `*` at the end is any rest of a name). Works on frozen services. */
  files(
    except: readonly { readonly service: string; readonly path: string }[],
    signal: AbortSignal,
  ): Promise<FileListing>;
  /** The files of `x-canary: flags`. Works on frozen services. */
  flagFiles(signal: AbortSignal): Promise<readonly FlagFile[]>;
  /** Patterns of trouble that the services have written so far, each once, in the order in which they appeared. */
  errorPatterns(signal: AbortSignal): Promise<readonly ErrorPattern[]>;
  /** Calls that the stubs answered for this twin so far. */
  stubCalls(): readonly StubCall[];
  /** Asks a stub of this twin, recorded like any other call. Rejects for a host that the mirror does not stub. */
  askStub(request: StubRequest, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }>;
  /** Plants a harm in place of the one before, or takes it away; in force for every request that arrives afterwards. */
  plantHarm(harm: IngressHarm | undefined, signal: AbortSignal): Promise<void>;
}

/** Both twins or neither. Disposing removes every container, network and volume of the run, whatever state they are in. */
export interface TwinPair extends AsyncDisposable {
  readonly spec: MirrorSpec;
  readonly control: Twin;
  readonly shadow: Twin;
  readonly facts: TwinFacts;
  /** What a drill may break on the shadow; present when the pair was raised with `proxied`. The control has no such thing. */
  readonly faults?: FaultSwitches;
  /**
   * Moves every container of each twin to the other one's cores, ingress and stopped ones included, and whatever is created
   * later; `facts.cores` keeps saying where they began. Takes well under a second, in which requests are slower.
   * @throws InvariantViolation when the cores are shared
   */
  swapCores(signal: AbortSignal): Promise<void>;
  /** Lets go of both as this process's death would, and takes hold from what `folder` holds alone, as the next one would. */
  readonly reattach?: (signal: AbortSignal) => Promise<void>;
}

/** What the run asks of the container world; tests pass a simulated one. */
export interface ContainerRuntime {
  /**
   * Raises both twins in parallel.
   * @throws CanaryError MIRROR_UNAVAILABLE when the engine, an image, health or room is missing; nothing stays behind
   */
  raise(options: {
    readonly spec: MirrorSpec;
    readonly runId: string;
    readonly isolation: TwinFacts["isolation"];
    /** `shared`: both twins on all cores, also where there are enough; default: own cores where there are. */
    readonly cores?: "own" | "shared";
    /** Links of both twins that pass a fault proxy from the start; absent where nothing is to be broken. */
    readonly proxied?: readonly DependencyLink[];
    /** Absolute folder in which the run keeps what another process needs to finish its rollback, if this one is killed. */
    readonly folder?: string;
    readonly onProgress: (step: string) => void;
    readonly signal: AbortSignal;
  }): Promise<TwinPair>;
}
