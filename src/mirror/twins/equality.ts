import { CanaryError } from "../../core/errors.ts";
import type { ServiceConfiguration } from "../twin.ts";

/** @throws CanaryError MIRROR_UNAVAILABLE naming every service and field in which the twins are not the same */
export function requireEqual(control: readonly ServiceConfiguration[], shadow: readonly ServiceConfiguration[]): void {
  const differences = configurationDifferences(control, shadow);
  if (differences.length === 0) return;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `twins differ: ${differences.slice(0, 10).join(", ")}`,
    hint: "Both are created from one description, so something changed images or containers meanwhile; run again.",
  });
}

/** `service/field` for every difference, sorted; values are left out because they may be secrets. */
export function configurationDifferences(
  control: readonly ServiceConfiguration[],
  shadow: readonly ServiceConfiguration[],
): readonly string[] {
  const names = [...new Set([...control, ...shadow].map((it) => it.service))].sort();
  return names.flatMap((service) => {
    const left = control.find((it) => it.service === service);
    const right = shadow.find((it) => it.service === service);
    if (left === undefined || right === undefined) return [`${service}/exists`];
    const fields = [
      "replicas",
      "imageId",
      "command",
      "environment",
      "memoryBytes",
      "cpus",
      "pidsMax",
      "mounts",
      "networks",
    ] as const;
    return fields
      .filter((field) => JSON.stringify(left[field]) !== JSON.stringify(right[field]))
      .map((field) => `${service}/${field}`);
  });
}
