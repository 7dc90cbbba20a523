import { maskedValue } from "../../core/redact.ts";
import { resourcePath } from "../../plan/resource-pattern.ts";
import type { ResourcePath } from "../fingerprint.ts";
import type { ServiceConfiguration } from "../twin.ts";

/** The configuration of a twin's services as resources; values that look secret become short digests. */
export function configurationResources(
  services: readonly ServiceConfiguration[],
): Readonly<Record<ResourcePath, string>> {
  return Object.fromEntries(services.flatMap(resourcesOf));
}

function resourcesOf(service: ServiceConfiguration): readonly (readonly [ResourcePath, string])[] {
  const path = (...names: readonly string[]): ResourcePath => resourcePath("service", service.service, ...names);
  return [
    [path("replicas"), String(service.replicas)],
    [path("image"), service.imageId],
    [path("command"), maskedValue("argv", JSON.stringify(service.command))],
    [path("memory"), service.memoryBytes === undefined ? "unlimited" : String(service.memoryBytes)],
    [path("cpus"), service.cpus === undefined ? "unlimited" : String(service.cpus)],
    [path("mounts"), JSON.stringify([...service.mounts].sort())],
    ...(service.networks === undefined ? [] : [[path("networks"), JSON.stringify(service.networks)] as const]),
    ...(service.pidsMax === undefined ? [] : [[path("pids"), String(service.pidsMax)] as const]),
    ...Object.entries(service.environment).map(
      ([name, value]) => [path("env", name), maskedValue(name, value)] as const,
    ),
  ];
}
