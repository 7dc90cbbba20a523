import { CanaryError } from "../../src/core/errors.ts";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import type {
  Address,
  ExecResult,
  IngressHarm,
  Role,
  ServiceUsage,
  StubCall,
  Twin,
  TwinPair,
} from "../../src/mirror/twin.ts";
import { runSimulatedSql, type SqlHandler } from "./simulated-sql.ts";
import {
  configurationOf,
  restartSimulated,
  type SimulatedService,
  type SimulatedWorld,
  scaleSimulated,
} from "./simulated-world.ts";

/** What a simulated twin asks its test about; each has a harmless default. */
export interface SimulatedBehaviour {
  /** Runs before every operation (`scale worker`, `sql db`, ...); may throw, wait or count. */
  readonly interrupt?: (operation: string, role: Role) => void | Promise<void>;
  readonly onSql?: SqlHandler;
  readonly onExec?: (service: string, argv: readonly string[], world: SimulatedWorld) => ExecResult;
  readonly onRedis?: (command: readonly string[], world: SimulatedWorld) => unknown;
  readonly address?: (port: { readonly service: string; readonly port: number }) => Address;
  /** Id of an image that an update names; the name itself if not given. */
  readonly imageId?: (reference: string) => string;
  readonly usage?: (world: SimulatedWorld) => readonly ServiceUsage[];
  readonly scrape?: (service: string, world: SimulatedWorld) => readonly string[];
  readonly stubCalls?: () => readonly StubCall[];
}

/** A twin in memory: its whole state is `world`, what was asked of it is `operations`. */
export interface SimulatedTwin extends Twin {
  readonly world: SimulatedWorld;
  readonly operations: readonly string[];
  readonly frozen: ReadonlySet<string>;
  readonly planted: () => IngressHarm | undefined;
}

/** A twin whose world is a copy of the given one. */
export function simulatedTwin(role: Role, template: SimulatedWorld, behaviour: SimulatedBehaviour = {}): SimulatedTwin {
  const world = structuredClone(template);
  const operations: string[] = [];
  const frozen = new Set<string>();
  let planted: IngressHarm | undefined;
  const enter = async (operation: string, signal?: AbortSignal): Promise<void> => {
    signal?.throwIfAborted();
    operations.push(operation);
    await behaviour.interrupt?.(operation, role);
    signal?.throwIfAborted();
  };
  const service = (name: string): SimulatedService => world.services.get(name) ?? missing(`service ${name}`);
  return {
    role,
    world,
    operations,
    frozen,
    address: behaviour.address ?? (() => ({ host: "127.0.0.1", port: 9 })),
    scale: async (name, replicas, signal) => {
      await enter(`scale ${name}`, signal);
      scaleSimulated(service(name), replicas);
    },
    update: async (name, change, signal) => {
      await enter(`update ${name}`, signal);
      applyChange(service(name), change, behaviour.imageId ?? ((reference) => reference));
    },
    exec: async (name, argv, signal) => {
      await enter(`exec ${name}`, signal);
      return behaviour.onExec?.(name, argv, world) ?? { exitCode: 0, stdout: "", stderr: "" };
    },
    sql: async ({ service: name }, text) => {
      await enter(`sql ${name}`);
      const database = world.databases.get(name) ?? missing(`database service ${name}`);
      return runSimulatedSql(database, text, behaviour.onSql ?? (() => undefined));
    },
    redis: async ({ service: name }, command) => {
      await enter(`redis ${name}`);
      return (
        behaviour.onRedis?.(command, world) ?? setOrDelete(world.keys.get(name) ?? missing(`store ${name}`), command)
      );
    },
    configuration: async (signal) => {
      await enter("configuration", signal);
      return [...world.services]
        .map(([name, one]) => configurationOf(name, one))
        .sort((a, b) => (a.service < b.service ? -1 : 1));
    },
    processes: async (signal) => {
      await enter("processes", signal);
      return [...world.services].flatMap(([name, one]) =>
        one.processes.map((process) => ({ service: name, id: `${name} ${process}` })),
      );
    },
    usage: async (signal) => {
      await enter("usage", signal);
      return behaviour.usage?.(world) ?? [];
    },
    scrape: async ({ service: name }, signal) => {
      await enter(`scrape ${name}`, signal);
      return behaviour.scrape?.(name, world) ?? [];
    },
    freeze: async (services, signal) => {
      await enter("freeze", signal);
      for (const name of services) frozen.add(name);
    },
    thaw: async (services, signal) => {
      await enter("thaw", signal);
      for (const name of services) frozen.delete(name);
    },
    logs: async (name) => `${name} | simulated`,
    stubCalls: behaviour.stubCalls ?? (() => []),
    plantHarm: async (harm, signal) => {
      await enter("plant harm", signal);
      planted = harm;
    },
    planted: () => planted,
  };
}

/** Two twins with equal worlds; disposing does nothing but say so in `disposed`. */
export function simulatedPair(options: {
  readonly spec: MirrorSpec;
  readonly world: SimulatedWorld;
  readonly control?: SimulatedBehaviour;
  readonly shadow?: SimulatedBehaviour;
}): TwinPair & { readonly control: SimulatedTwin; readonly shadow: SimulatedTwin; readonly disposed: () => boolean } {
  let disposed = false;
  return {
    spec: options.spec,
    control: simulatedTwin("control", options.world, options.control),
    shadow: simulatedTwin("shadow", options.world, options.shadow),
    facts: {
      isolation: "strict",
      cores: { kind: "shared" },
      images: Object.fromEntries([...options.world.services].map(([name, one]) => [name, one.imageId])),
      engine: "simulated",
      raiseMs: 0,
      prepared: true,
    },
    disposed: () => disposed,
    swapCores: async () => undefined,
    [Symbol.asyncDispose]: async () => {
      disposed = true;
    },
  };
}

function applyChange(
  service: SimulatedService,
  change: Parameters<Twin["update"]>[1],
  imageId: (reference: string) => string,
): void {
  for (const [name, value] of Object.entries(change.environment ?? {})) {
    if (value === null) delete service.environment[name];
    else service.environment[name] = value;
  }
  if (change.image !== undefined) service.imageId = imageId(change.image);
  if (change.memoryBytes !== undefined) service.memoryBytes = change.memoryBytes;
  if (change.cpus !== undefined) service.cpus = change.cpus;
  restartSimulated(service);
}

function setOrDelete(keys: Map<string, string>, [verb = "", key = "", value = ""]: readonly string[]): unknown {
  switch (verb.toUpperCase()) {
    case "SET":
      keys.set(key, value);
      return "OK";
    case "DEL":
      return keys.delete(key) ? 1 : 0;
    case "GET":
      return keys.get(key) ?? null;
    default:
      throw new Error(`ERR unknown command '${verb}'`);
  }
}

function missing(what: string): never {
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `there is no ${what}`,
    hint: "Check the plan's names.",
  });
}
