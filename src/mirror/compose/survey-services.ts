import { isMapping, KeyValuesSchema } from "./compose-value.ts";
import { MountSchema } from "./mount-syntax.ts";
import { PortSchema } from "./port-syntax.ts";

/** What `canary init` understands of a service; read leniently, since the file may still hold what a mirror refuses. */
export interface SurveyedService {
  readonly name: string;
  /** Last part of the image's name without tag, e.g. `postgres`; empty for a build. */
  readonly image: string;
  readonly publishedPorts: readonly number[];
  readonly environment: ReadonlyMap<string, string | null>;
  readonly labels: ReadonlyMap<string, string | null>;
  readonly hasEnvFile: boolean;
  /** Keeps files of its own, so that two replicas are not twice the same. */
  readonly hasVolumes: boolean;
  /** Path of the URL that its health check asks, if it asks one. */
  readonly healthPath?: string;
}

/** Reads every service without profiles; what cannot be read counts as absent. */
export function surveyServices(services: Readonly<Record<string, unknown>>): readonly SurveyedService[] {
  return Object.entries(services).flatMap(([name, written]) => {
    const isLeftOut = !isMapping(written) || (Array.isArray(written["profiles"]) && written["profiles"].length > 0);
    return isLeftOut || name.startsWith("x-") ? [] : [surveyService(name, written)];
  });
}

function surveyService(name: string, written: Readonly<Record<string, unknown>>): SurveyedService {
  const ports = listOf(written["ports"]).flatMap((entry) => {
    const port = PortSchema.safeParse(entry);
    return port.success && port.data.protocol === "tcp" ? port.data.ports : [];
  });
  const mounts = listOf(written["volumes"]).flatMap((entry) => {
    const mount = MountSchema.safeParse(entry);
    return mount.success ? [mount.data.kind] : [];
  });
  const health = JSON.stringify(written["healthcheck"] ?? null);
  const healthPath = /https?:\/\/[^/\s"'\\]+(\/[\w./-]+)/.exec(health)?.[1];
  return {
    name,
    image: imageName(written["image"]),
    publishedPorts: ports,
    environment: pairsOf(written["environment"]),
    labels: pairsOf(written["labels"]),
    hasEnvFile: written["env_file"] !== undefined && written["env_file"] !== null,
    hasVolumes: mounts.some((kind) => kind === "volume" || kind === "anonymous"),
    ...(healthPath === undefined ? {} : { healthPath }),
  };
}

function imageName(image: unknown): string {
  if (typeof image !== "string") return "";
  return (image.split("@")[0]?.split("/").at(-1)?.split(":")[0] ?? "").toLowerCase();
}

function pairsOf(written: unknown): ReadonlyMap<string, string | null> {
  const pairs = KeyValuesSchema.safeParse(written ?? {});
  return pairs.success ? pairs.data : new Map();
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
