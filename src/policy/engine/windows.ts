import { z } from "zod";
import { matches } from "../../plan/resource-pattern.ts";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
const DAY_ORDER: readonly string[] = DAYS;
const DAY_MINUTES = 24 * 60;

const Name = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,62}$/, "lower-case letters, digits and dashes, starting with a letter");
const ClockTime = z.string().regex(/^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$/, "a time of day from 00:00 to 24:00");
const Environments = z.array(z.string().min(1).max(500)).min(1).max(100).default(["**"]);

/** A recurring time in which plans may be promoted, by the clock on the wall of a place. */
export const WindowSchema = z.strictObject({
  name: Name,
  environments: Environments,
  /** A zone of the IANA database, such as Europe/Berlin. */
  zone: z.string().max(64).refine(isZone, "no time zone of the IANA database"),
  /** The days on which it opens; one that ends after midnight ends on the next day. */
  days: z.array(z.enum(DAYS)).min(1).max(7),
  from: ClockTime,
  /** Not part of the window; at or before `from` it is of the next day. */
  to: ClockTime,
});

/** A time in which nothing is promoted whatever window is open. */
export const FreezeSchema = z
  .strictObject({
    name: Name,
    environments: Environments,
    from: z.iso.datetime({ offset: true }),
    to: z.iso.datetime({ offset: true }),
  })
  .refine(({ from, to }) => Date.parse(from) < Date.parse(to), { error: "ends before it begins", path: ["to"] });

export type MaintenanceWindow = z.infer<typeof WindowSchema>;
export type Freeze = z.infer<typeof FreezeSchema>;

/**
 * Whether a window is open at an instant: whether the wall clock of its zone then lies within it. So a clock that is set
 * forward takes the skipped minutes out of the window, and one that is set back opens it for the repeated ones as well.
 * Asking in this direction needs no rule for local times that do not exist or exist twice.
 */
export function isOpen({ zone, days, from, to }: MaintenanceWindow, atEpochMs: number): boolean {
  const { day, minute } = wallClock(zone, atEpochMs);
  const [opens, closes] = [minutesOf(from), minutesOf(to)];
  const on = (index: number): boolean => days.some((name) => name === DAYS[(index + 7) % 7]);
  if (opens < closes) return on(day) && minute >= opens && minute < closes;
  return (on(day) && minute >= opens) || (on(day - 1) && minute < closes);
}

/** The windows for an environment, told apart by whether they are open. */
export function windowsAt(
  windows: readonly MaintenanceWindow[],
  environment: string,
  atEpochMs: number,
): { readonly open: readonly string[]; readonly closed: readonly string[] } {
  const here = windows.filter(({ environments }) => environments.some((pattern) => matches(pattern, environment)));
  return {
    open: here.filter((window) => isOpen(window, atEpochMs)).map(({ name }) => name),
    closed: here.filter((window) => !isOpen(window, atEpochMs)).map(windowWords),
  };
}

/** The freezes that hold for an environment at an instant, in words. */
export function freezesAt(freezes: readonly Freeze[], environment: string, atEpochMs: number): readonly string[] {
  return freezes
    .filter(({ environments }) => environments.some((pattern) => matches(pattern, environment)))
    .filter(({ from, to }) => Date.parse(from) <= atEpochMs && atEpochMs < Date.parse(to))
    .map(({ name, to }) => `${name} until ${to}`);
}

/** How far ahead `nextOpening` looks, in days: every window recurs within a week, and a clock change can skip one. */
const AHEAD_DAYS = 15;

/** The next instant, by whole minutes, in which one of the windows is open and no freeze holds; undefined within two weeks. */
export function nextOpening(
  when: { readonly windows: readonly MaintenanceWindow[]; readonly freezes: readonly Freeze[] },
  environment: string,
  fromEpochMs: number,
): number | undefined {
  const first = Math.ceil(fromEpochMs / 60_000);
  for (let minute = first; minute < first + AHEAD_DAYS * DAY_MINUTES; minute++) {
    const at = minute * 60_000;
    if (freezesAt(when.freezes, environment, at).length > 0) continue;
    if (windowsAt(when.windows, environment, at).open.length > 0) return at;
  }
  return undefined;
}

/** A window in one line: `night: mon, tue 22:00-04:00 Europe/Berlin`. */
function windowWords({ name, days, from, to, zone }: MaintenanceWindow): string {
  return `${name} (${days.length === 7 ? "daily" : days.join(", ")} ${from}-${to} ${zone})`;
}

function minutesOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return hours * 60 + minutes;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The day of the week (0 is Sunday) and the minute of the day that a clock in the zone shows, by the runtime's zone database. */
function wallClock(zone: string, atEpochMs: number): { readonly day: number; readonly minute: number } {
  const format = formats.get(zone) ?? formatOf(zone);
  formats.set(zone, format);
  const part = Object.fromEntries(format.formatToParts(atEpochMs).map(({ type, value }) => [type, value]));
  const day = DAY_ORDER.indexOf(part["weekday"]?.toLowerCase() ?? "");
  return { day, minute: Number(part["hour"]) * 60 + Number(part["minute"]) };
}

function formatOf(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    calendar: "gregory",
    numberingSystem: "latn",
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

/** An offset such as +02:00 is a zone for Intl as well, but knows no summer time: a window would move by an hour twice a year. */
function isZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    formatOf(zone);
    return true;
  } catch {
    return false;
  }
}
