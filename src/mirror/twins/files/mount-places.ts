import { posix, relative } from "node:path";
import { plainVolumeName } from "../container-options.ts";
import type { TwinContext } from "../run-context.ts";
import { type LookedAt, startedMs } from "./looked-at.ts";

/** A mount to look at: every named volume and bind once, what belongs to a single replica in each of them. */
export interface MountPlace {
  readonly kind: "volume" | "bind" | "tmpfs";
  /** The replica through which it is seen. */
  readonly at: LookedAt;
  /** Where it is mounted there. */
  readonly target: string;
  /** Folder of a volume or bind on the engine's machine. */
  readonly source?: string;
  /** First segments of its paths in the grammar, and the segments of its own folder after them. */
  readonly prefix: readonly string[];
  readonly as: readonly string[];
  /** Paths, as `as` and what follows would spell them, that are not looked at. */
  readonly ignored: readonly string[];
  readonly startedMs: number;
}

/** Where a path of a service's containers stands in the grammar. */
export interface PlaceInGrammar {
  readonly prefix: readonly string[];
  readonly segments: readonly string[];
}

type Twin = Pick<TwinContext, "runId" | "role" | "spec">;
type Mount = LookedAt["details"]["Mounts"][number];

/**
 * The mounts of a twin without those that are wholly ignored. Read-only binds are the mirror's own files, which its digest
 * covers; binds that may be written are shared by both twins and stand under `bind/`.
 */
export function mountPlaces(
  twin: Twin,
  replicas: readonly LookedAt[],
  ignoredOf: (service: string) => readonly string[],
): readonly MountPlace[] {
  const places = new Map<string, MountPlace>();
  for (const at of replicas) {
    const { details, replica } = at;
    const ignored = ignoredOf(replica.service);
    const inMemory = Object.keys(details.HostConfig.Tmpfs ?? {});
    const mounts = [
      ...details.Mounts.filter((mount) => mount.Type === "volume" || (mount.Type === "bind" && mount.RW)).map(
        (mount) => ({
          kind: mount.Type as "volume" | "bind",
          target: mount.Destination,
          source: mount.Source,
          ...placeOfMount(twin, at, mount),
        }),
      ),
      ...inMemory.map((target) => ({
        kind: "tmpfs" as const,
        target,
        source: undefined,
        ...inContainer(replica.service, target),
      })),
    ];
    for (const { kind, target, source, prefix, segments } of mounts) {
      if (ignored.some((folder) => isAtOrBelow(target, folder))) continue;
      const key = [prefix[0] === "file" ? replica.containerId : "", ...prefix, ...segments].join("\0");
      const known = places.get(key);
      const inside = ignored
        .filter((folder) => isAtOrBelow(folder, target))
        .map((folder) => `/${[...segments, ...split(relative(target, folder))].join("/")}`);
      places.set(key, {
        kind,
        at: known?.at ?? at,
        target: known?.target ?? target,
        ...(source === undefined ? {} : { source }),
        prefix,
        as: segments,
        ignored: [...(known?.ignored ?? []), ...inside],
        startedMs: Math.max(known?.startedMs ?? 0, startedMs(details)),
      });
    }
  }
  return [...places.values()];
}

/** Where a path of a container stands: in the deepest mount over it, else in the container's own layer. */
export function placeOfPath(twin: Twin, at: LookedAt, path: string): PlaceInGrammar {
  const over = at.details.Mounts.filter(({ Destination }) => isAtOrBelow(path, Destination));
  const [deepest] = over.sort((a, b) => b.Destination.length - a.Destination.length);
  if (deepest === undefined) return inContainer(at.replica.service, path);
  const { prefix, segments } = placeOfMount(twin, at, deepest);
  return { prefix, segments: [...segments, ...split(relative(deepest.Destination, path))] };
}

function placeOfMount(twin: Twin, at: LookedAt, mount: Mount): PlaceInGrammar {
  if (mount.Type === "bind") return { prefix: ["bind", relative(twin.spec.baseDir, mount.Source)], segments: [] };
  const name = plainVolumeName(twin.runId, twin.role, mount.Name ?? "");
  if (name === "anonymous" || name === "prepared") return inContainer(at.replica.service, mount.Destination);
  return { prefix: ["volume", name], segments: [] };
}

function inContainer(service: string, path: string): PlaceInGrammar {
  return { prefix: ["file", service], segments: split(path) };
}

function split(path: string): readonly string[] {
  return path.split("/").filter((part) => part !== "");
}

function isAtOrBelow(path: string, folder: string): boolean {
  const [inner, outer] = [posix.normalize(path), posix.normalize(folder).replace(/(?<=.)\/+$/, "")];
  return inner === outer || inner.startsWith(outer === "/" ? "/" : `${outer}/`);
}
