import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isOpen, type MaintenanceWindow, nextOpening, WindowSchema } from "../../../src/policy/engine/windows.ts";

const MINUTE_MS = 60_000;
const NIGHT: MaintenanceWindow = {
  name: "night",
  environments: ["**"],
  zone: "Europe/Berlin",
  days: ["sat"],
  from: "22:00",
  to: "04:00",
};
const openAt = (window: Partial<MaintenanceWindow>, instant: string): boolean =>
  isOpen({ ...NIGHT, ...window }, Date.parse(instant));
/** Minutes for which a window is open between two instants, looked at minute by minute. */
const minutesOpen = (window: Partial<MaintenanceWindow>, from: string, to: string): number => {
  const [first, last] = [Date.parse(from), Date.parse(to)];
  const minutes = Array.from({ length: (last - first) / MINUTE_MS }, (_, index) => first + index * MINUTE_MS);
  return minutes.filter((at) => isOpen({ ...NIGHT, ...window }, at)).length;
};

test("a window that ends after midnight belongs to the day on which it opens", () => {
  expect(openAt({}, "2026-12-05T21:59:59+01:00")).toBe(false);
  expect(openAt({}, "2026-12-05T22:00:00+01:00")).toBe(true);
  expect(openAt({}, "2026-12-06T03:59:59+01:00")).toBe(true);
  expect(openAt({}, "2026-12-06T04:00:00+01:00")).toBe(false);
  expect(openAt({}, "2026-12-05T01:00:00+01:00")).toBe(false);
});

test("a whole day runs from 00:00 to 24:00", () => {
  expect(minutesOpen({ from: "00:00", to: "24:00" }, "2026-12-04T00:00:00Z", "2026-12-08T00:00:00Z")).toBe(24 * 60);
});

describe("when clocks are changed", () => {
  test("the hour that is skipped is no part of a window, and one that lies in it never opens", () => {
    const [from, to] = ["2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"];
    expect(minutesOpen({}, from, to)).toBe(5 * 60);
    expect(minutesOpen({ days: ["sun"], from: "02:00", to: "03:00" }, from, to)).toBe(0);
    expect(minutesOpen({ days: ["sun"], from: "02:30", to: "03:30" }, from, to)).toBe(30);
  });

  test("the hour that is repeated is open twice", () => {
    const [from, to] = ["2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"];
    expect(minutesOpen({}, from, to)).toBe(7 * 60);
    expect(minutesOpen({ days: ["sun"], from: "02:00", to: "03:00" }, from, to)).toBe(2 * 60);
  });

  test("half an hour is as good as an hour, also where summer is in December", () => {
    const howe: Partial<MaintenanceWindow> = { zone: "Australia/Lord_Howe", days: ["sun"], from: "01:30", to: "02:30" };
    expect(minutesOpen(howe, "2026-10-03T00:00:00Z", "2026-10-05T00:00:00Z")).toBe(30);
    expect(minutesOpen(howe, "2026-04-04T00:00:00Z", "2026-04-06T00:00:00Z")).toBe(90);
  });

  test("days keep their names where a day was skipped altogether", () => {
    const apia = { zone: "Pacific/Apia", from: "00:00", to: "24:00" } as const;
    const week = ["2011-12-28T10:00:00Z", "2012-01-01T10:00:00Z"] as const;
    expect(minutesOpen({ ...apia, days: ["fri"] }, ...week)).toBe(0);
    expect(minutesOpen({ ...apia, days: ["sat"] }, ...week)).toBe(24 * 60);
  });
});

const zone = fc.constantFrom(
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "America/St_Johns",
  "Asia/Kathmandu",
  "Asia/Tehran",
  "Australia/Lord_Howe",
  "Pacific/Apia",
  "Pacific/Chatham",
  "Africa/Casablanca",
  "America/Sao_Paulo",
);
const minute = fc.integer({ min: 0, max: 1439 });
const clock = (value: number): string =>
  `${String(Math.floor(value / 60)).padStart(2, "0")}:${String(value % 60).padStart(2, "0")}`;
const days = fc.subarray(["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const, { minLength: 1 });
const window = fc
  .record({ zone, from: minute, to: minute, days })
  .map(({ from, to, ...rest }): MaintenanceWindow => ({ ...NIGHT, ...rest, from: clock(from), to: clock(to) }));
const instant = fc.integer({ min: Date.parse("2007-01-01T00:00:00Z"), max: Date.parse("2037-12-31T00:00:00Z") });

/** The wall clock by another way of the runtime: a whole date as a Swede writes it. */
function wallClock(zoneName: string, at: number): { readonly day: number; readonly minute: number } {
  const text = new Date(at).toLocaleString("sv-SE", { timeZone: zoneName });
  const [, date = "", hours, minutes] = /^(\S+) (\d\d):(\d\d)/.exec(text) ?? [];
  return { day: new Date(`${date}T00:00:00Z`).getUTCDay(), minute: Number(hours) * 60 + Number(minutes) };
}

test("a window is open exactly while the clock on the wall there is inside it, in every zone and year", () => {
  const NAMES = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const;
  fc.assert(
    fc.property(window, instant, (given, at) => {
      const { day, minute: now } = wallClock(given.zone, at);
      const value = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
      const [from, to] = [value(given.from), value(given.to)];
      const length = (to - from + 1440) % 1440 || 1440;
      const inside = [0, 1].some((daysAgo) => {
        const since = now + daysAgo * 1440 - from;
        return since >= 0 && since < length && given.days.includes(NAMES[(day - daysAgo + 7) % 7] ?? "sun");
      });
      expect(isOpen(given, at)).toBe(inside);
    }),
    { numRuns: 2000 },
  );
});

test("a window and the rest of its day are never open together, and one of them always is", () => {
  fc.assert(
    fc.property(zone, minute, minute, instant, (name, from, to, at) => {
      fc.pre(from !== to);
      const all = { ...NIGHT, zone: name, days: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"] as const };
      const one = { ...all, days: [...all.days], from: clock(from), to: clock(to) };
      const rest = { ...all, days: [...all.days], from: clock(to), to: clock(from) };
      expect(isOpen(one, at)).toBe(!isOpen(rest, at));
    }),
    { numRuns: 1000 },
  );
});

test("the next opening is open, nothing before it is, and a freeze postpones it", () => {
  const freezes = [{ name: "peak", environments: ["**"], from: "2026-12-05T00:00:00Z", to: "2026-12-12T00:00:00Z" }];
  const from = Date.parse("2026-12-01T00:00:00Z");
  const instantOf = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString());
  expect(instantOf(nextOpening({ windows: [NIGHT], freezes: [] }, "x", from))).toBe("2026-12-05T21:00:00.000Z");
  expect(instantOf(nextOpening({ windows: [NIGHT], freezes }, "x", from))).toBe("2026-12-12T21:00:00.000Z");
  expect(nextOpening({ windows: [], freezes: [] }, "x", from)).toBeUndefined();
});

test.each(["Mars/Olympus", "+02:00", "", "Europe/Berlin; DROP", "__proto__"])("%j is no zone", (name) => {
  expect(WindowSchema.safeParse({ ...NIGHT, zone: name }).success).toBe(false);
});

test.each(["24:01", "9:00", "25:00", "12:60", "noon"])("%s is no time of day", (time) => {
  expect(WindowSchema.safeParse({ ...NIGHT, from: time }).success).toBe(false);
});
