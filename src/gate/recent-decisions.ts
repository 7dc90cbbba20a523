import type { Entry, Ledger } from "../ledger/ledger.ts";
import type { PastPlan } from "../policy/engine/question.ts";
import type { GateDocuments } from "./gate-documents.ts";
import { DecisionRecord, recordOf, subject } from "./records.ts";

const HOUR_MS = 3_600_000;
const READ_AT_ONCE = 1000;

/** What was admitted lately, environment by environment, for policy to look at. */
export interface RecentDecisions {
  /**
   * Promotions of the time that policy looks back, as of a size of the ledger: one for each verdict, however many parts it had.
   * @param asOf.besides - SHA-256 of the verdict that is asked about: a promotion is nothing that came before itself
   * @throws what the ledger throws, or an entry or plan that cannot be read
   */
  in(environment: string, asOf: AsOf): Promise<readonly PastPlan[]>;
}

interface AsOf {
  readonly atEpochMs: number;
  readonly size: number;
  readonly besides?: string | undefined;
}

interface PastAdmission extends PastPlan {
  readonly verdict: string;
}

/**
 * Follows the ledger: an environment is read once, hour by hour, and from then on every entry once, whoever wrote it. Reading
 * them all for every decision would cost more than everything else together.
 */
export function recentDecisions(options: {
  readonly ledger: Ledger;
  readonly documents: GateDocuments;
  /** How far back policy looks. */
  readonly pastMs: number;
}): RecentDecisions {
  const { ledger, documents, pastMs } = options;
  const byEnvironment = new Map<string, PastAdmission[]>();
  /** Entries before it are in the lists above; undefined until the first question. */
  let followedTo: number | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const followTo = async (size: number): Promise<void> => {
    followedTo ??= size;
    while (followedTo < size) {
      const entries = await ledger.entries(followedTo, Math.min(READ_AT_ONCE, size - followedTo));
      if (entries.length === 0) throw new Error(`the ledger has no entry ${followedTo}`);
      const admitted = entries.filter(isAdmission);
      const past = await Promise.all(admitted.map((entry) => pastPlan(entry, documents)));
      for (const one of past) byEnvironment.get(one.environment)?.push(one);
      followedTo += entries.length;
    }
  };
  const load = async (environment: string, atEpochMs: number, before: number): Promise<PastAdmission[]> => {
    const hours = Array.from(
      { length: Math.ceil(pastMs / HOUR_MS) + 2 },
      (_, index) => atEpochMs + HOUR_MS - index * HOUR_MS,
    );
    const subjects = hours.map((hour) => subject.decisionsOf(environment, hour));
    const found = await Promise.all(subjects.map((hour) => ledger.entriesAbout(hour, ["decision"])));
    const known = found.flat().filter((entry) => entry.index < before && isAdmission(entry));
    return await Promise.all(known.map((entry) => pastPlan(entry, documents)));
  };
  const read = async (environment: string, asOf: AsOf) => {
    await followTo(asOf.size);
    const from = asOf.atEpochMs - pastMs;
    const known = byEnvironment.get(environment) ?? (await load(environment, asOf.atEpochMs, followedTo ?? 0));
    const recent = known.filter(({ atEpochMs }) => atEpochMs > from);
    byEnvironment.set(environment, recent);
    const newest = new Map(recent.map(({ verdict, ...one }) => [verdict, one]));
    newest.delete(asOf.besides ?? "");
    return [...newest.values()];
  };
  return {
    in: (environment, asOf) => {
      // One after the other: two that follow at the same time would take an entry twice.
      const answer = last.then(() => read(environment, asOf));
      last = answer.catch(() => undefined);
      return answer;
    },
  };
}

function isAdmission({ kind, body }: Entry): boolean {
  return kind === "decision" && body["schema"] === "canary.gate-decision/v1" && body["answer"] === "admit";
}

async function pastPlan(entry: Entry, documents: GateDocuments): Promise<PastAdmission> {
  const { plan, verdict, environment, tier } = recordOf(DecisionRecord, entry);
  const { sha256, agent, actions, confidence } = await documents.plan(plan ?? "");
  return {
    verdict: verdict ?? `decision ${entry.index}`,
    atEpochMs: Date.parse(entry.at),
    planSha256: sha256,
    agent: agent.id,
    environment,
    tier: tier === 0 || tier === 1 || tier === 2 || tier === 3 ? tier : 4,
    changes: actions.flatMap(({ changes }) => changes),
    confidence,
    // Nobody tells the gate how it ended.
    outcome: "promoted",
  };
}
