import type { FileAttributes, ServiceConfiguration } from "../../src/mirror/twin.ts";

/** A service of a simulated twin; `usage` is what `usage()` reports. */
export interface SimulatedService {
  replicas: number;
  imageId: string;
  command: readonly string[];
  environment: Record<string, string>;
  memoryBytes?: number;
  cpus?: number;
  mounts: readonly string[];
  /** Its running processes by number; `born` is how many there ever were. */
  processes: number[];
  born: number;
}

/** Replicas join beside the others, and the last ones leave. */
export function scaleSimulated(service: SimulatedService, replicas: number): void {
  service.replicas = replicas;
  service.processes.length = Math.min(service.processes.length, replicas);
  while (service.processes.length < replicas) service.processes.push(++service.born);
}

/** Every replica runs in another process than before. */
export function restartSimulated(service: SimulatedService): void {
  service.processes = service.processes.map(() => ++service.born);
}

/** A table in memory: rows by the text of their primary key. */
export interface SimulatedTable {
  primaryKey: string;
  columns: readonly string[];
  indexes: Map<string, string>;
  rows: Map<string, Readonly<Record<string, string | null>>>;
}

/** A database in memory. */
export interface SimulatedDatabase {
  database: string;
  tables: Map<string, SimulatedTable>;
  settings: Map<string, string>;
}

/** All state of one simulated twin; plain data, so that `structuredClone` copies it. */
export interface SimulatedWorld {
  services: Map<string, SimulatedService>;
  databases: Map<string, SimulatedDatabase>;
  keys: Map<string, Map<string, string>>;
  /** Files by service and path; every replica has the same. */
  files: Map<string, Map<string, SimulatedFile>>;
  /** Which of the files are flag files. */
  flagFiles: readonly { readonly service: string; readonly path: string }[];
  /** Lines of trouble by service, as they were written. */
  trouble: Map<string, string[]>;
}

/** A file in memory. */
export interface SimulatedFile {
  bytes: Uint8Array;
  attributes: FileAttributes;
}

/** Builds a world from short notes; every field has a harmless default. */
export function simulatedWorld(notes: {
  readonly services?: Readonly<Record<string, Partial<SimulatedService>>>;
  readonly databases?: Readonly<
    Record<
      string,
      {
        readonly database: string;
        readonly tables: Readonly<
          Record<
            string,
            {
              readonly columns: readonly string[];
              readonly rows: readonly (readonly (string | null)[])[];
              readonly indexes?: Readonly<Record<string, string>>;
            }
          >
        >;
      }
    >
  >;
  readonly keys?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Text of files by service and path. */
  readonly files?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly flagFiles?: SimulatedWorld["flagFiles"];
}): SimulatedWorld {
  const services = Object.entries(notes.services ?? {}).map(
    ([name, service]) => [name, serviceOf(name, service)] as const,
  );
  const databases = Object.entries(notes.databases ?? {}).map(([service, { database, tables }]) => {
    const built = Object.entries(tables).map(([name, table]) => [name, tableOf(table)] as const);
    return [service, { database, tables: new Map(built), settings: new Map<string, string>() }] as const;
  });
  const keys = Object.entries(notes.keys ?? {}).map(
    ([name, entries]) => [name, new Map(Object.entries(entries))] as const,
  );
  const files = Object.entries(notes.files ?? {}).map(([name, entries]) => {
    const texts = Object.entries(entries).map(([path, text]) => [path, plainFile(Buffer.from(text))] as const);
    return [name, new Map(texts)] as const;
  });
  return {
    services: new Map(services),
    databases: new Map(databases),
    keys: new Map(keys),
    files: new Map(files),
    flagFiles: notes.flagFiles ?? [],
    trouble: new Map(),
  };
}

/** The configuration of a simulated service as a twin reports it. */
export function configurationOf(name: string, service: SimulatedService): ServiceConfiguration {
  const { replicas, imageId, command, environment, memoryBytes, cpus, mounts } = service;
  return {
    service: name,
    replicas,
    imageId,
    command,
    environment: { ...environment },
    mounts,
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(cpus === undefined ? {} : { cpus }),
  };
}

/** A file as one is that nobody said more about. */
export function plainFile(bytes: Uint8Array): SimulatedFile {
  return { bytes, attributes: { mode: 0o644, uid: 0, gid: 0 } };
}

function serviceOf(name: string, service: Partial<SimulatedService>): SimulatedService {
  const { replicas = 1 } = service;
  const processes = Array.from({ length: replicas }, (_, index) => index + 1);
  const defaults = { imageId: `sha256:${name}`, command: [name], environment: {}, mounts: [] };
  return { ...defaults, replicas, processes, born: replicas, ...service };
}

/** The first column is the primary key. */
function tableOf(table: {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
  readonly indexes?: Readonly<Record<string, string>>;
}): SimulatedTable {
  const rows = table.rows.map((values) => {
    const row = Object.fromEntries(table.columns.map((column, index) => [column, values[index] ?? null]));
    return [String(values[0]), row] as const;
  });
  return {
    primaryKey: table.columns[0] ?? "id",
    columns: table.columns,
    indexes: new Map(Object.entries(table.indexes ?? {})),
    rows: new Map(rows),
  };
}
