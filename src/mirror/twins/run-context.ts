import type { Clock } from "../../core/clock.ts";
import type { MirrorSpec } from "../mirror-spec.ts";
import type { Role } from "../twin.ts";
import type { TwinFacts } from "../twin-facts.ts";
import type { Engine } from "./engine.ts";
import type { Labels } from "./labels.ts";
import type { AddressBook, Subnet } from "./subnets.ts";

/** What everything of one run shares. */
export interface RunContext {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly random: () => number;
  readonly spec: MirrorSpec;
  readonly runId: string;
  readonly isolation: TwinFacts["isolation"];
  readonly ownership: Labels;
  /** A service may take this long to become ready even if its own health check promises less. */
  readonly readyTimeoutMs: number;
}

/** Core set of a twin's containers, e.g. `0` or `2-3`; one object for all of the twin, so that later ones follow a swap. */
export interface PinnedCores {
  cpuset: string;
}

/** What everything of one twin shares. */
export interface TwinContext extends RunContext {
  readonly role: Role;
  /** Network of the services. */
  readonly network: string;
  readonly subnet: Subnet;
  readonly addresses: AddressBook;
  /** The ingress's own address on the publishing network: the twins share that one. */
  addressOnFront(front: Subnet): string;
  /** Where every container of the twin runs now; absent when cores are shared. The twins may swap it (`swap-cores.ts`). */
  readonly pinned?: PinnedCores;
}

/** `canary-<run>-<rest>` with characters that engines accept in names. */
export function resourceName(runId: string, ...rest: readonly string[]): string {
  return ["canary", runId, ...rest].join("-").replace(/[^a-zA-Z0-9_.-]/g, "_");
}
