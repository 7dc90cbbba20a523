import type { VerdictStatement } from "../attest/statement.ts";
import { StatementSchema } from "../attest/statement.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { type Plan, parsePlan } from "../plan/plan.ts";
import { parseRunbook, type Runbook } from "../runbook/runbook.ts";
import { boundedCache } from "./bounded-cache.ts";
import { type DrillStatement, DrillStatementSchema } from "./drill-record.ts";
import { readSigned, type SignedRecord } from "./signed-record.ts";

/** Plans, verdicts and drills of a few thousand promotions; one is some kilobytes. */
const KEPT_MAX = 4096;

/** Documents of the ledger, read once. Each throws where the document is missing or cannot be read: then there is no evidence. */
export interface GateDocuments {
  text(sha256: string): Promise<string>;
  plan(sha256: string): Promise<Plan>;
  runbook(sha256: string): Promise<Runbook>;
  verdict(bundleSha256: string): Promise<SignedRecord<VerdictStatement>>;
  drill(bundleSha256: string): Promise<SignedRecord<DrillStatement>>;
  /** Keeps what was just read of documents that the ledger now holds: most plans act soon after their verdict was published. */
  keep(published: {
    readonly plan: Plan;
    readonly verdict: SignedRecord<VerdictStatement>;
    readonly bundleSha256: string;
  }): void;
}

/** What bundles are read as. */
export const VERDICT = { schema: StatementSchema, what: "canary verdict" } as const;
export const DRILL = { schema: DrillStatementSchema, what: "canary drill" } as const;

/** Reads through the ledger, which compares every document with its digest. */
export function gateDocuments(ledger: Ledger): GateDocuments {
  const texts = boundedCache<string>(KEPT_MAX);
  const plans = boundedCache<Plan>(KEPT_MAX);
  const runbooks = boundedCache<Runbook>(KEPT_MAX);
  const verdicts = boundedCache<SignedRecord<VerdictStatement>>(KEPT_MAX);
  const drills = boundedCache<SignedRecord<DrillStatement>>(KEPT_MAX);
  const textOf = async (sha256: string): Promise<string> => {
    const bytes = await ledger.document(sha256);
    if (bytes === undefined) throw new Error(`the ledger holds no document ${sha256}`);
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  };
  const recordOf = async <T>(sha256: string, asked: Parameters<typeof readSigned<T>>[1]): Promise<SignedRecord<T>> => {
    const read = readSigned(await textOf(sha256), asked);
    if (read.kind === "problem") throw new Error(`document ${sha256}: ${read.message}`);
    return read.record;
  };
  return {
    text: (sha256) => texts.get(sha256, () => textOf(sha256)),
    plan: (sha256) => plans.get(sha256, async () => parsePlan(await textOf(sha256), `plan ${sha256}`)),
    runbook: (sha256) => runbooks.get(sha256, async () => parseRunbook(await textOf(sha256), `runbook ${sha256}`)),
    verdict: (sha256) => verdicts.get(sha256, () => recordOf(sha256, VERDICT)),
    drill: (sha256) => drills.get(sha256, () => recordOf(sha256, DRILL)),
    keep: ({ plan, verdict, bundleSha256 }) => {
      plans.put(plan.sha256, plan);
      verdicts.put(bundleSha256, verdict);
    },
  };
}
