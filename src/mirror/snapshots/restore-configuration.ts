import type { ServiceChange, ServiceConfiguration, Twin } from "../twin.ts";

/** Puts services back to a configuration that was read before. @returns what no change of a service can put back, in sentences */
export async function restoreConfiguration(
  twin: Twin,
  wanted: readonly ServiceConfiguration[],
  signal: AbortSignal,
): Promise<readonly string[]> {
  const now = await twin.configuration(signal);
  const unrestored: string[] = [];
  for (const service of wanted) {
    const is = now.find((candidate) => candidate.service === service.service);
    if (is === undefined) {
      unrestored.push(`service ${service.service} is gone`);
      continue;
    }
    unrestored.push(...outOfReach(service, is));
    const change = changeTo(service, is);
    if (Object.keys(change).length > 0) await twin.update(service.service, change, signal);
    if (is.replicas !== service.replicas) await twin.scale(service.service, service.replicas, signal);
  }
  return unrestored;
}

/** What `update` has to change so that the service is what it was. */
function changeTo(wanted: ServiceConfiguration, is: ServiceConfiguration): ServiceChange {
  const environment = environmentChange(wanted.environment, is.environment);
  return {
    ...(Object.keys(environment).length === 0 ? {} : { environment }),
    ...(wanted.imageId === is.imageId ? {} : { image: wanted.imageId }),
    ...(wanted.memoryBytes === undefined || wanted.memoryBytes === is.memoryBytes
      ? {}
      : { memoryBytes: wanted.memoryBytes }),
    ...(wanted.cpus === undefined || wanted.cpus === is.cpus ? {} : { cpus: wanted.cpus }),
  };
}

function environmentChange(
  wanted: ServiceConfiguration["environment"],
  is: ServiceConfiguration["environment"],
): Readonly<Record<string, string | null>> {
  const names = [...new Set([...Object.keys(wanted), ...Object.keys(is)])].sort();
  const changed = names.filter((name) => wanted[name] !== is[name]);
  return Object.fromEntries(changed.map((name) => [name, wanted[name] ?? null]));
}

function outOfReach(wanted: ServiceConfiguration, is: ServiceConfiguration): readonly string[] {
  const limit = (name: "memoryBytes" | "cpus", words: string): readonly string[] =>
    wanted[name] === undefined && is[name] !== undefined
      ? [`${wanted.service} had no limit of ${words} and has one now`]
      : [];
  return [...limit("memoryBytes", "memory"), ...limit("cpus", "CPU")];
}
