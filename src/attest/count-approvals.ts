import { sha256Hex } from "../core/sha256.ts";
import type { Plan } from "../plan/plan.ts";
import {
  type Approval,
  type ApprovalRefusalCode,
  type Revocation,
  verifyApproval,
  verifyRevocation,
} from "./approval-statement.ts";
import { type Keyring, normalIdentity, sameIdentity } from "./keyring.ts";

/** Why a genuine approval does not count for this plan, here. */
export type UncountedCode =
  | ApprovalRefusalCode
  | "OTHER_PLAN"
  | "OTHER_ENVIRONMENT"
  | "OTHER_VERDICT"
  | "REVOKED"
  | "BY_AUTHOR"
  | "SAME_PERSON"
  | "TOO_MANY";

/** What approvals are counted for. */
export interface ApprovedThing {
  readonly planSha256: string;
  readonly environment: string;
  /** The signed bytes of the verdict in question; absent: none, so an approval that names one does not count. */
  readonly verdictSha256?: string;
  /** Everybody who had a hand in the plan (`authorsOf`): none of them can approve it. */
  readonly authors: readonly string[];
}

/** Which approvals count, each person once, and why the others do not. */
export interface ApprovalCount {
  readonly counted: readonly Approval[];
  readonly refused: readonly {
    /** Of the approval, or of the bundle's text where nothing more is known of it. */
    readonly id: string;
    readonly person?: string;
    readonly code: UncountedCode;
    readonly message: string;
  }[];
  /** Revocations that were given and may not be believed: told, since somebody meant something by them. */
  readonly refusedRevocations: readonly { readonly id: string; readonly code: string; readonly message: string }[];
}

/** Bundles looked at for one plan; more are an accident or an attack. */
const BUNDLES_MAX = 200;

/**
 * Everybody who had a hand in a plan: its agent, who signed it and answers for that agent, who wrote its runbook.
 * @param keyring - the owners of the agent's keys answer for its plans
 */
export function authorsOf(
  plan: Pick<Plan, "agent">,
  known: { readonly keyring: Keyring; readonly planSigner?: string; readonly runbookAuthor?: string },
): readonly string[] {
  const { planSigner, runbookAuthor } = known;
  const owners = known.keyring.keys.flatMap(({ role, identity, owner }) =>
    role === "agent" && owner !== undefined && sameIdentity(identity, plan.agent.id) ? [owner] : [],
  );
  const all = [plan.agent.id, ...owners, planSigner, runbookAuthor].filter((one) => one !== undefined);
  return [...new Map(all.map((one) => [normalIdentity(one), one])).values()];
}

/**
 * Counts the approvals of a plan in an environment at an instant: signed by distinct persons who had no hand in the plan, for exactly
 * these bytes, unexpired, not taken back. Pure: whatever comes out is decided by the bytes, the keyring and the instant.
 * @param given.held - approvals that were authenticated otherwise (at a page of the gate), held to the same rules
 */
export function countApprovals(
  thing: ApprovedThing,
  given: {
    readonly approvals: readonly string[];
    readonly revocations: readonly string[];
    readonly held?: readonly Approval[];
  },
  keyring: Keyring,
  at: number,
): ApprovalCount {
  const refused: ApprovalCount["refused"][number][] = [];
  const approvals: Approval[] = [];
  for (const [index, text] of given.approvals.entries()) {
    const verified =
      index < BUNDLES_MAX
        ? verifyApproval(text, keyring, at)
        : ({ kind: "refused", code: "TOO_MANY", message: `at most ${BUNDLES_MAX} approvals are looked at` } as const);
    if (verified.kind === "approval") approvals.push(verified.approval);
    else refused.push({ id: sha256Hex(text), code: verified.code, message: verified.message });
  }
  const revocations = readRevocations(given.revocations, keyring);
  const counted = new Map<string, Approval>();
  for (const approval of [...approvals, ...(given.held ?? [])]) {
    const person = normalIdentity(approval.person);
    const objection = objectionTo(approval, {
      thing,
      revocations: revocations.read,
      at,
      isSecond: counted.has(person),
    });
    if (objection === undefined) counted.set(person, approval);
    else refused.push({ id: approval.id, person: approval.person, ...objection });
  }
  return { counted: [...counted.values()], refused, refusedRevocations: revocations.refused };
}

/** No bound here: a revocation that was not looked at would count an approval too many. */
function readRevocations(
  texts: readonly string[],
  keyring: Keyring,
): { readonly read: readonly Revocation[]; readonly refused: ApprovalCount["refusedRevocations"] } {
  const verified = texts.map((text) => ({ id: sha256Hex(text), result: verifyRevocation(text, keyring) }));
  return {
    read: verified.flatMap(({ result }) => (result.kind === "revocation" ? [result.revocation] : [])),
    refused: verified.flatMap(({ id, result }) =>
      result.kind === "refused" ? [{ id, code: result.code, message: result.message }] : [],
    ),
  };
}

function objectionTo(
  approval: Approval,
  asked: {
    readonly thing: ApprovedThing;
    readonly revocations: readonly Revocation[];
    readonly at: number;
    readonly isSecond: boolean;
  },
): { readonly code: UncountedCode; readonly message: string } | undefined {
  const { thing, revocations, at } = asked;
  const { planSha256, environment, verdictSha256, person } = approval;
  if (planSha256 !== thing.planSha256)
    return { code: "OTHER_PLAN", message: `it is for plan ${planSha256}, not for ${thing.planSha256}` };
  if (environment !== thing.environment)
    return { code: "OTHER_ENVIRONMENT", message: `it is for ${environment}, not for ${thing.environment}` };
  if (verdictSha256 !== undefined && verdictSha256 !== thing.verdictSha256)
    return {
      code: "OTHER_VERDICT",
      message: `it was given on verdict ${verdictSha256}, which is not the one in question`,
    };
  if (!(at < approval.expiresAtEpochMs))
    return { code: "EXPIRED", message: `it expired at ${new Date(approval.expiresAtEpochMs).toISOString()}` };
  const revocation = revocations.find((one) => takesBack(one, approval));
  if (revocation !== undefined)
    return { code: "REVOKED", message: `${revocation.by} took it back: ${revocation.reason}` };
  if (thing.authors.some((author) => sameIdentity(author, person)))
    return { code: "BY_AUTHOR", message: `${person} had a hand in the plan, so somebody else must agree` };
  if (asked.isSecond) return { code: "SAME_PERSON", message: `${person} has agreed already, and counts once` };
  return undefined;
}

/** One's own approval, or anybody's as an operator. */
function takesBack({ approvalId, planSha256, by, byRole }: Revocation, approval: Approval): boolean {
  const isAbout = approvalId === approval.id && planSha256 === approval.planSha256;
  return isAbout && (byRole === "operator" || sameIdentity(by, approval.person));
}
