import type { TrustedKey } from "../../src/attest/keyring.ts";
import { loadPrivateKey, newKeyPair } from "../../src/attest/keys.ts";
import { signStatement, type VerdictInput, verdictStatement } from "../../src/attest/verdict-statement.ts";
import { type Verification, verifyBundle } from "../../src/attest/verify.ts";
import { sha256Hex } from "../../src/core/sha256.ts";

export const PLAN_BYTES = Buffer.from("schema: canary.plan/v1\n");
export const FINISHED_EPOCH_MS = Date.parse("2026-11-23T10:15:30.000Z");

/** One complete, plausible run that ended with promote. */
export const VERDICT_INPUT: VerdictInput = {
  runId: "run-7",
  harnessVersion: "0.1.0",
  startedEpochMs: FINISHED_EPOCH_MS - 300_000,
  finishedEpochMs: FINISHED_EPOCH_MS,
  verdict: { kind: "promote", reasons: [{ code: "ALL_SHOWN", message: "checkout p95 +1.2% is within +10% or less" }] },
  slos: [
    {
      name: "checkout-latency",
      accepted: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
      limit: { scale: "ratio", lo: Number.NEGATIVE_INFINITY, hi: 0.1 },
      unit: "",
      state: "pass",
      estimate: 0.012,
      interval: { level: 0.99, lo: -0.03, hi: 0.055 },
      blocks: { before: 20, after: 24, invalid: 0, blockMs: 2000, effective: 21.5 },
      varianceInflation: 1.1,
      blockSd: 0.04,
      biasRemoved: 0.002,
      minimalDetectable: 0.08,
      levels: { controlBefore: 12, controlAfter: 12, shadowBefore: 12, shadowAfter: 12.1, unit: "ms" },
      note: "",
    },
  ],
  quiet: {
    actions: [
      {
        id: "more-workers",
        effects: [{ path: "service/worker/replicas", kind: "changed", before: "1", after: "3" }],
        undeclared: [],
        absent: [],
        noOp: false,
      },
    ],
    residue: [],
  },
  rollback: { kind: "run", undoMs: 800, withinMs: 30_000, residue: [], notRecovered: [] },
  plan: {
    file: "scale-batch-workers.plan.yaml",
    sha256: sha256Hex(PLAN_BYTES),
    agent: {
      id: "agent-7",
      version: "1.4.2",
      model: { provider: "acme", name: "ops-large", version: "2026-10-01" },
      inputs: [],
    },
    tier: { declared: 2, classified: 2, effective: 2 },
  },
  scenario: { file: "scale-batch-workers.yaml", sha256: sha256Hex("scenario") },
  environment: { id: "production/eu-west", class: "production" },
  mirror: {
    name: "shop",
    sha256: sha256Hex("mirror"),
    fidelity: ["payments is a stub"],
    facts: { isolation: "strict", cores: { kind: "pinned", control: "0", shadow: "1" }, images: { api: "sha256:12" } },
  },
  seed: 42,
  traffic: { ratePerSecond: 100, arrivals: "poisson", sent: 30_000 },
  recordingSha256: sha256Hex("recording"),
};

export const PAIR = newKeyPair();
export const SIGNING_KEY = loadPrivateKey(PAIR.privatePem);
export const TRUSTED: TrustedKey = {
  keyId: PAIR.keyId,
  publicPem: PAIR.publicPem,
  role: "canary",
  identity: "canary of the shop",
};
export const BUNDLE_TEXT = signStatement(verdictStatement(VERDICT_INPUT), SIGNING_KEY);

/** Verifies with everything right but for what a test changes. */
export function verified(changes: Partial<Parameters<typeof verifyBundle>[0]> = {}): Verification {
  return verifyBundle({
    bundleText: BUNDLE_TEXT,
    trusted: { keys: [TRUSTED] },
    nowEpochMs: FINISHED_EPOCH_MS + 1000,
    plan: PLAN_BYTES,
    ...changes,
  });
}
