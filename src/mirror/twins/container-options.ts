import type { HealthcheckSpec, MountSpec, ServiceSpec } from "../mirror-spec.ts";
import type { ContainerOptions } from "./engine.ts";
import { LABEL, twinLabels } from "./labels.ts";
import { resourceName, type TwinContext } from "./run-context.ts";
import { addedSettings, commandWith } from "./server-settings.ts";

/** An image as it will be run: what it is, where it came from, what it declares. */
export interface ResolvedImage {
  /** Id that containers are created from. */
  readonly imageId: string;
  /** Id of the declared image; differs from `imageId` when data was prepared on top of it. */
  readonly baseImageId: string;
  /** Paths that the image declares as VOLUME. */
  readonly volumes: readonly string[];
  /** Command that the image itself runs. */
  readonly command: readonly string[];
  /** Environment that the image itself sets. */
  readonly environment: Readonly<Record<string, string>>;
  /** Present when a database was seeded into the image; its folder becomes a volume of the twin. */
  readonly preparedDataDir?: string;
}

/** Everything that decides how one replica is created. */
export interface ReplicaPlan {
  readonly service: ServiceSpec;
  readonly image: ResolvedImage;
  /** 1, 2, …: the replica's place in names and in the ingress. */
  readonly slot: number;
  readonly address: string;
  /** `name:address` of the stubs. */
  readonly stubHosts: readonly string[];
}

/**
 * The engine's words for one replica: exactly one network, no published port, no health check of the engine's own
 * (its processes would disturb the measurement), every volume named and labelled so that none outlives the twin.
 */
export function containerOptions(twin: TwinContext, plan: ReplicaPlan): ContainerOptions {
  const { service } = plan;
  const command = commandWith(addedSettings(twin.spec, service, plan.image), service, plan.image);
  return {
    name: resourceName(twin.runId, twin.role, service.name, String(plan.slot)),
    Image: plan.image.imageId,
    Env: Object.entries(service.environment).map(([name, value]) => `${name}=${value}`),
    Hostname: service.hostname ?? `${service.name}-${plan.slot}`,
    ...(command === undefined ? {} : { Cmd: [...command] }),
    ...(service.entrypoint === undefined ? {} : { Entrypoint: [...service.entrypoint] }),
    ...(service.user === undefined ? {} : { User: service.user }),
    ...(service.workingDir === undefined ? {} : { WorkingDir: service.workingDir }),
    ...(service.stopSignal === undefined ? {} : { StopSignal: service.stopSignal }),
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      ...service.labels,
      ...serviceLabels(twin, service.name),
      [LABEL.slot]: String(plan.slot),
      [LABEL.address]: plan.address,
    },
    HostConfig: hostConfig(twin, plan),
    NetworkingConfig: {
      EndpointsConfig: {
        [twin.network]: {
          Aliases: [service.name, ...service.aliases],
          IPAMConfig: { IPv4Address: plan.address },
        },
      },
    },
  };
}

function hostConfig(twin: TwinContext, plan: ReplicaPlan): NonNullable<ContainerOptions["HostConfig"]> {
  const { service } = plan;
  return {
    NetworkMode: twin.network,
    ExtraHosts: [...service.extraHosts, ...plan.stubHosts],
    // Names that nobody declared must fail soon and must not be asked for outside: nothing listens on loopback.
    Dns: ["127.0.0.1"],
    DnsOptions: ["timeout:1", "attempts:1"],
    CapAdd: [...service.capAdd],
    CapDrop: [...service.capDrop],
    ReadonlyRootfs: service.readOnlyRoot,
    SecurityOpt: [...service.securityOpt],
    Sysctls: { ...service.sysctls },
    Ulimits: service.ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    Init: service.init,
    RestartPolicy: { Name: "no" },
    LogConfig: { Type: "json-file", Config: { "max-size": "20m", "max-file": "1" } },
    Mounts: mounts(twin, plan),
    Tmpfs: tmpfs(service.mounts),
    ...(service.cpus === undefined ? {} : { NanoCpus: Math.round(service.cpus * 1e9) }),
    ...(service.memoryBytes === undefined ? {} : { Memory: service.memoryBytes }),
    ...(service.pidsMax === undefined ? {} : { PidsLimit: service.pidsMax }),
    ...(twin.pinned === undefined ? {} : { CpusetCpus: twin.pinned.cpuset }),
  };
}

type Mounts = NonNullable<NonNullable<ContainerOptions["HostConfig"]>["Mounts"]>;

/** Declared mounts, then a volume of the twin over every VOLUME of the image that no mount covers. */
function mounts(twin: TwinContext, plan: ReplicaPlan): Mounts {
  const { service, image, slot } = plan;
  const labels = serviceLabels(twin, service.name);
  const declared = service.mounts.flatMap((mount): Mounts => {
    if (mount.kind === "tmpfs") return [];
    if (mount.kind === "bind")
      return [{ Type: "bind", Source: mount.sourcePath, Target: mount.target, ReadOnly: mount.readOnly }];
    const source = volumeName(twin, mount.volume);
    return [volumeMount({ source, target: mount.target, readOnly: mount.readOnly, labels })];
  });
  const covered = new Set(service.mounts.map((mount) => mount.target));
  const anonymous = image.volumes
    .filter((target) => !covered.has(target))
    .map((target) => {
      const source = volumeName(twin, "anonymous", service.name, String(slot), target.replace(/[^a-zA-Z0-9]+/g, "_"));
      return volumeMount({ source, target, readOnly: false, labels });
    });
  if (image.preparedDataDir === undefined) return [...declared, ...anonymous];
  // A new volume is filled from the image by the engine; it outlives a replaced container, as the real one's would.
  const source = volumeName(twin, "prepared", service.name);
  return [...declared, ...anonymous, volumeMount({ source, target: image.preparedDataDir, readOnly: false, labels })];
}

function volumeMount(volume: {
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
  readonly labels: Readonly<Record<string, string>>;
}): Mounts[number] {
  return {
    Type: "volume",
    Source: volume.source,
    Target: volume.target,
    ReadOnly: volume.readOnly,
    VolumeOptions: { NoCopy: false, Labels: { ...volume.labels }, DriverConfig: { Name: "local", Options: {} } },
  };
}

function tmpfs(all: readonly MountSpec[]): Record<string, string> {
  const entries = all.flatMap((mount) =>
    mount.kind === "tmpfs" ? [[mount.target, mount.sizeBytes === undefined ? "" : `size=${mount.sizeBytes}`]] : [],
  );
  return Object.fromEntries(entries);
}

function volumeName(twin: TwinContext, ...rest: readonly string[]): string {
  return resourceName(twin.runId, twin.role, "vol", ...rest);
}

function serviceLabels(twin: TwinContext, service: string): Readonly<Record<string, string>> {
  return twinLabels({ ownership: twin.ownership, role: twin.role, service });
}

/** A twin's volume in words that are equal for both twins: the name in the Compose file, or what it stands in for. */
export function plainVolumeName(runId: string, role: string, engineName: string): string {
  const prefix = resourceName(runId, role, "vol", "");
  const name = engineName.startsWith(prefix) ? engineName.slice(prefix.length) : engineName;
  return /^(anonymous|prepared)-/.test(name) ? (name.split("-")[0] ?? name) : name;
}

/** The health check as an argument list, or `undefined` when there is none. */
export function healthArgv(check: HealthcheckSpec | undefined): readonly string[] | undefined {
  const [form, ...rest] = check?.test ?? [];
  if (form === "CMD") return rest;
  if (form === "CMD-SHELL") return ["/bin/sh", "-c", rest.join(" ")];
  return undefined;
}
