import { relative } from "node:path";
import { CanaryError } from "../../core/errors.ts";
import { invariant } from "../../core/invariant.ts";
import type { ServiceConfiguration } from "../twin.ts";
import { containerOptions, plainVolumeName } from "./container-options.ts";
import type { ContainerDetails } from "./engine.ts";
import { environmentOf } from "./find-image.ts";
import { inspectListed } from "./inspect-listed.ts";
import { listReplicas, type RaisedTwin, type Replica, wantedService } from "./replicas.ts";
import { addedSettings, commandWithout } from "./server-settings.ts";
import { isOneShot } from "./service-order.ts";

/** A change replaces a few containers one after the other; who is never seen standing still is replaced for ever. */
const LOOKS_MAX = 10;
const LOOK_AGAIN_MS = 100;

/**
 * Configuration of every service as the engine reports its replicas; from the wanted one where there is none. A replica that
 * was removed between being listed and being asked makes it look again: half of a change is no configuration.
 * @throws CanaryError MIRROR_UNAVAILABLE when the engine does not answer, or containers do not stop being replaced
 */
export async function configurationOf(
  raised: RaisedTwin,
  signal: AbortSignal,
): Promise<readonly ServiceConfiguration[]> {
  const names = [...raised.services.keys()].sort();
  for (let look = 0; look < LOOKS_MAX; look++) {
    if (look > 0) await raised.twin.clock.sleep(LOOK_AGAIN_MS, signal);
    const replicas = await listReplicas(raised, signal);
    const seen = await Promise.all(names.map((service) => serviceConfiguration(raised, { service, replicas }, signal)));
    const whole = seen.filter((one) => one !== undefined);
    if (whole.length === seen.length) return whole;
  }
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `containers of the ${raised.twin.role} twin were gone whenever they were looked at, ${LOOKS_MAX} times in a row`,
    hint: "Something keeps replacing them; the services' logs may say what.",
  });
}

/** `undefined` when a replica was removed since it was listed. */
async function serviceConfiguration(
  raised: RaisedTwin,
  of: { readonly service: string; readonly replicas: readonly Replica[] },
  signal: AbortSignal,
): Promise<ServiceConfiguration | undefined> {
  const oneShot = isOneShot(of.service, raised.twin.spec.services);
  const living = of.replicas.filter(
    (replica) => replica.service === of.service && (replica.state !== "ended" || oneShot),
  );
  const reported = await Promise.all(
    living.map(async ({ containerId }) => {
      const asked = { containerId, doing: `inspecting ${of.service}` };
      const details = await inspectListed(raised.twin.engine, asked, signal);
      if (details === undefined) return undefined;
      return reportedConfiguration(raised, { service: of.service, replicas: living.length, details });
    }),
  );
  const found = reported.filter((one) => one !== undefined);
  if (found.length < living.length) return undefined;
  return found.length === 0 ? wantedConfiguration(raised, of.service) : mixed(found);
}

/**
 * Replicas of a service that is in the middle of an update differ: then what differs is neither the old nor the new, and
 * an undo that asks whether it has anything to do must not be told that it has not.
 */
export function mixed(replicas: readonly ServiceConfiguration[]): ServiceConfiguration {
  const [first, ...others] = replicas;
  invariant(first !== undefined, "a service without replicas is described by what it is meant to be");
  const names = [...new Set(replicas.flatMap(({ environment }) => Object.keys(environment)))].sort();
  const value = (texts: readonly string[]): string => [...new Set(texts)].join(" | ");
  const amount = (name: "memoryBytes" | "cpus"): object => {
    const amounts = replicas.map((replica) => replica[name] ?? 0);
    const mean = amounts.reduce((sum, one) => sum + one, 0) / amounts.length;
    return mean === 0 ? {} : { [name]: new Set(amounts).size === 1 ? amounts[0] : mean };
  };
  if (others.every((other) => JSON.stringify(other) === JSON.stringify(first))) return first;
  const { memoryBytes: _memoryBytes, cpus: _cpus, ...shared } = first;
  return {
    ...shared,
    imageId: value(replicas.map(({ imageId }) => imageId)),
    environment: Object.fromEntries(
      names.map((name) => [name, value(replicas.map(({ environment }) => environment[name] ?? "(unset)"))]),
    ),
    ...amount("memoryBytes"),
    ...amount("cpus"),
  };
}

