import type { SampledAnswer, SampledPair } from "../replay/sampled-pair.ts";
import { type ResponseDifference, responseDifferences } from "./response-difference.ts";
import { hasRoomFor, type ResponseEntry, type ResponseLog, UNCOMPARED } from "./response-log.ts";

/** From here on an HTTP status says that the service failed. */
const SERVER_ERROR = 500;
/** gRPC: unknown, deadline exceeded, resource exhausted, internal, unavailable, data loss. */
const FAILED_CALLS = new Set([1002, 1004, 1008, 1013, 1014, 1015]);
/** Of a field the first three examples are kept, then those of every doubling: late ones are there, and never many. */
const FIRST_EXAMPLES = 3;
/** The place of all differences for which a route has no room any more. */
const NO_ROOM = "body/(beyond)";

/**
 * Compares pair after pair and says each in entries, which are added to the log before they are answered.
 * A failure is no answer to compare: errors have SLOs and budgets, which say what is allowed of them.
 */
export function comparePairs(log: ResponseLog): (pair: SampledPair) => readonly ResponseEntry[] {
  const known = new Map<string, number>();
  const met = new Map<number, number>();
  const told = (entry: ResponseEntry): ResponseEntry => {
    log.add(entry);
    return entry;
  };
  return ({ sequence, atMs, route, answers: { control, shadow } }) => {
    // Rounded here, so that the file and the log agree on the window that a pair belongs to.
    const instant = Math.round(atMs * 10) / 10;
    if (!isComparable(control) || !isComparable(shadow)) return [told([sequence, instant, route, UNCOMPARED])];
    const entries: ResponseEntry[] = [];
    const ids = new Map<number, ResponseDifference>();
    for (const difference of responseDifferences(control, shadow)) {
      const place = hasPlace(known, log, route, difference) ? difference : { ...difference, path: NO_ROOM };
      const key = `${route} ${place.kind} ${place.path}`;
      const field = known.get(key) ?? log.fields.length;
      if (!known.has(key)) entries.push(told({ field, route, path: place.path, kind: place.kind }));
      known.set(key, field);
      ids.set(field, difference);
    }
    entries.push(told([sequence, instant, route, ...ids.keys()]));
    for (const [field, difference] of ids) {
      const times = (met.get(field) ?? 0) + 1;
      met.set(field, times);
      if (times > FIRST_EXAMPLES && !Number.isInteger(Math.log2(times))) continue;
      entries.push(told({ example: field, sequence, ...difference.example() }));
    }
    return entries;
  };
}

function hasPlace(
  known: ReadonlyMap<string, number>,
  log: ResponseLog,
  route: number,
  { kind, path }: ResponseDifference,
): boolean {
  return known.has(`${route} ${kind} ${path}`) || hasRoomFor(log.fields, route);
}

function isComparable(answer: SampledAnswer | undefined): answer is SampledAnswer {
  if (answer === undefined) return false;
  const { status } = answer;
  return status >= 1000 ? !FAILED_CALLS.has(status) : status > 0 && status < SERVER_ERROR;
}
