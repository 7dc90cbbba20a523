import type { StateSpec } from "../mirror-spec.ts";
import { pairsOf } from "./redis-server.ts";
import type { StateSource } from "./store-state.ts";
import { readingState } from "./unreadable-state.ts";

/** A file or folder of a service whose content is compared in another way than as files. */
export interface DataFolder {
  readonly service: string;
  /** Absolute; a `*` at its end is any rest of the name. */
  readonly path: string;
}

/** Allowed to members of pg_read_all_settings only; to others it is unknown. */
const DATA_DIRECTORY_SQL = `
  SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage') THEN current_setting('data_directory') END AS folder`;

/**
 * Where each store keeps its data, as it says itself; where it does not say, all volumes of its service. PostgreSQL's folder as a
 * whole, since it tells what else lies there (`serverFiles`); of Redis's the files that it writes.
 */
export async function dataFolders(
  source: StateSource,
  stores: readonly StateSpec[],
  signal: AbortSignal,
): Promise<readonly DataFolder[]> {
  const asked = await Promise.all(
    stores.map(async (store) => ({ service: store.service, paths: await pathsOf(source, store, signal) })),
  );
  const known = asked.flatMap(({ service, paths = [] }) => paths.map((path): DataFolder => ({ service, path })));
  const silent = asked.filter(({ paths }) => paths === undefined);
  if (silent.length === 0) return known;
  const configuration = await source.configuration(signal);
  const volumes = silent.flatMap(({ service }): readonly DataFolder[] => {
    const mounts = configuration.find((one) => one.service === service)?.mounts ?? [];
    return mounts.flatMap((mount) => {
      const [kind, , target] = mount.split(":");
      return kind === "volume" && target !== undefined ? [{ service, path: target }] : [];
    });
  });
  return [...known, ...volumes];
}

async function pathsOf(
  source: StateSource,
  store: StateSpec,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  return await readingState(store, signal, async () => {
    if (store.kind === "redis") return await redisFiles(source, store);
    const folder = (await source.sql({ service: store.service }, DATA_DIRECTORY_SQL))[0]?.["folder"];
    return typeof folder === "string" && isFolder(folder) ? [folder] : undefined;
  });
}

/** Dump, append-only files and the nodes of a cluster, with what they are called while they are written. */
async function redisFiles(
  source: StateSource,
  store: Extract<StateSpec, { kind: "redis" }>,
): Promise<readonly string[] | undefined> {
  const settings = new Map(pairsOf(await source.redis(store, ["CONFIG", "GET", "*"])));
  const folder = settings.get("dir");
  if (folder === undefined || !isFolder(folder)) return undefined;
  const names = ["dbfilename", "appendfilename", "appenddirname", "cluster-config-file"].map((name) =>
    settings.get(name),
  );
  return [...names.filter((name) => name !== undefined && name !== ""), "temp-*"].map((name) => `${folder}/${name}`);
}

function isFolder(path: string): boolean {
  return path.startsWith("/") && path !== "/";
}
