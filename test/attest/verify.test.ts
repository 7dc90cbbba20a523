import { expect, test } from "vitest";
import { signedBundle } from "../../src/attest/bundle.ts";
import { canonicalJson } from "../../src/attest/canonical-json.ts";
import { newKeyPair } from "../../src/attest/keys.ts";
import { verdictStatement } from "../../src/attest/verdict-statement.ts";
import { readUnverified, verifyBundle } from "../../src/attest/verify.ts";
import {
  BUNDLE_TEXT,
  FINISHED_EPOCH_MS,
  PAIR,
  PLAN_BYTES,
  SIGNING_KEY,
  TRUSTED,
  VERDICT_INPUT,
  verified,
} from "./verdict-builder.ts";

const DAY_MS = 24 * 3_600_000;

/** Refused, for this reason and no other. */
function checkRefused(changes: Parameters<typeof verified>[0], reason: RegExp): void {
  const result = verified(changes);
  expect(result).toEqual({ kind: "invalid", problems: [expect.stringMatching(reason)] });
}

/** JSON that a test bends out of shape; its type is lost on purpose. */
type Loose = ReturnType<typeof JSON.parse>;

/** The bundle as an object, changed and written again; its signature stays. */
function rewritten(change: (bundle: Loose) => void): string {
  const bundle = JSON.parse(BUNDLE_TEXT);
  change(bundle);
  return JSON.stringify(bundle);
}

/** A bundle whose signature is right, over a statement that is not ours. */
function signedInstead(change: (statement: Loose) => void): string {
  const statement = JSON.parse(canonicalJson(verdictStatement(VERDICT_INPUT)));
  change(statement);
  return signedBundle(Buffer.from(canonicalJson(statement)), SIGNING_KEY);
}

test("a verdict that was just signed is valid and says what the run said", () => {
  const result = verified();
  expect(result).toMatchObject({
    kind: "valid",
    statement: {
      subject: [
        { name: "plan/scale-batch-workers.plan.yaml", digest: { sha256: VERDICT_INPUT.plan.sha256 } },
        { name: "scenario/scale-batch-workers.yaml" },
        { name: "mirror/shop" },
      ],
      predicate: { verdict: "promote", notBefore: "2026-11-23T10:15:30.000Z", expiresAt: "2026-11-24T10:15:30.000Z" },
    },
  });
});

test("a bundle in the URL-safe alphabet without padding is the same bundle", () => {
  const urlSafe = (text: string) => text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
  const bundleText = rewritten(({ dsseEnvelope }) => {
    dsseEnvelope.payload = urlSafe(dsseEnvelope.payload);
    dsseEnvelope.signatures[0].sig = urlSafe(dsseEnvelope.signatures[0].sig);
  });
  expect(verified({ bundleText }).kind).toBe("valid");
});

test("a verdict is valid from its first to just before its last millisecond", () => {
  expect(verified({ nowEpochMs: FINISHED_EPOCH_MS }).kind).toBe("valid");
  expect(verified({ nowEpochMs: FINISHED_EPOCH_MS + DAY_MS - 1 }).kind).toBe("valid");
  checkRefused({ nowEpochMs: FINISHED_EPOCH_MS + DAY_MS }, /expired at 2026-11-24/);
  checkRefused({ nowEpochMs: FINISHED_EPOCH_MS - DAY_MS }, /not valid before 2026-11-23/);
});

test("a clock that tells no time refuses everything", () => {
  expect(verified({ nowEpochMs: Number.NaN })).toMatchObject({
    kind: "invalid",
    problems: [/not valid before/, /expired/].map((reason) => expect.stringMatching(reason)),
  });
});

test("a verdict on another plan is refused, also when the bytes are its scenario or mirror", () => {
  checkRefused({ plan: Buffer.from("another plan") }, /not about/);
  checkRefused({ plan: Buffer.from("scenario") }, /not about/);
  checkRefused({ plan: Buffer.from("mirror") }, /not about/);
  checkRefused({ plan: Buffer.concat([PLAN_BYTES, Buffer.from("\n")]) }, /not about/);
});

