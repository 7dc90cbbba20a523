import { posix } from "node:path";
import { resourcePath } from "../../../plan/resource-pattern.ts";
import type { Twin } from "../../twin.ts";
import type { FileListing } from "../../twin-surroundings.ts";
import { folderByEngine, layerByEngine } from "./archive-files.ts";
import { engineFiles } from "./engine-files.ts";
import { type FileCollector, fileCollector } from "./file-collector.ts";
import { type HostReading, layerOnHost, plainFolder, type Skip, walkTree } from "./host-files.ts";
import { type LookedAt, type LookOptions, livingReplicas, startedMs, type TwinWithFiles } from "./looked-at.ts";
import { type MountPlace, mountPlaces } from "./mount-places.ts";
import { pristineContainers } from "./pristine-containers.ts";
import { tmpfsByProgram } from "./tmpfs-by-program.ts";

/** What the engine itself puts into every container, or mounts there: some of it is read by `engineFiles`. */
const OF_THE_ENGINE = ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf", "/.dockerenv", "/dev", "/proc", "/sys"];

/** Looks at all files of a twin, each time anew; only digests of unchanged contents are remembered. */
export function fileLooker(raised: TwinWithFiles, options: LookOptions = {}): Twin["files"] {
  const digests = new Map<string, string>();
  const pristine = pristineContainers(raised);
  return async (except, signal): Promise<FileListing> => {
    const reading: HostReading = { digests, epochMs: () => raised.twin.clock.epochMs(), signal };
    const replicas = await livingReplicas(raised, signal, options);
    const collector = fileCollector();
    const ignored = (service: string): readonly string[] =>
      except.filter((one) => one.service === service).map((one) => one.path);
    const places = mountPlaces(raised.twin, replicas, ignored);
    const [ofEngine] = await Promise.all([
      engineFiles(raised, replicas, signal),
      ...replicas.map((at) =>
        layerOf(raised, at, { collector, reading, pristine, ignored: ignored(at.replica.service) }),
      ),
      ...places.map((place) => mountOf(raised, place, collector, reading)),
    ]);
    for (const place of ofEngine.unseen) collector.unseen(place);
    return { ...collector.listing(), ofEngine: ofEngine.files };
  };
}

async function layerOf(
  raised: TwinWithFiles,
  { replica, details, view }: LookedAt,
  how: {
    readonly collector: FileCollector;
    readonly reading: HostReading;
    readonly pristine: ReturnType<typeof pristineContainers>;
    readonly ignored: readonly string[];
  },
): Promise<void> {
  const mounted = [...details.Mounts.map((mount) => mount.Destination), ...Object.keys(details.HostConfig.Tmpfs ?? {})];
  const skip = below([...OF_THE_ENGINE, ...mounted, ...how.ignored]);
  const to = how.collector.root({ prefix: ["file", replica.service], startedMs: startedMs(details) });
  if (view !== undefined) return await layerOnHost(view, skip, to, how.reading);
  // Nobody can write into it, the engine included, and asking costs 0.2 s.
  if (details.HostConfig.ReadonlyRootfs === true) return;
  const { signal } = how.reading;
  const { engine } = raised.twin;
  const from = {
    engine,
    containerId: replica.containerId,
    pristine: () => how.pristine(details.Image, signal),
    signal,
  };
  await engine.read(`reading files of ${replica.service}`, signal, () => layerByEngine(from, skip, to));
}

async function mountOf(
  raised: TwinWithFiles,
  place: MountPlace,
  collector: FileCollector,
  reading: HostReading,
): Promise<void> {
  const { at, target, prefix, as, ignored } = place;
  const to = collector.root({ prefix, startedMs: place.startedMs });
  const skip = below(ignored);
  const { signal } = reading;
  const { service, containerId, state } = at.replica;
  const onHost = at.view === undefined ? undefined : (place.source ?? (await plainFolder(at.view, target)));
  if (onHost !== undefined) return await walkTree(onHost, as, { skip, to, reading });
  await raised.twin.engine.read(`reading ${target} of ${service}`, signal, async (docker) => {
    const container = docker.getContainer(containerId);
    if (place.kind !== "tmpfs") return await folderByEngine(container, target, { skip, to, signal, as });
    const problem =
      state === "paused" ? "it is frozen" : await tmpfsByProgram(container, target, { skip, to, signal, as });
    if (problem !== undefined) to.unseen(`${resourcePath(...prefix, ...as)}: a tmpfs, and ${problem}`);
  });
}

/** True for these paths and everything below them; a `*` at the end of one is any rest of a name. */
function below(folders: readonly string[]): Skip {
  const trimmed = folders.map((folder) => posix.normalize(folder).replace(/(?<=.)\/+$/, ""));
  const begins = trimmed.filter((folder) => folder.endsWith("*")).map((folder) => folder.slice(0, -1));
  return (path) =>
    trimmed.some((folder) => path === folder || path.startsWith(folder === "/" ? "/" : `${folder}/`)) ||
    begins.some((beginning) => path.startsWith(beginning));
}
