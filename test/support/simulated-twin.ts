import { CanaryError } from "../../src/core/errors.ts";
import type { MirrorSpec } from "../../src/mirror/mirror-spec.ts";
import type {
  Address,
  ExecResult,
  FileAttributes,
  IngressHarm,
  Role,
  ServiceUsage,
  StubCall,
  StubRequest,
  Twin,
  TwinPair,
} from "../../src/mirror/twin.ts";
import type { WriteLog } from "../../src/mirror/write-log.ts";
import { runSimulatedRedis } from "./simulated-redis.ts";
import { runSimulatedSql, type SqlHandler } from "./simulated-sql.ts";
import { simulatedFiles, simulatedFlagFiles, simulatedTrouble } from "./simulated-surroundings.ts";
import {
  configurationOf,
  plainFile,
  restartSimulated,
  type SimulatedFile,
  type SimulatedService,
  type SimulatedWorld,
  scaleSimulated,
} from "./simulated-world.ts";
import { rowsWritten, type SimulatedWrites, simulatedReading } from "./simulated-writes.ts";

/** What a simulated twin asks its test about; each has a harmless default. */
export interface SimulatedBehaviour {
  /** Runs before every operation (`scale worker`, `sql db`, ...); may throw, wait or count. */
  readonly interrupt?: (operation: string, role: Role) => void | Promise<void>;
  readonly onSql?: SqlHandler;
  /** Why the database keeps no log of who wrote what. */
  readonly noWriteLog?: string;
  readonly onExec?: (service: string, argv: readonly string[], world: SimulatedWorld) => ExecResult;
  readonly onRedis?: (command: readonly string[], world: SimulatedWorld) => unknown;
  readonly address?: (port: { readonly service: string; readonly port: number }) => Address;
  /** Id of an image that an update names; the name itself if not given. */
  readonly imageId?: (reference: string) => string;
  readonly usage?: (world: SimulatedWorld) => readonly ServiceUsage[];
  readonly scrape?: (service: string, world: SimulatedWorld) => readonly string[];
  readonly onStub?: (request: StubRequest) => { readonly status: number; readonly body: string };
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
  const written: SimulatedWrites[] = [];
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
    imageId: async (reference) => behaviour.imageId?.(reference) ?? reference,
    restart: async (name, _options, signal) => {
      await enter(`restart ${name}`, signal);
      restartSimulated(service(name));
    },
    readFile: async (name, path, signal) => {
      await enter(`read ${name} ${path}`, signal);
      service(name);
      const file = world.files.get(name)?.get(path);
      return file === undefined ? undefined : Buffer.from(file.bytes);
    },
    fileAttributes: async (name, path, signal) => {
      await enter(`attributes ${name} ${path}`, signal);
      return world.files.get(name)?.get(path)?.attributes;
    },
    writeFile: async (name, path, bytes, signal, attributes) => {
      await enter(`write ${name} ${path}`, signal);
      service(name);
      writeSimulatedFile(world, { service: name, path }, bytes, attributes);
    },
    askStub: async (request, signal) => {
      await enter(`ask ${request.host}`, signal);
      return behaviour.onStub?.(request) ?? missing(`third party ${request.host}`);
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
    sqlAs: async ({ service: name }, { as, statements, transaction, onSent }, signal) => {
      // Of what a role was granted only this is simulated: whoever was granted nothing may do nothing.
      if (typeof as.rights === "object" && as.rights.tables.length === 0) throw new Error("permission denied");
      const database = world.databases.get(name) ?? missing(`database service ${name}`);
      for (const text of transaction ? [statements.join(";\n")] : statements) {
        const entered = enter(`sql ${name}`, signal);
        onSent?.();
        await entered;
        const before = structuredClone(database);
        runSimulatedSql(database, text, behaviour.onSql ?? (() => undefined));
        const { actionId, phase } = as;
        written.push({ service: name, actionId, phase, rows: rowsWritten(name, before, database) });
      }
    },
    openWriteLog: async ({ service: name }, signal) => {
      await enter(`write log ${name}`, signal);
      const database = world.databases.get(name) ?? missing(`database service ${name}`);
      if (behaviour.noWriteLog !== undefined) return unreadable(behaviour.noWriteLog);
      const [opened, from] = [structuredClone(database), written.length];
      return {
        isOpen: () => true,
        read: async () => {
          const own = written.slice(from).filter((one) => one.service === name);
          return simulatedReading(own, rowsWritten(name, opened, database));
        },
        [Symbol.asyncDispose]: async () => undefined,
      };
    },
    redis: async ({ service: name }, command) => {
      await enter(`redis ${name}`);
      return (
        behaviour.onRedis?.(command, world) ??
        runSimulatedRedis(world.keys.get(name) ?? missing(`store ${name}`), command)
      );
    },
    redisBytes: async ({ service: name }, command) => {
      await enter(`redis ${name}`);
      const parts = command.map((part) => part.toString());
      const keys = world.keys.get(name) ?? missing(`store ${name}`);
      return behaviour.onRedis?.(parts, world) ?? runSimulatedRedis(keys, parts);
    },
    disconnect: async () => undefined,
    revive: async (signal) => {
      await enter("revive", signal);
      return [];
    },
    configuration: async (signal) => {
      await enter("configuration", signal);
      return [...world.services]
        .map(([name, one]) => configurationOf(name, one))
        .sort((a, b) => (a.service < b.service ? -1 : 1));
    },
    programs: async () => [],
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
    files: async (_except, signal) => {
      await enter("files", signal);
      return simulatedFiles(world);
    },
    flagFiles: async (signal) => {
      await enter("flag files", signal);
      return simulatedFlagFiles(world);
    },
    errorPatterns: async (signal) => {
      await enter("error patterns", signal);
      return simulatedTrouble(world);
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
      cores: { kind: "pinned", control: "0", shadow: "1" },
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
  if (change.memoryBytes === null) delete service.memoryBytes;
  else if (change.memoryBytes !== undefined) service.memoryBytes = change.memoryBytes;
  if (change.cpus === null) delete service.cpus;
  else if (change.cpus !== undefined) service.cpus = change.cpus;
  restartSimulated(service);
}

function writeSimulatedFile(
  world: SimulatedWorld,
  at: { readonly service: string; readonly path: string },
  bytes: Uint8Array | undefined,
  attributes: FileAttributes | undefined,
): void {
  const files = world.files.get(at.service) ?? new Map<string, SimulatedFile>();
  world.files.set(at.service, files);
  const before = files.get(at.path);
  if (bytes === undefined) files.delete(at.path);
  else
    files.set(at.path, {
      ...plainFile(bytes),
      attributes: before?.attributes ?? attributes ?? plainFile(bytes).attributes,
    });
}

function unreadable(why: string): WriteLog {
  const read: WriteLog["read"] = async () => ({ kind: "unavailable", why });
  return { isOpen: () => false, read, [Symbol.asyncDispose]: async () => undefined };
}

function missing(what: string): never {
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `there is no ${what}`,
    hint: "Check the plan's names.",
  });
}
