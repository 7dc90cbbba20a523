import { systemClock } from "../../src/cli/system.ts";
import type { MirrorSpec, ServiceSpec } from "../../src/mirror/mirror-spec.ts";
import type { ContainerDetails, Engine } from "../../src/mirror/twins/engine.ts";
import { LABEL } from "../../src/mirror/twins/labels.ts";
import { waitUntilReady } from "../../src/mirror/twins/readiness.ts";
import { engineThings, removeThings } from "../../src/mirror/twins/remove-things.ts";
import { startInOrder } from "../../src/mirror/twins/service-order.ts";

const forever = new AbortController().signal;

/** What one container of the stack is made from. */
export interface PlainService {
  readonly spec: ServiceSpec;
  readonly image: string;
  readonly environment: readonly string[];
  readonly command: readonly string[];
  readonly mounts: readonly { readonly source: string; readonly target: string; readonly kind: "bind" | "volume" }[];
}

/** Reads the stack off a raised twin's containers, so that both ways start the same thing. */
export function plainServices(spec: MirrorSpec, containers: readonly ContainerDetails[]): readonly PlainService[] {
  return spec.services.map((service) => {
    const container = containers.find(({ Config }) => Config.Labels[LABEL.service] === service.name);
    if (container === undefined) throw new Error(`no container of ${service.name}`);
    return {
      spec: service,
      image: container.Image,
      environment: container.Config.Env,
      command: container.Config.Cmd,
      mounts: container.Mounts.map(({ Type, Source, Destination }) => ({
        source: Source,
        target: Destination,
        kind: Type === "bind" ? ("bind" as const) : ("volume" as const),
      })),
    };
  });
}

/**
 * One copy with nothing but what the engine needs: a bridge, containers that publish their own ports, started in
 * dependency order, waited for like a twin's. Returns when all are healthy, with what removes it again.
 */
export async function startPlainCopy(
  engine: Engine,
  services: readonly PlainService[],
  runId: string,
): Promise<{ remove(): Promise<void> }> {
  const { docker } = engine;
  const Labels = { [LABEL.run]: runId };
  const network = `canary-${runId}`;
  await docker.createNetwork({ Name: network, Labels });
  const ids = new Map<string, string>();
  const create = async (service: PlainService): Promise<void> => {
    const { spec } = service;
    const container = await docker.createContainer({
      Image: service.image,
      Env: [...service.environment],
      Cmd: [...service.command],
      Labels,
      ExposedPorts: Object.fromEntries(spec.ports.map((port) => [`${port}/tcp`, {}])),
      HostConfig: {
        NetworkMode: network,
        PortBindings: Object.fromEntries(spec.ports.map((port) => [`${port}/tcp`, [{ HostIp: "127.0.0.1" }]])),
        Mounts: service.mounts.map(({ source, target, kind }) => ({
          Type: kind,
          Source: kind === "bind" ? source : `canary-${runId}-${spec.name}-${target.replace(/\W+/g, "_")}`,
          Target: target,
          ...(kind === "volume"
            ? { VolumeOptions: { NoCopy: false, Labels, DriverConfig: { Name: "local", Options: {} } } }
            : {}),
        })),
        ...(spec.cpus === undefined ? {} : { NanoCpus: spec.cpus * 1e9 }),
        ...(spec.memoryBytes === undefined ? {} : { Memory: spec.memoryBytes }),
      },
      NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: [spec.name] } } },
    });
    ids.set(spec.name, container.id);
  };
  await Promise.all(services.map(create));
  await startInOrder(
    services.map(({ spec }) => spec),
    {
      start: async ({ name }) => void (await docker.getContainer(ids.get(name) ?? "").start()),
      ready: (service) => healthy(engine, service, ids.get(service.name) ?? "", network),
    },
  );
  const store = engineThings(docker);
  return { remove: async () => void (await removeThings(store, { runId, mayRemove: () => true })) };
}

/** The same waiting as for a twin, so that only what is started differs. */
async function healthy(engine: Engine, service: ServiceSpec, id: string, network: string): Promise<void> {
  const { NetworkSettings } = await engine.docker.getContainer(id).inspect();
  const address = NetworkSettings.Networks[network]?.IPAddress ?? "";
  const twin = { engine, clock: systemClock, role: "control", readyTimeoutMs: 60_000 } as const;
  await waitUntilReady(twin, { service, containerId: id, address, neededPorts: service.ports }, forever);
}
