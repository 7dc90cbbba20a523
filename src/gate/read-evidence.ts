import { verifyPlanSignature } from "../attest/plan-statement.ts";
import { sha256Hex } from "../core/sha256.ts";
import type { Entry } from "../ledger/ledger.ts";
import type { Plan } from "../plan/plan.ts";
import { drilledScenario, isCleanDrill } from "./drill-record.ts";
import type {
  DrillEvidence,
  PlanEvidence,
  PromotionEvidence,
  Signer,
  VerdictEvidence,
  VerdictUse,
} from "./evidence.ts";
import type { GateContext, PolicyAsked } from "./gate-context.ts";
import type { GateDocuments } from "./gate-documents.ts";
import { killSwitchState } from "./kill-switch.ts";
import { planApprovals } from "./plan-approvals.ts";
import { checkRunbook, type RunbookCheck } from "./plan-runbook.ts";
import type { PromotionRequest } from "./promotion-request.ts";
import type { RecentDecisions } from "./recent-decisions.ts";
import { DecisionRecord, DrillRecord, PlanRecord, recordOf, VerdictRecord } from "./records.ts";
import { signerOf } from "./signed-record.ts";
import { newestVerdict } from "./verdict-checks.ts";

/** What reads the stores for a decision. */
export interface EvidenceSources extends GateContext {
  readonly documents: GateDocuments;
  readonly recent: RecentDecisions;
  /** Latest instant that this gate knows to have passed, whatever its clock says now. */
  readonly timePassed: () => number;
}

/**
 * Reads everything that a decision rests on.
 * @throws whatever a store throws, and for every record or document that cannot be read: the caller refuses then
 */
export async function readEvidence(
  request: PromotionRequest,
  sources: EvidenceSources,
  atEpochMs: number,
): Promise<PromotionEvidence> {
  const { ledger } = sources;
  const plan = request.plan ?? "";
  const kinds = ["plan", "verdict", "approval", "approval-revoked"] as const;
  // First: whatever is read afterwards knows at least what was recorded up to here.
  const head = await ledger.head();
  const [entries, all, inEnvironment, planStopped] = await Promise.all([
    request.plan === undefined ? [] : ledger.entriesAbout(plan, kinds),
    killSwitchState(sources, "*"),
    killSwitchState(sources, request.environment),
    killSwitchState(sources, `sha256:${plan}`),
  ]);
  const environment = sources.environments.find(({ id }) => id === request.environment);
  const [planEvidence, verdicts] = await Promise.all([
    readPlan(plan, entries, sources, atEpochMs),
    readVerdicts(entries, sources, atEpochMs),
  ]);
  const newest = newestVerdict(request, { verdicts });
  const [approvals, drills, verdictStopped, past] = await Promise.all([
    planApprovals(
      { plan: planEvidence, verdict: newest, environment: request.environment, entries },
      {
        documents: sources.documents,
        keyring: sources.keyring(),
        passkeys: sources.passkeys(),
        pageOrigin: sources.pageOrigin,
        tokenSecret: sources.tokenSecret,
        ...(sources.signOn === undefined ? {} : { signOn: sources.signOn }),
        atEpochMs,
      },
    ),
    readDrills(newest, sources, atEpochMs),
    newest === undefined ? released : killSwitchState(sources, `sha256:${newest.digest}`),
    environment === undefined
      ? []
      : sources.recent.in(environment.id, { atEpochMs, size: head.size, besides: newest?.digest }),
  ]);
  const withdrawn = (digest: string, state: Awaited<ReturnType<typeof killSwitchState>>) =>
    state.kind === "engaged" ? [{ digest, reason: `${state.by}: ${state.reason}` }] : [];
  const policy = await policyOf({ planEvidence, newest, environment, approvals, past, atEpochMs }, sources);
  return {
    killSwitch: all.kind === "engaged" ? all : inEnvironment,
    passedEpochMs: Math.max(sources.timePassed(), head.at === undefined ? 0 : Date.parse(head.at)),
    ledgerSize: head.size,
    ...(environment === undefined ? {} : { environment }),
    plan: planEvidence,
    verdicts,
    revoked: [
      ...withdrawn(plan, planStopped),
      ...(newest === undefined ? [] : withdrawn(newest.digest, verdictStopped)),
    ],
    approvals,
    drills,
    policy,
  };
}

const released = Promise.resolve({ kind: "released" } as const);

async function readPlan(
  digest: string,
  entries: readonly Entry[],
  { documents, keyring }: EvidenceSources,
  atEpochMs: number,
): Promise<PlanEvidence> {
  const records = entries.filter(({ kind }) => kind === "plan").map((entry) => recordOf(PlanRecord, entry));
  if (records.length === 0) return { kind: "unknown", why: `no plan ${digest} was published here` };
  const plan = await documents.plan(digest);
  // A plan may have been signed again, with a new key: one signature that counts is enough.
  let signer: Signer = { kind: "untrusted", why: "the plan is not signed" };
  for (const { signature, runbookSignature } of records) {
    const bundleText = await documents.text(signature);
    const checked = verifyPlanSignature({ bundleText, plan, keyring: keyring(), at: atEpochMs });
    const runbook = await readRunbook(plan, runbookSignature, { documents, keyring, atEpochMs });
    if (checked.kind === "signed" && runbook.kind !== "refused") {
      const { keyId, identity } = checked.signer;
      const author = runbook.kind === "author" ? { runbookAuthor: runbook.author } : {};
      return { kind: "plan", plan, signer: { kind: "trusted", keyId }, signedBy: identity, ...author };
    }
    const refused = [checked, runbook].find((one) => one.kind === "refused");
    signer = { kind: "untrusted", why: refused?.message ?? "the plan is not signed" };
  }
  return { kind: "plan", plan, signer };
}

