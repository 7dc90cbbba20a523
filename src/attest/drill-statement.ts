import { sha256Hex } from "../core/sha256.ts";
import { signedBundle } from "./bundle.ts";
import { canonicalJson } from "./canonical-json.ts";
import type { SigningKey } from "./keys.ts";

/** Type of the statement that a drill is signed as; no reader of verdicts accepts it. */
export const DRILL_PREDICATE_TYPE = "https://canary-harness.dev/attestation/drill/v1";

/** What is signed of a drill: its outcome, and by digest everything that it is about. */
export interface SignedDrill {
  readonly runId: string;
  readonly environment: string;
  readonly outcome: string;
  readonly startedEpochMs: number;
  readonly plan: { readonly name: string; readonly sha256: string };
  readonly scenario: { readonly name: string; readonly sha256: string };
  readonly mirror: { readonly name: string; readonly sha256: string };
  readonly cells: readonly { readonly result: string }[];
}

/** Signs a drill as an in-toto statement over `drill.json` and its documents; the text of a Sigstore bundle. */
export function signDrill(drill: SignedDrill, drillJson: string, key: SigningKey): string {
  const subject = (name: string, sha256: string) => ({ name, digest: { sha256 } });
  const count = (result: string): number => drill.cells.filter((cell) => cell.result === result).length;
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      subject("drill.json", sha256Hex(drillJson)),
      subject(`plan/${drill.plan.name}`, drill.plan.sha256),
      subject(`scenario/${drill.scenario.name}`, drill.scenario.sha256),
      subject(`mirror/${drill.mirror.name}`, drill.mirror.sha256),
    ],
    predicateType: DRILL_PREDICATE_TYPE,
    predicate: {
      runId: drill.runId,
      environment: drill.environment,
      outcome: drill.outcome,
      startedAt: new Date(drill.startedEpochMs).toISOString(),
      cells: {
        clean: count("clean"),
        notRestored: count("not-restored"),
        findings: count("finding"),
        errors: count("error"),
      },
    },
  };
  return signedBundle(Buffer.from(canonicalJson(statement)), key);
}