test("without a plan to compare, the rest is still verified", () => {
  const given = { bundleText: BUNDLE_TEXT, trusted: { keys: [TRUSTED] } };
  expect(verifyBundle({ ...given, nowEpochMs: FINISHED_EPOCH_MS }).kind).toBe("valid");
  expect(verifyBundle({ ...given, nowEpochMs: FINISHED_EPOCH_MS + DAY_MS }).kind).toBe("invalid");
});

test.each<[string, readonly (typeof TRUSTED)[], RegExp]>([
  ["nobody is trusted", [], /is not trusted here/],
  ["the key is trusted for plans", [{ ...TRUSTED, role: "agent" }], /for plans, not for verdicts/],
  ["the key is trusted for approvals", [{ ...TRUSTED, role: "approver" }], /for approvals, not for verdicts/],
  ["the key is listed twice", [TRUSTED, { ...TRUSTED, role: "ledger" }], /trusted once/],
  ["the key is listed twice for verdicts", [TRUSTED, TRUSTED], /trusted once/],
  ["the key is not valid yet", [{ ...TRUSTED, notBeforeEpochMs: FINISHED_EPOCH_MS + 1001 }], /not valid before/],
  ["the key has expired", [{ ...TRUSTED, notAfterEpochMs: FINISHED_EPOCH_MS + 1000 }], /expired at/],
  [
    "the key was revoked",
    [{ ...TRUSTED, revoked: { atEpochMs: FINISHED_EPOCH_MS + 1000, reason: "the laptop is gone" } }],
    /was revoked at .*the laptop is gone/,
  ],
  [
    "another key stands under its name",
    [{ ...TRUSTED, publicPem: newKeyPair().publicPem }],
    /not the key that is stored/,
  ],
  ["its PEM is broken", [{ ...TRUSTED, publicPem: "-----BEGIN PUBLIC KEY-----" }], /cannot be read/],
  ["its PEM is a private key", [{ ...TRUSTED, publicPem: PAIR.privatePem }], /cannot be read/],
])("a verdict is refused when %s", (_, keys, reason) => checkRefused({ trusted: { keys } }, reason));

test.each<[string, string, RegExp]>([
  ["two signatures", rewritten(({ dsseEnvelope: { signatures } }) => signatures.push(signatures[0])), /signatures/],
  ["no signature", rewritten(({ dsseEnvelope }) => (dsseEnvelope.signatures = [])), /signatures/],
  [
    "two key names",
    rewritten((bundle) => (bundle.verificationMaterial.publicKey.hint = "other")),
    /two different keys/,
  ],
  [
    "another payload type",
    rewritten(({ dsseEnvelope }) => (dsseEnvelope.payloadType = "application/json")),
    /payloadType/,
  ],
  [
    "another media type",
    rewritten((bundle) => (bundle.mediaType = "application/vnd.dev.sigstore.bundle+json;version=0.2")),
    /mediaType/,
  ],
  ["an unknown key", rewritten((bundle) => (bundle.extra = 1)), /nrecognized key/],
  ["an unknown key below", rewritten(({ dsseEnvelope }) => (dsseEnvelope.extra = 1)), /nrecognized key/],
  ["a log entry", rewritten(({ verificationMaterial }) => verificationMaterial.tlogEntries.push({})), /tlogEntries/],
  ["base64 with a space", rewritten(({ dsseEnvelope }) => (dsseEnvelope.payload += " ")), /not base64/],
  ["mixed base64", rewritten(({ dsseEnvelope }) => (dsseEnvelope.payload = "+_+_")), /not base64/],
  ["base64 with loose bits", rewritten(({ dsseEnvelope }) => (dsseEnvelope.payload = "QR==")), /not base64/],
  ["an empty payload", rewritten(({ dsseEnvelope }) => (dsseEnvelope.payload = "")), /not base64/],
  ["a short signature", rewritten(({ dsseEnvelope }) => (dsseEnvelope.signatures[0].sig = "QQ==")), /does not fit/],
  ["something behind it", `${BUNDLE_TEXT}{}`, /is not JSON/],
  ["half of it", BUNDLE_TEXT.slice(0, 500), /is not JSON/],
  ["a key said twice", BUNDLE_TEXT.replace('"mediaType"', '"mediaType":"x","mediaType"'), /"mediaType" twice/],
  [
    "a key said twice in two spellings",
    BUNDLE_TEXT.replace('"mediaType"', '"media\\u0054ype":"x","mediaType"'),
    /"mediaType" twice/,
  ],
  ["a prototype", BUNDLE_TEXT.replace('"mediaType"', '"__proto__":{},"mediaType"'), /"__proto__"/],
  ["too much", `${BUNDLE_TEXT}${" ".repeat(1024 * 1024)}`, /at most 1048576/],
  ["nothing", "", /is not JSON/],
  ["null", "null", /no bundle of ours/],
])("a bundle with %s is refused", (_, bundleText, reason) => checkRefused({ bundleText }, reason));

