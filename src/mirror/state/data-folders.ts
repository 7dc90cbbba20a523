import type { StateSpec } from "../mirror-spec.ts";
import type { StateSource } from "./store-state.ts";
import { readingState } from "./unreadable-state.ts";

/** A folder of a service whose content is compared in another way than as files. */
export interface DataFolder {
  readonly service: string;
  readonly path: string;
}

/** Allowed to members of pg_read_all_settings only; to others it is unknown. */
const DATA_DIRECTORY_SQL = `
  SELECT CASE WHEN pg_has_role(current_user, 'pg_read_all_settings', 'usage') THEN current_setting('data_directory') END AS folder`;

/** Where each store keeps its data, as it says itself; where it does not say, all volumes of its service. */
export async function dataFolders(
  source: StateSource,
  stores: readonly StateSpec[],
  signal: AbortSignal,
): Promise<readonly DataFolder[]> {
  const asked = await Promise.all(
    stores.map(async (store) => ({ service: store.service, path: await folderOf(source, store, signal) })),
  );
  if (asked.every(({ path }) => path !== undefined)) return asked.map(({ service, path = "" }) => ({ service, path }));
  const configuration = await source.configuration(signal);
  return asked.flatMap(({ service, path }): readonly DataFolder[] => {
    if (path !== undefined) return [{ service, path }];
    const mounts = configuration.find((one) => one.service === service)?.mounts ?? [];
    return mounts.flatMap((mount) => {
      const [kind, , target] = mount.split(":");
      return kind === "volume" && target !== undefined ? [{ service, path: target }] : [];
    });
  });
}

async function folderOf(source: StateSource, store: StateSpec, signal: AbortSignal): Promise<string | undefined> {
  return await readingState(store, signal, async () => {
    const folder =
      store.kind === "postgres"
        ? (await source.sql({ service: store.service }, DATA_DIRECTORY_SQL))[0]?.["folder"]
        : secondOf(await source.redis(store, ["CONFIG", "GET", "dir"]));
    return typeof folder === "string" && folder.startsWith("/") && folder !== "/" ? folder : undefined;
  });
}

/** `CONFIG GET` answers a name and a value: as a list in RESP2, as an object in RESP3. */
function secondOf(reply: unknown): unknown {
  if (Array.isArray(reply)) return reply[1];
  if (reply instanceof Map) return reply.get("dir");
  return typeof reply === "object" && reply !== null && "dir" in reply ? reply.dir : undefined;
}
