import { LIMITS } from "../../core/limits.ts";
import { troubleIn } from "../state/error-pattern.ts";
import type { Twin } from "../twin.ts";
import type { ErrorPattern } from "../twin-surroundings.ts";
import { mergedFrames } from "./container-io.ts";
import { isGone } from "./engine-errors.ts";
import { listReplicas, type RaisedTwin, type Replica } from "./replicas.ts";

/** In place of a pattern, where a service writes ever new ones. */
const MORE = "(more patterns than are kept)";

/**
 * Collects patterns of trouble from the output of all replicas, those that ended included. Each look reads only what was
 * written since the last one; what a replica wrote last before it was removed is lost with it.
 */
export function errorPatternReader(raised: Pick<RaisedTwin, "twin">): Twin["errorPatterns"] {
  /** Container to the time stamp of the last line that was read. */
  const readUntil = new Map<string, string>();
  const known = new Map<string, ErrorPattern>();
  const note = (service: string, line: string): void => {
    const trouble = troubleIn(line);
    if (trouble === undefined) return;
    const full = known.size >= LIMITS.errorPatternsMax;
    const pattern = full && !known.has(`${service}\n${trouble.pattern}`) ? MORE : trouble.pattern;
    const key = `${service}\n${pattern}`;
    if (!known.has(key)) known.set(key, { service, pattern, example: trouble.example });
  };
  return async (signal) => {
    const replicas = (await listReplicas(raised, signal)).filter(({ state }) => state !== "created");
    await Promise.all(
      replicas.map(async (replica) => {
        const since = readUntil.get(replica.containerId) ?? "";
        for (const { stamp, text } of await linesSince(raised, replica, since, signal)) {
          readUntil.set(replica.containerId, stamp);
          note(replica.service, text);
        }
      }),
    );
    return [...known.values()];
  };
}

interface StampedLine {
  readonly stamp: string;
  readonly text: string;
}

/** Stamps are of fixed width and in UTC, so their order is that of text; the engine itself only takes whole seconds. */
async function linesSince(
  { twin }: Pick<RaisedTwin, "twin">,
  { service, containerId }: Replica,
  stamp: string,
  signal: AbortSignal,
): Promise<readonly StampedLine[]> {
  const since = stamp === "" ? 0 : Math.floor(Date.parse(stamp) / 1000);
  const raw = await twin.engine.read(`reading the output of ${service}`, signal, async (docker) => {
    const asked = {
      stdout: true,
      stderr: true,
      timestamps: true,
      follow: false,
      tail: LIMITS.logLinesComparedMax,
      since,
    };
    return await docker
      .getContainer(containerId)
      .logs({ ...asked, follow: false })
      .catch((cause: unknown) => {
        // An action may have removed it since it was listed.
        if (isGone(cause)) return Buffer.alloc(0);
        throw cause;
      });
  });
  const text = mergedFrames(Buffer.isBuffer(raw) ? raw : Buffer.from(String(raw))).toString("utf8");
  return text
    .split("\n")
    .map((line) => ({ stamp: line.slice(0, 30), text: line.slice(31) }))
    .filter((line) => /^\d{4}-/.test(line.stamp) && line.stamp > stamp);
}
