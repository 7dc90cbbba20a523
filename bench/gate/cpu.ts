// npx node bench/gate/cpu.ts [verdicts] [allowed|shipped]: CPU time of a decision inside the gate's process, without HTTP. On a
// machine with other work on it this says more than waiting times, and it still grows with that work: compare within one hour.
// `allowed`: policy is a constant; `shipped`: Cedar with the policy that ships, and one approval for each plan.
import { randomBytes } from "node:crypto";
import { loadavg } from "node:os";
import { openPolicy } from "../../src/cli/open-policy.ts";
import { approveWithPasskey } from "../../src/gate/approvals-page/approve-with-passkey.ts";
import { AssertionSchema } from "../../src/gate/approvals-page/passkey-answer.ts";
import { challengeOf } from "../../src/gate/approvals-page/passkeys.ts";
import { askPolicyEngine } from "../../src/gate/ask-policy.ts";
import { gateDocuments } from "../../src/gate/gate-documents.ts";
import { inTurns } from "../../src/gate/in-turn.ts";
import type { PromotionMode } from "../../src/gate/promote.ts";
import { answerPromotion } from "../../src/gate/promote.ts";
import { publishApproval, publishVerdict } from "../../src/gate/publish.ts";
import { type EvidenceSources, requestKey } from "../../src/gate/read-evidence.ts";
import { loadSqlParser } from "../../src/policy/sql/parse-sql.ts";
import { allowing, gateWorld } from "../../test/gate/gate-world.ts";
import { ENVIRONMENT } from "../../test/gate/promotion-builder.ts";
import { softwareAuthenticator } from "../../test/gate/software-authenticator.ts";

const verdicts = Number(process.argv[2] ?? 3000);
const isShipped = process.argv[3] === "shipped";
const AT_ONCE = 20;
const environments = Array.from({ length: 200 }, (_, index) => ({ ...ENVIRONMENT, id: `production/${index}` }));
const askPolicy = isShipped ? askPolicyEngine(await openPolicy(undefined), loadSqlParser) : undefined;
await using world = await gateWorld({ environments, ...(askPolicy === undefined ? {} : { askPolicy }) });
const plans: { readonly sha256: string; readonly verdict: string; readonly environment: string }[] = [];

/** Milliseconds of CPU for each of the plans in a range, some at once. */
async function cpuMsEach(work: (index: number) => Promise<void>, from = 0, to = verdicts): Promise<number> {
  const before = process.cpuUsage();
  let next = from;
  const worker = async (): Promise<void> => {
    while (next < to) await work(next++);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const { user, system } = process.cpuUsage(before);
  return Math.round((user + system) / (to - from)) / 1000;
}

const inTurn = inTurns();
const ask =
  (mode: PromotionMode, sources: EvidenceSources) =>
  async (index: number): Promise<void> => {
    const { sha256 = "", environment = "" } = plans[index] ?? {};
    const caller = { name: "ci", environments: ["production/*"] };
    const change = { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] } as const;
    const key = requestKey("promotions", [String(index)]);
    const request = { plan: sha256, environment, caller, change, key };
    const { decision } = await answerPromotion({ adapter: "promotions", mode, request }, sources, inTurn);
    if (decision.kind !== "admit") throw new Error(decision.reasons.map(({ message }) => message).join("; "));
  };

const publish = await cpuMsEach(async (index) => {
  const id = environments[index % environments.length]?.id ?? "";
  const plan = world.plan(index, (document) => {
    document["target"] = { environment: id };
  });
  const submission = world.submission(plan, 2, { environment: { id, class: "production" } });
  const { digest } = await publishVerdict(submission, "bench", world.sources);
  if (isShipped) await publishApproval(world.approval("ada", plan), "bench", world.sources);
  plans[index] = { sha256: plan.sha256, verdict: digest, environment: id };
});
const forgetful = { ...world.sources, documents: gateDocuments(world.ledger) };
const passkeys = ["ada", "grace"].map((identity) => softwareAuthenticator(identity, world.pageOrigin));
world.passkeys = passkeys.map(({ passkey }) => passkey);
const terms = { origin: world.pageOrigin, passkeys: () => world.passkeys };

/** Two people approve a plan at the page. */
async function approveTwice(index: number): Promise<void> {
  const { sha256: plan = "", verdict = "", environment = "" } = plans[index] ?? {};
  for (const { answer } of passkeys) {
    const nonce = randomBytes(16).toString("hex");
    const untilEpochMs = world.clock.epochMs() + 60_000;
    const words = { purpose: "approve", plan, verdict, environment, nonce, untilEpochMs } as const;
    const assertion = answer(challengeOf(words, world.sources.tokenSecret));
    const approved = await approveWithPasskey(
      { words, assertion: AssertionSchema.parse(assertion) },
      terms,
      world.sources,
    );
    if (approved.kind !== "approved") throw new Error(JSON.stringify(approved));
  }
}

const half = Math.floor(verdicts / 2);
const report = {
  policy: isShipped ? "shipped" : "allowed",
  verdicts,
  /** With making and signing plan and verdict, which is not the gate's. */
  publish,
  checkAfterPublishing: await cpuMsEach(ask("check", world.sources)),
  checkAgain: await cpuMsEach(ask("check", world.sources)),
  /** Plans and verdicts are read from the ledger again; signatures of plans are remembered by the process. */
  checkReadingDocuments: await cpuMsEach(ask("check", forgetful)),
  promote: await cpuMsEach(ask("promote", world.sources), 0, half),
  /** Both, with making the signatures, which is not the gate's. */
  twoPasskeyApprovals: await cpuMsEach(approveTwice, half),
  ...(await withTwoPasskeys()),
  loadAverage: loadavg()[0],
};
process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);

async function withTwoPasskeys(): Promise<Readonly<Record<string, number>>> {
  world.policy = allowing(2);
  return {
    checkWithTwoPasskeys: await cpuMsEach(ask("check", world.sources), half),
    promoteWithTwoPasskeys: await cpuMsEach(ask("promote", world.sources), half),
  };
}
