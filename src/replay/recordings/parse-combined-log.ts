import { seededRandom } from "../../core/random.ts";
import { type ParsedRecording, type RawRequest, recordingInvalid } from "./recorded-request.ts";

/** address, identity and user, [time], "request", status, bytes, and often "referer" "user agent". */
const LINE =
  /^\S+ [^[]*\[([^\]]{1,40})\] "((?:[^"\\]|\\.)*)" \d{3} (?:\d+|-)(?: "((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)")?/;
const TIME = /^(\d{2})\/([A-Z][a-z]{2})\/(\d{4}):(\d{2}):(\d{2}):(\d{2}) ([+-])(\d{2})(\d{2})$/;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LINE_CHARS_MAX = 32_768;

/**
 * Reads a combined (or common) access log as nginx and Apache write it. Its stamps are whole seconds: requests are spread
 * inside theirs by the seed, in the order of the lines. Garbage lines are counted.
 * @throws CanaryError RECORDING_INVALID with the first bad line when most lines are not of this format
 */
export function parseCombinedLog(bytes: Buffer, source: string, seed: number): ParsedRecording {
  const found: RawRequest[] = [];
  let unusable = 0;
  let firstBadLine = 0;
  for (const [index, line] of bytes.toString("latin1").split("\n").entries()) {
    if (line.trim() === "") continue;
    const request = parseLine(line);
    if (request !== undefined) found.push(request);
    else {
      unusable += 1;
      firstBadLine ||= index + 1;
    }
  }
  if (unusable > found.length) {
    throw recordingInvalid(
      `${source}:${firstBadLine}`,
      "is not a line of a combined access log, and neither are most others",
      'Expected: address - user [17/May/2015:10:05:03 +0000] "GET /path HTTP/1.1" 200 512 "referer" "agent".',
    );
  }
  return { found: spreadSeconds(found, seed), unusable };
}

function parseLine(line: string): RawRequest | undefined {
  const match = line.length > LINE_CHARS_MAX ? null : LINE.exec(line);
  const atMs = parseTime(match?.[1] ?? "");
  const [method = "", target = "", protocol = "", ...rest] = unescapeLog(match?.[2] ?? "").split(" ");
  if (atMs === undefined || rest.length > 0 || !protocol.startsWith("HTTP/") || !target.startsWith("/"))
    return undefined;
  const named = [["referer", match?.[3]] as const, ["user-agent", match?.[4]] as const];
  const headers = named.flatMap(([name, value]) =>
    value === undefined || value === "-" || value === "" ? [] : [[name, unescapeLog(value)] as const],
  );
  return { atMs, method, target, headers, body: undefined };
}

/** nginx writes quotes, backslashes and control bytes as \xHH; Apache also writes \" and \\. */
function unescapeLog(text: string): string {
  return text.replace(/\\(?:x([0-9A-Fa-f]{2})|(.))/g, (_whole, hex: string | undefined, plain: string | undefined) =>
    hex === undefined ? (plain ?? "") : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function parseTime(text: string): number | undefined {
  const match = TIME.exec(text);
  const month = MONTHS.indexOf(match?.[2] ?? "");
  if (match === null || month < 0) return undefined;
  const [day = 0, year = 0, hour = 0, minute = 0, second = 0, zoneHour = 0, zoneMinute = 0] = [1, 3, 4, 5, 6, 8, 9].map(
    (group) => Number(match[group]),
  );
  const zoneMs = (match[7] === "-" ? -1 : 1) * (zoneHour * 60 + zoneMinute) * 60_000;
  return Date.UTC(year, month, day, hour, minute, second) - zoneMs;
}

/** Sorted uniform instants inside each second, given to its requests in the order of their lines. */
function spreadSeconds(found: readonly RawRequest[], seed: number): readonly RawRequest[] {
  const random = seededRandom(seed);
  const bySecond = Map.groupBy(found, (request) => request.atMs);
  return [...bySecond].flatMap(([secondMs, requests]) => {
    const draws = requests.map(() => random() * 1000).sort((a, b) => a - b);
    return requests.map((request, index) => ({ ...request, atMs: secondMs + (draws[index] ?? 0) }));
  });
}
