import { relative } from "node:path";
import type { ServiceConfiguration } from "../twin.ts";
import { containerOptions, plainVolumeName } from "./container-options.ts";
import type { ContainerDetails } from "./engine.ts";
import { environmentOf } from "./find-image.ts";
import { listReplicas, type RaisedTwin, type Replica, wantedService } from "./replicas.ts";
import { isOneShot } from "./service-order.ts";

/** Configuration of every service as the engine reports its first replica; from the wanted one where there is none. */
export async function configurationOf(
  raised: RaisedTwin,
  signal: AbortSignal,
): Promise<readonly ServiceConfiguration[]> {
  const replicas = await listReplicas(raised, signal);
  const names = [...raised.services.keys()].sort();
  return await Promise.all(names.map((service) => serviceConfiguration(raised, { service, replicas }, signal)));
}

async function serviceConfiguration(
  raised: RaisedTwin,
  of: { readonly service: string; readonly replicas: readonly Replica[] },
  signal: AbortSignal,
): Promise<ServiceConfiguration> {
  const oneShot = isOneShot(of.service, raised.twin.spec.services);
  const living = of.replicas.filter(
    (replica) => replica.service === of.service && (replica.state !== "ended" || oneShot),
  );
  const [first] = living;
  if (first === undefined) return wantedConfiguration(raised, of.service);
  const details = await raised.twin.engine.read(`inspecting ${of.service}`, signal, (docker) =>
    docker.getContainer(first.containerId).inspect(),
  );
  return reportedConfiguration(raised, { service: of.service, replicas: living.length, details });
}

function reportedConfiguration(
  raised: RaisedTwin,
  seen: { readonly service: string; readonly replicas: number; readonly details: ContainerDetails },
): ServiceConfiguration {
  const { details, service } = seen;
  const { image } = wantedService(raised, service);
  const { Memory, NanoCpus } = details.HostConfig;
  return {
    service,
    replicas: seen.replicas,
    imageId: details.Image === image.imageId ? image.baseImageId : details.Image,
    command: details.Config.Cmd ?? [],
    environment: beyondImage(environmentOf(details.Config.Env ?? []), image.environment),
    ...(Memory ? { memoryBytes: Memory } : {}),
    ...(NanoCpus ? { cpus: NanoCpus / 1e9 } : {}),
    mounts: mountsOf(raised, details),
  };
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
    mounts: [...mounted, ...inMemory].sort(),
  };
}
