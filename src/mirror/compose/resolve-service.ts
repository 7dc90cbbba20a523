import type { DependencySpec, ImageSource, MountSpec, ServiceSpec } from "../mirror-spec.ts";
import type { WrittenCompose } from "./compose-schema.ts";
import { insideMirror, type MirrorScope } from "./mirror-scope.ts";
import type { WrittenMount } from "./mount-syntax.ts";
import { resolveEnvironment, withValues } from "./resolve-environment.ts";
import type { WrittenService } from "./service-schema.ts";

/** A service of the file with where it stands in it and what else the file declares. */
export interface ServiceToResolve {
  readonly name: string;
  readonly written: WrittenService;
  readonly compose: WrittenCompose;
}

const RESERVED_LABELS = /^(?:dev\.canary|com\.docker\.compose|org\.testcontainers)(?:\.|$)/;

/** Applies defaults and resolves names and paths; what cannot be resolved is reported and left out. */
export function resolveService(service: ServiceToResolve, scope: MirrorScope): ServiceSpec {
  const { name, written } = service;
  const path = ["services", name];
  const limits = written.deploy?.resources?.limits;
  const memberships = Object.values(written.networks ?? {});
  return {
    name,
    image: resolveImage(service, scope),
    environment: resolveEnvironment(written, path, scope),
    ports: containerPorts(written),
    mounts: resolveMounts(service, scope),
    dependsOn: dependencies(written),
    capAdd: written.cap_add,
    capDrop: written.cap_drop,
    readOnlyRoot: written.read_only,
    ulimits: written.ulimits ?? [],
    init: written.init,
    stopGraceMs: written.stop_grace_period,
    replicas: agree(written.deploy?.replicas, written.scale, [...path, "scale"], scope) ?? 1,
    labels: resolveLabels(written, path, scope),
    extraHosts: written.extra_hosts ?? [],
    securityOpt: written.security_opt,
    sysctls: written.sysctls ?? {},
    aliases: [...new Set(memberships.flatMap(({ aliases }) => aliases))],
    ...defined({
      command: written.command,
      entrypoint: written.entrypoint,
      healthcheck: written.healthcheck === "disabled" ? undefined : written.healthcheck,
      user: written.user,
      workingDir: written.working_dir,
      hostname: written.hostname,
      stopSignal: written.stop_signal,
      cpus: agree(limits?.cpus, written.cpus, [...path, "cpus"], scope),
      memoryBytes: agree(limits?.memory, written.mem_limit, [...path, "mem_limit"], scope),
      pidsMax: agree(limits?.pids, written.pids_limit, [...path, "pids_limit"], scope),
    }),
  };
}

type Defined<T> = { [Key in keyof T]?: Exclude<T[Key], undefined> };

function defined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}

/** The value under `deploy` and its older spelling must not contradict each other. */
function agree(
  deployed: number | undefined,
  older: number | undefined,
  path: readonly PropertyKey[],
  scope: MirrorScope,
): number | undefined {
  if (deployed !== undefined && older !== undefined && deployed !== older) {
    scope.report(path, "contradicts the value under deploy");
  }
  return deployed ?? older;
}

function resolveImage({ name, written }: ServiceToResolve, scope: MirrorScope): ImageSource {
  const { build, image } = written;
  const path = ["services", name, "build"];
  if (build === undefined) {
    if (image === undefined) scope.report(["services", name], "needs an image or a build");
    return { kind: "image", reference: image ?? "" };
  }
  const contextDir = insideMirror(build.context, { path: [...path, "context"], kind: "folder" }, scope);
  if (contextDir !== undefined) {
    insideMirror(build.dockerfile, { path: [...path, "dockerfile"], kind: "file", from: contextDir }, scope);
  }
  return {
    kind: "build",
    contextDir: contextDir ?? scope.baseDir,
    dockerfile: build.dockerfile,
    args: withValues(build.args ?? new Map(), scope),
    ...(build.target === undefined ? {} : { target: build.target }),
  };
}

function containerPorts(written: WrittenService): readonly number[] {
  const tcp = [...written.ports, ...written.expose].filter(({ protocol }) => protocol === "tcp");
  return [...new Set(tcp.flatMap(({ ports }) => ports))];
}

function dependencies(written: WrittenService): readonly DependencySpec[] {
  return Object.entries(written.depends_on ?? {}).map(([service, { condition, required }]) => {
    return { service, condition, required };
  });
}

function resolveLabels(
  written: WrittenService,
  path: readonly PropertyKey[],
  scope: MirrorScope,
): Readonly<Record<string, string>> {
  const labels = [...(written.labels ?? [])].map(([label, value]) => [label, value ?? ""] as const);
  for (const [label] of labels) {
    // Labels say who owns a container; one that claims another owner could be removed by it, or never.
    if (RESERVED_LABELS.test(label))
      scope.report([...path, "labels"], `"${label}" is reserved for who owns a container`);
  }
  return Object.fromEntries(labels);
}

function resolveMounts(service: ServiceToResolve, scope: MirrorScope): readonly MountSpec[] {
  const { name, written, compose } = service;
  const path = ["services", name];
  const mounts = [
    ...written.volumes.map((mount, index) => resolveMount(mount, [...path, "volumes", index], service, scope)),
    ...(written.tmpfs ?? []).map((mount, index) => resolveMount(mount, [...path, "tmpfs", index], service, scope)),
    ...written.secrets.map((use, index) => resolveFile(use, compose.secrets, [...path, "secrets", index], scope)),
    ...written.configs.map((use, index) => resolveFile(use, compose.configs, [...path, "configs", index], scope)),
    ...(written.shm_size === undefined
      ? []
      : [{ kind: "tmpfs" as const, target: "/dev/shm", sizeBytes: written.shm_size }]),
  ].filter((mount) => mount !== undefined);
  const targets = mounts.map(({ target }) => target.replace(/(?<=.)\/+$/, ""));
  for (const [index, target] of targets.entries()) {
    if (targets.indexOf(target) < index) scope.report(path, `mounts two things at ${target}`);
  }
  return mounts;
}

function resolveMount(
  mount: WrittenMount,
  path: readonly PropertyKey[],
  service: ServiceToResolve,
  scope: MirrorScope,
): MountSpec | undefined {
  switch (mount.kind) {
    case "tmpfs":
      return mount;
    case "anonymous":
      return { ...mount, kind: "volume", volume: `anonymous.${service.name}.${String(path.at(-1))}` };
    case "volume":
      if (!Object.hasOwn(service.compose.volumes, mount.volume)) {
        scope.report(path, `volume "${mount.volume}" is not declared under the top-level volumes`);
      }
      return mount;
    case "bind": {
      const sourcePath = insideMirror(mount.source, { path, kind: "file or folder" }, scope);
      // Two twins must not write into one folder, least of all into the user's; it is mounted read-only, and said so.
      return sourcePath === undefined ? undefined : { kind: "bind", sourcePath, target: mount.target, readOnly: true };
    }
  }
}

function resolveFile(
  use: { readonly source: string; readonly target: string },
  declared: Readonly<Record<string, { readonly file: string }>>,
  path: readonly PropertyKey[],
  scope: MirrorScope,
): MountSpec | undefined {
  const file = Object.hasOwn(declared, use.source) ? declared[use.source] : undefined;
  if (file === undefined) {
    scope.report(path, `"${use.source}" is not declared at the top level of the file`);
    return undefined;
  }
  const sourcePath = insideMirror(file.file, { path, kind: "file" }, scope);
  return sourcePath === undefined ? undefined : { kind: "bind", sourcePath, target: use.target, readOnly: true };
}