test.each<[string, string, RegExp]>([
  [
    "another predicate",
    signedInstead((statement) => (statement.predicateType = "https://slsa.dev/verification_summary/v1")),
    /predicateType/,
  ],
  [
    "another statement type",
    signedInstead((statement) => (statement._type = "https://in-toto.io/Statement/v0.1")),
    /_type/,
  ],
  ["an unknown field", signedInstead(({ predicate }) => (predicate.approved = true)), /nrecognized key/],
  ["an unknown verdict", signedInstead(({ predicate }) => (predicate.verdict = "promoted")), /predicate\.verdict/],
  ["no reasons", signedInstead(({ predicate }) => (predicate.reasons = [])), /predicate\.reasons/],
  [
    "a plan that is no subject",
    signedInstead(({ predicate }) => (predicate.planDigest.sha256 = "0".repeat(64))),
    /must hold the plan/,
  ],
  ["no end", signedInstead(({ predicate }) => (predicate.expiresAt = predicate.notBefore)), /later than notBefore/],
  ["a date that is none", signedInstead(({ predicate }) => (predicate.expiresAt = "tomorrow")), /expiresAt/],
])("a rightly signed statement with %s is refused", (_, bundleText, reason) => checkRefused({ bundleText }, reason));

test.each([
  ["is not UTF-8", Buffer.from([0x22, 0xff, 0x22]), /the statement is not JSON/],
  ["says a key twice", Buffer.from('{"a":1,"b":[{"a":2}],"a":3}'), /the statement has the key "a" twice/],
  ["is no statement", Buffer.from("[]"), /no canary verdict/],
  [
    "hides a prototype where any key may stand",
    Buffer.from(canonicalJson(verdictStatement(VERDICT_INPUT)).replace('"images":{', '"images":{"__proto__":"x",')),
    /the statement has the key "__proto__"/,
  ],
])("a rightly signed payload that %s is refused", (_, payload, reason) => {
  checkRefused({ bundleText: signedBundle(payload, SIGNING_KEY) }, reason);
});

test("all that is wrong with a genuine verdict is told at once", () => {
  const result = verified({ nowEpochMs: FINISHED_EPOCH_MS + 2 * DAY_MS, plan: Buffer.from("other") });
  expect(result.kind === "invalid" && result.problems).toHaveLength(2);
});

test("a bundle can be shown without being trusted", () => {
  expect(readUnverified(BUNDLE_TEXT)).toMatchObject({
    kind: "statement",
    keyId: PAIR.keyId,
    statement: { predicate: { verdict: "promote" } },
  });
  expect(readUnverified("{}")).toMatchObject({ kind: "problem" });
});