/** Its bytes are those whose digest the plan names, so that no record can bring another author. */
async function readRunbook(
  plan: Plan,
  signatureSha256: string | undefined,
  sources: Pick<EvidenceSources, "documents" | "keyring"> & { readonly atEpochMs: number },
): Promise<RunbookCheck> {
  const { documents, keyring, atEpochMs } = sources;
  const { runbook: named } = plan;
  const given =
    named === undefined || signatureSha256 === undefined
      ? {}
      : { runbook: await documents.runbook(named.sha256), signature: await documents.text(signatureSha256) };
  return checkRunbook(plan, given, { keyring: keyring(), at: atEpochMs });
}

async function readVerdicts(
  entries: readonly Entry[],
  { ledger, documents, keyring }: EvidenceSources,
  atEpochMs: number,
): Promise<readonly VerdictEvidence[]> {
  const records = entries.filter(({ kind }) => kind === "verdict").map((entry) => recordOf(VerdictRecord, entry));
  return await Promise.all(
    records.map(async ({ bundle, verdict }): Promise<VerdictEvidence> => {
      const [record, decisions] = await Promise.all([
        documents.verdict(bundle),
        ledger.entriesAbout(verdict, ["decision"]),
      ]);
      const usedBy = useOf(decisions);
      return {
        digest: record.digest,
        statement: record.statement,
        signer: signerOf(record, { keyring: keyring(), role: "canary", at: atEpochMs }),
        ...(usedBy === undefined ? {} : { usedBy }),
      };
    }),
  );
}

/** The promotion that the decisions about a verdict are; undefined where it has admitted none. Refusals use nothing up. */
function useOf(decisions: readonly Entry[]): VerdictUse | undefined {
  const admitted = decisions
    .map((entry) => ({ entry, record: recordOf(DecisionRecord, entry) }))
    .filter(({ record }) => record.answer === "admit");
  const [first, ...others] = admitted.map(({ entry, record }) => ({
    decisionId: String(entry.index),
    key: record.key,
    ...(record.step === null ? {} : { part: record.step.part }),
    untilEpochMs: record.token === null ? 0 : Date.parse(record.token.until),
  }));
  if (first === undefined) return undefined;
  const opened = admitted[0]?.record.step;
  const isShown = admitted[0]?.record.change !== null;
  return {
    parts: [first, ...others],
    ...(opened == null || opened.openUntil === null
      ? {}
      : { open: { series: opened.series, untilEpochMs: Date.parse(opened.openUntil), isShown } }),
  };
}

async function readDrills(
  newest: VerdictEvidence | undefined,
  { ledger, documents, keyring }: EvidenceSources,
  atEpochMs: number,
): Promise<readonly DrillEvidence[]> {
  if (newest === undefined) return [];
  const entries = await ledger.entriesAbout(newest.statement.predicate.scenarioSha256, ["drill"]);
  const records = entries.filter(({ body }) => body["schema"] === "canary.gate-drill/v1");
  return await Promise.all(
    records.map(async (entry): Promise<DrillEvidence> => {
      const record = await documents.drill(recordOf(DrillRecord, entry).bundle);
      return {
        digest: record.digest,
        scenarioSha256: drilledScenario(record.statement) ?? "",
        environment: record.statement.predicate.environment,
        clean: isCleanDrill(record.statement),
        startedEpochMs: Date.parse(record.statement.predicate.startedAt),
        signer: signerOf(record, { keyring: keyring(), role: "canary", at: atEpochMs }),
      };
    }),
  );
}

async function policyOf(
  known: {
    readonly planEvidence: PlanEvidence;
    readonly newest: VerdictEvidence | undefined;
    readonly environment: PolicyAsked["environment"] | undefined;
    readonly approvals: PolicyAsked["approvals"];
    readonly past: PolicyAsked["past"];
    readonly atEpochMs: number;
  },
  { askPolicy }: EvidenceSources,
): Promise<PromotionEvidence["policy"]> {
  const { planEvidence, newest, environment, approvals, past, atEpochMs } = known;
  if (planEvidence.kind === "unknown" || environment === undefined) return { kind: "not-asked" };
  return await askPolicy({
    plan: planEvidence.plan,
    environment,
    ...(newest === undefined ? {} : { statement: newest.statement }),
    approvals,
    past,
    atEpochMs,
  });
}

/** What makes two requests the same promotion: who asks through which adapter, and what for. */
export function requestKey(adapter: string, parts: readonly string[]): string {
  return sha256Hex(JSON.stringify([adapter, ...parts]));
}