function reportedConfiguration(
  raised: RaisedTwin,
  seen: { readonly service: string; readonly replicas: number; readonly details: ContainerDetails },
): ServiceConfiguration {
  const { details, service } = seen;
  const { image, spec } = wantedService(raised, service);
  const { Memory, NanoCpus } = details.HostConfig;
  return {
    service,
    replicas: seen.replicas,
    imageId: details.Image === image.imageId ? image.baseImageId : details.Image,
    command: commandWithout(addedSettings(raised.twin.spec, spec, image), details.Config.Cmd ?? []),
    environment: beyondImage(environmentOf(details.Config.Env ?? []), image.environment),
    ...(Memory ? { memoryBytes: Memory } : {}),
    ...(NanoCpus ? { cpus: NanoCpus / 1e9 } : {}),
    ...pidsOf(details.HostConfig.PidsLimit),
    mounts: mountsOf(raised, details),
    networks: networksOf(raised, details),
  };
}

function pidsOf(limit: number | null | undefined): Pick<ServiceConfiguration, "pidsMax"> {
  return limit ? { pidsMax: limit } : {};
}

const SHORT_ID_LENGTH = 12;

/**
 * The engine adds the container's own short id and host name, which are no names of the service. A service may be called `db` and
 * its container's id begin so.
 */
export function networksOf(
  { twin }: { readonly twin: Pick<RaisedTwin["twin"], "network"> },
  details: Pick<ContainerDetails, "Id"> & {
    readonly Config: Pick<ContainerDetails["Config"], "Hostname">;
    readonly NetworkSettings: {
      readonly Networks: Readonly<Record<string, { readonly Aliases?: readonly string[] | null }>>;
    };
  },
): readonly string[] {
  return Object.entries(details.NetworkSettings.Networks)
    .map(([name, { Aliases }]) => {
      const own = [details.Id.slice(0, SHORT_ID_LENGTH), details.Config.Hostname];
      const aliases = (Aliases ?? []).filter((alias) => !own.includes(alias));
      return networkWords(name === twin.network ? "twin" : name, aliases);
    })
    .sort();
}

function networkWords(network: string, aliases: readonly string[]): string {
  return `${network}: ${[...new Set(aliases)].sort().join(", ")}`;
}

/** What the image itself sets is told by its id. */
function beyondImage(
  environment: Readonly<Record<string, string>>,
  ofImage: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const own = Object.entries(environment).filter(([name, value]) => ofImage[name] !== value && name !== "PGDATA");
  return Object.fromEntries(own.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function mountsOf({ twin }: RaisedTwin, details: ContainerDetails): readonly string[] {
  const mounted = details.Mounts.map((mount) => {
    const source =
      mount.Type === "volume"
        ? plainVolumeName(twin.runId, twin.role, mount.Name ?? "")
        : relative(twin.spec.baseDir, mount.Source);
    return `${mount.Type}:${source}:${mount.Destination}:${mount.RW ? "rw" : "ro"}`;
  });
  const inMemory = Object.keys(details.HostConfig.Tmpfs ?? {}).map((target) => `tmpfs::${target}:rw`);
  return [...new Set([...mounted, ...inMemory])].sort();
}

/** A service scaled to nothing still has a configuration, or an `update` of it could not be seen. */
function wantedConfiguration(raised: RaisedTwin, service: string): ServiceConfiguration {
  const { spec, image } = wantedService(raised, service);
  const options = containerOptions(raised.twin, {
    service: spec,
    image,
    slot: 1,
    address: raised.twin.subnet.gateway,
    stubHosts: raised.stubHosts,
  });
  const { twin } = raised;
  const mounted = (options.HostConfig?.Mounts ?? []).map((mount) => {
    const source =
      mount.Type === "volume"
        ? plainVolumeName(twin.runId, twin.role, mount.Source)
        : relative(twin.spec.baseDir, mount.Source);
    return `${mount.Type}:${source}:${mount.Target}:${mount.ReadOnly ? "ro" : "rw"}`;
  });
  const inMemory = Object.keys(options.HostConfig?.Tmpfs ?? {}).map((target) => `tmpfs::${target}:rw`);
  return {
    service,
    replicas: 0,
    imageId: image.baseImageId,
    command: spec.command ?? image.command,
    environment: beyondImage(spec.environment, image.environment),
    ...(spec.memoryBytes === undefined ? {} : { memoryBytes: spec.memoryBytes }),
    ...(spec.cpus === undefined ? {} : { cpus: spec.cpus }),
    ...pidsOf(spec.pidsMax),
    mounts: [...mounted, ...inMemory].sort(),
    networks: [networkWords("twin", [service, ...spec.aliases])],
  };
}
