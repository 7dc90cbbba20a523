import { fileURLToPath } from "node:url";
import { CanaryError } from "../../core/errors.ts";
import type { Finding } from "./finding.ts";
import type { Host } from "./host.ts";

/** The parts of `scripts/setup.sh` that the doctor knows how to ask for. */
export type SetupPart = "engine" | "images";

const PARTS: readonly SetupPart[] = ["engine", "images"];

/** The scripts travel with the package; this file is as deep below its root compiled as it is in source. */
const SETUP_SCRIPT = fileURLToPath(new URL("../../../scripts/setup.sh", import.meta.url));

/** A slow mirror of a distribution and a slow registry together. */
const SETUP_TIMEOUT_MS = 20 * 60_000;

/**
 * Sets up what the findings say is missing and can be set up; nothing when there is no such finding.
 * `onLine` gets the script's progress. Returns the parts it ran; diagnose again to see the effect.
 * @throws CanaryError MIRROR_UNAVAILABLE when the script cannot make the machine ready, with its last words;
 * DEADLINE_EXCEEDED after twenty minutes; signal.reason when aborted
 */
export async function fix(
  findings: readonly Finding[],
  options: { readonly host: Host; readonly signal: AbortSignal; readonly onLine?: (line: string) => void },
): Promise<readonly SetupPart[]> {
  const parts = partsToSetUp(findings);
  if (parts.length === 0) return [];
  const { host, signal, onLine } = options;
  const result = await host.run("bash", [SETUP_SCRIPT, ...parts], { timeoutMs: SETUP_TIMEOUT_MS, signal, onLine });
  if (result.kind === "exited" && result.exitCode === 0) return parts;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message:
      result.kind === "missing"
        ? "bash is missing, the set-up scripts need it"
        : `set-up of ${parts.join(" and ")} failed`,
    hint: result.kind === "missing" ? "Install bash." : lastLines(result.stderr, 2),
  });
}

function partsToSetUp(findings: readonly Finding[]): readonly SetupPart[] {
  return PARTS.filter((part) => findings.some(({ check, fixable }) => check === part && fixable));
}

/** The script ends with what is wrong and what to do about it. */
function lastLines(text: string, count: number): string {
  const lines = text.trimEnd().split("\n").slice(-count);
  return lines.map((line) => line.replace(/^setup: /, "")).join(" - ");
}
