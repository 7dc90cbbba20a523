import { CanaryError } from "../../core/errors.ts";
import type { Difference } from "../fingerprint.ts";

/** SNAPSHOT_UNVERIFIED with what came back otherwise than it was copied. */
export function unverified(service: string, differences: readonly Difference[]): CanaryError {
  const named = differences.slice(0, 5).map(({ path, kind }) => `  ${kind} ${path}`);
  const more = differences.length > named.length ? [`  and ${differences.length - named.length} more`] : [];
  return new CanaryError({
    code: "SNAPSHOT_UNVERIFIED",
    message: `the snapshot of ${service} does not come back as it was (${differences.length} differences)`,
    hint: ["Nothing was done to the twins. What differs after restoring it to scratch:", ...named, ...more].join("\n"),
  });
}
