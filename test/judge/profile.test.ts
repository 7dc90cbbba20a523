import { describe, expect, test } from "vitest";
import {
  machineFingerprint,
  type Profile,
  ProfileSchema,
  profileFileName,
  profileMisfits,
} from "../../src/judge/profile.ts";
import { calibrationOf } from "../../src/judge/use-profile.ts";
import { profileFor } from "../support/profile-builder.ts";
import { P50, P95, slo } from "./support/judged.ts";

const NOW = Date.UTC(2026, 10, 23);
const DAY_MS = 86_400_000;

describe("a profile fits a run", () => {
  const profile = profileFor([P50.slo], { createdEpochMs: NOW - DAY_MS });

  test("of the same mirror, machine, isolation and traffic", () => {
    expect(profileMisfits(profile, profile, NOW)).toEqual([]);
  });

  const others: readonly (readonly [string, Partial<Profile>, RegExp])[] = [
    ["of another mirror", { mirror: { name: "shop", sha256: "9".repeat(64) } }, /mirror's digest/],
    ["on another processor", { machine: { ...profile.machine, cpuModel: "other" } }, /processor/],
    ["on other cores", { machine: { ...profile.machine, twinCores: "shared" } }, /cores of the twins/],
    ["on another engine", { machine: { ...profile.machine, engine: "docker 1" } }, /engine/],
    ["in another isolation", { isolation: "standard" }, /isolation/],
    ["at another rate", { traffic: { ...profile.traffic, ratePerSecond: 7 } }, /rate/],
    ["under another mix", { traffic: { ...profile.traffic, sha256: "8".repeat(64) } }, /traffic's digest/],
  ];
  test.each(others)("not %s, and says what differs", (_, change, expected) => {
    expect(profileMisfits(profile, { ...profile, ...change }, NOW).join()).toMatch(expected);
  });

  test("not after 30 days, not from the future, and not from three rounds", () => {
    expect(profileMisfits(profile, profile, NOW + 28 * DAY_MS)).toEqual([]);
    expect(profileMisfits(profile, profile, NOW + 30 * DAY_MS)).toEqual(["it is 31 days old, 30 are allowed"]);
    expect(profileMisfits(profile, profile, NOW - 2 * DAY_MS)).toEqual(["it was made in the future"]);
    expect(profileMisfits(profile, profile, Number.NaN)).not.toEqual([]);
    expect(profileMisfits({ ...profile, rounds: 3 }, profile, NOW).join()).toMatch(/3 rounds/);
  });
});

describe("what the judge takes from a profile", () => {
  const profile = profileFor([P50.slo], { createdEpochMs: NOW });
  const run = { slos: [P50], replaced: [] };

  test("is what was learned of the same measure on the same scale", () => {
    expect(calibrationOf(profile, run).slos).toMatchObject({ p50: { tau: 0.01, restart: { sd: 0.012, rounds: 1 } } });
    const renamed = { ...P95, slo: { ...P95.slo, name: "p50" } };
    expect(calibrationOf(profile, { ...run, slos: [renamed] }).slos).toEqual({});
    const absolute = slo({ name: "p50", measure: P50.slo.measure, limit: { to: "+10" } });
    expect(calibrationOf(profile, { ...run, slos: [absolute] }).slos).toEqual({});
  });

  test("holds for a restart only of services that were restarted", () => {
    expect(calibrationOf(profile, { ...run, replaced: ["api"] }).slos["p50"]?.restart).toBeDefined();
    expect(calibrationOf(profile, { ...run, replaced: ["api", "db"] }).slos["p50"]?.restart).toBeUndefined();
  });
});

describe("the document", () => {
  const profile = profileFor([P50.slo], { createdEpochMs: NOW });

  test("is strict: nothing unknown, no number that is none, no bias of zero", () => {
    const [learned] = profile.slos;
    expect(ProfileSchema.safeParse(profile).success).toBe(true);
    const refused: readonly unknown[] = [
      { ...profile, trust: "me" },
      { ...profile, slos: [{ ...learned, tau: Number.NaN }] },
      { ...profile, slos: [{ ...learned, tau: 0 }] },
      { ...profile, slos: [{ ...learned, tau: -1 }] },
      { ...profile, slos: [{ ...learned, restartSd: Number.POSITIVE_INFINITY }] },
      { ...profile, createdAt: "yesterday" },
    ];
    expect(refused.filter((document) => ProfileSchema.safeParse(document).success)).toEqual([]);
  });

  test("has a file name that cannot leave its folder, and a fingerprint without the machine's name", () => {
    const name = profileFileName({ ...profile, mirror: { name: "../../etc/passwd", sha256: "a".repeat(64) } });
    expect(name).not.toContain("/");
    expect(machineFingerprint(profile.machine)).toMatch(/^[0-9a-f]{64}$/);
    expect(Object.keys(profile.machine)).not.toContain("host");
  });
});
