import { expect, test } from "vitest";
import { readBundle, signedBundle } from "../../src/attest/bundle.ts";
import type { TrustedKey } from "../../src/attest/keyring.ts";
import { loadPrivateKey, newKeyPair } from "../../src/attest/keys.ts";
import { openProfile, signProfile } from "../../src/attest/profile-statement.ts";
import { sha256Hex } from "../../src/core/sha256.ts";
import { SloSchema } from "../../src/measure/slo.ts";
import { profileFor } from "../support/profile-builder.ts";
import { BUNDLE_TEXT, SIGNING_KEY, TRUSTED, verified } from "./verdict-builder.ts";

const slo = SloSchema.parse({ name: "p50", measure: { kind: "latency", quantile: 0.5 }, limit: { to: "+10%" } });
const profile = profileFor([slo], { createdEpochMs: Date.UTC(2026, 10, 23) });
const text = signProfile(profile, SIGNING_KEY);

function problemOf(bundleText: string, keys: readonly TrustedKey[] = [TRUSTED]): string {
  const opened = openProfile(bundleText, { keys });
  return opened.kind === "problem" ? opened.message : "";
}

/** The signed bundle with its content bent; the signature stays. */
function bent(change: (statement: ReturnType<typeof JSON.parse>) => void, sign: boolean): string {
  const bundle = JSON.parse(text);
  const statement = JSON.parse(Buffer.from(bundle.dsseEnvelope.payload, "base64").toString());
  change(statement);
  const payload = Buffer.from(JSON.stringify(statement));
  if (sign) return signedBundle(payload, SIGNING_KEY);
  bundle.dsseEnvelope.payload = payload.toString("base64");
  return JSON.stringify(bundle);
}

test("a profile that was just signed opens, and its digest is the one of its file", () => {
  expect(openProfile(text, { keys: [TRUSTED] })).toEqual({ kind: "profile", profile, sha256: sha256Hex(text) });
});

test("a planted profile is refused: unsigned, signed by a stranger, or changed after it was signed", () => {
  const stranger = loadPrivateKey(newKeyPair().privatePem);
  const smaller = (statement: ReturnType<typeof JSON.parse>): void => {
    statement.predicate.slos[0].tau = 1e-9;
  };
  expect(problemOf(JSON.stringify(profile))).toMatch(/no bundle of ours/);
  expect(problemOf(signProfile(profile, stranger))).toMatch(/is not trusted here/);
  expect(problemOf(bent(smaller, false))).toMatch(/signature does not fit/);
  expect(problemOf(text, [])).toMatch(/is not trusted here/);
});

test("a signature does not make a profile of what is none", () => {
  const other = (statement: ReturnType<typeof JSON.parse>): void => {
    statement.subject[0].digest.sha256 = "0".repeat(64);
  };
  const unknown = (statement: ReturnType<typeof JSON.parse>): void => {
    statement.predicate.trust = "me";
  };
  expect(problemOf(bent(other, true))).toMatch(/must be the profile's mirror/);
  expect(problemOf(bent(unknown, true))).toMatch(/no calibration profile/);
});

test("no profile passes for a verdict and no verdict for a profile", () => {
  expect(problemOf(BUNDLE_TEXT)).toMatch(/no calibration profile/);
  expect(readBundle(text).kind).toBe("bundle");
  expect(verified({ bundleText: text })).toMatchObject({ kind: "invalid" });
});
