import { signedBundle } from "../../src/attest/bundle.ts";
import { canonicalJson } from "../../src/attest/canonical-json.ts";
import type { SigningKey } from "../../src/attest/keys.ts";

/** A plausible verification summary of SLSA, signed by whoever likes: it says PASSED, and is no document of ours. */
export function signVsa(key: SigningKey): string {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "plan/x", digest: { sha256: "a".repeat(64) } }],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: "https://canary-harness.dev/gate" },
      timeVerified: "2026-11-22T10:15:30.000Z",
      resourceUri: "env://production/eu-west",
      policy: { uri: "https://git.example/policies" },
      verificationResult: "PASSED",
      verifiedLevels: ["CANARY_PROMOTE"],
    },
  };
  return signedBundle(Buffer.from(canonicalJson(statement)), key);
}
