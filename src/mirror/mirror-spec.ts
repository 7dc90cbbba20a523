import type { DependencyLink } from "./twin-faults.ts";

// Contract: what the Compose reader hands to the twins. Everything is resolved: variables, durations, sizes, paths.

/** A port of a service, as containers of the twin see it. */
export interface ServicePort {
  readonly service: string;
  readonly port: number;
}

/** Where a service's image comes from. Paths are absolute and inside the mirror's folder. */
export type ImageSource =
  | { readonly kind: "image"; readonly reference: string }
  | {
      readonly kind: "build";
      readonly contextDir: string;
      readonly dockerfile: string;
      readonly args: Readonly<Record<string, string>>;
      readonly target?: string;
    };

export type MountSpec =
  | { readonly kind: "volume"; readonly volume: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: "bind"; readonly sourcePath: string; readonly target: string; readonly readOnly: boolean }
  | { readonly kind: "tmpfs"; readonly target: string; readonly sizeBytes?: number };

export interface HealthcheckSpec {
  /** Docker's form: `["CMD", ...]` or `["CMD-SHELL", "..."]`. */
  readonly test: readonly string[];
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly startPeriodMs: number;
}

export interface DependencySpec {
  readonly service: string;
  readonly condition: "service_started" | "service_healthy" | "service_completed_successfully";
  readonly required: boolean;
}

/** One service of the mirror, defaults applied, anything unsafe already refused. */
export interface ServiceSpec {
  readonly name: string;
  readonly image: ImageSource;
  readonly command?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Container ports from `ports` and `expose`; host ports of the file are never used. */
  readonly ports: readonly number[];
  readonly mounts: readonly MountSpec[];
  readonly dependsOn: readonly DependencySpec[];
  readonly healthcheck?: HealthcheckSpec;
  readonly user?: string;
  readonly workingDir?: string;
  readonly hostname?: string;
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly readOnlyRoot: boolean;
  readonly ulimits: readonly { readonly name: string; readonly soft: number; readonly hard: number }[];
  readonly init: boolean;
  readonly stopSignal?: string;
  readonly stopGraceMs: number;
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly pidsMax?: number;
  readonly replicas: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly extraHosts: readonly string[];
  readonly securityOpt: readonly string[];
  readonly sysctls: Readonly<Record<string, string>>;
  /** Extra names on the twin's network, beside the service name. */
  readonly aliases: readonly string[];
}

/** A store whose content is state: fingerprinted, compared, rolled back. */
export type StateSpec =
  | {
      readonly kind: "postgres";
      readonly service: string;
      readonly port: number;
      readonly database: string;
      readonly user: string;
      readonly password: string;
    }
  | { readonly kind: "redis"; readonly service: string; readonly port: number };

/** A Prometheus text endpoint of every replica of a service. */
export interface MetricsSpec extends ServicePort {
  readonly path: string;
}

/** A third party that exists only as an msw handler module (its export `handlers`). */
export interface StubSpec {
  readonly host: string;
  readonly handlersPath: string;
}

/** A flagd file that a service reads, as the path inside its containers. */
export interface FlagFileSpec {
  readonly service: string;
  readonly path: string;
}

/** A parsed mirror: a Compose file plus `x-canary`. */
export interface MirrorSpec {
  readonly name: string;
  /** Absolute folder of the Compose file. */
  readonly baseDir: string;
  /** SHA-256 over the Compose file's bytes and every file it mounts, builds from or stubs with. */
  readonly sha256: string;
  readonly services: readonly ServiceSpec[];
  readonly entry: { readonly http?: ServicePort; readonly grpc?: ServicePort };
  readonly state: readonly StateSpec[];
  readonly metrics: readonly MetricsSpec[];
  readonly stubs: readonly StubSpec[];
  /** Files whose flags are state: fingerprinted flag by flag. */
  readonly flags: readonly FlagFileSpec[];
  /** Services that act on their own (workers, schedulers): frozen while state must stand still. */
  readonly background: readonly string[];
  /** Ways between services that a fault may strike; derived from `dependsOn` when absent (`dependenciesOf`). */
  readonly dependencies?: readonly DependencyLink[];
  /** What the mirror does not show; goes into the verdict. */
  readonly fidelity: readonly string[];
}
