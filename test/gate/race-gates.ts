import { publishVerdict } from "../../src/gate/publish.ts";
import { requestKey } from "../../src/gate/read-evidence.ts";
import type { Ledger } from "../../src/ledger/ledger.ts";
import { type GateWorld, gateWorld, type SignedPlan } from "./gate-world.ts";

/** What two gates did that were asked for the same verdicts at the same time. */
export interface RaceReport {
  readonly tries: number;
  /** Verdicts that one admission used up, and answers that said so: the two gates are asked with the same keys. */
  readonly admitted: number;
  readonly answersOfAdmissions: number;
  /** Empty unless a verdict was admitted twice, or an answer says what the ledger does not. */
  readonly offences: readonly string[];
}

/**
 * Asks two gates on one database for each of many verdicts, so many times at once, half of the keys at each gate being asked for
 * at the other as well.
 */
export async function raceGates(options: {
  readonly ledgers: readonly [Ledger, Ledger];
  readonly verdicts: number;
  readonly triesEach: number;
}): Promise<RaceReport> {
  const { ledgers, verdicts, triesEach } = options;
  await using first = await gateWorld({ ledger: ledgers[0] });
  await using second = await gateWorld({ ledger: ledgers[1] });
  second.keyring = first.keyring;
  const answers: { readonly digest: string; readonly ids: readonly number[] }[] = [];
  for (let number = 0; number < verdicts; number++) {
    const plan = first.plan(number);
    const { digest } = await publishVerdict(first.submission(plan), "ci", first.sources);
    const tries = Array.from({ length: triesEach }, (_, index) =>
      ask(index % 2 === 0 ? first : second, plan, `${Math.floor(index / 2) + (index % 4 === 3 ? triesEach : 0)}`),
    );
    answers.push({ digest, ids: (await Promise.all(tries)).flatMap((id) => id ?? []) });
  }
  const offences: string[] = [];
  let admitted = 0;
  for (const [number, { digest, ids }] of answers.entries()) {
    const recorded = (await first.ledger.entriesAbout(digest, ["decision"])).filter(
      ({ body }) => body["answer"] === "admit",
    );
    admitted += recorded.length;
    if (recorded.length > 1) offences.push(`verdict ${number} was admitted ${recorded.length} times`);
    const others = ids.filter((id) => id !== recorded[0]?.index);
    if (others.length > 0) offences.push(`verdict ${number} was said to be admitted by decisions ${others.join(", ")}`);
  }
  const answersOfAdmissions = answers.reduce((sum, { ids }) => sum + ids.length, 0);
  return { tries: verdicts * triesEach, admitted, answersOfAdmissions, offences };
}

/** The number of the decision that admitted it; undefined where it was refused. */
async function ask({ service }: GateWorld, plan: SignedPlan, key: string): Promise<number | undefined> {
  const { decision, id } = await service.answer({
    adapter: "promotions",
    mode: "promote",
    request: {
      plan: plan.sha256,
      environment: plan.target.environment,
      caller: { name: "ci", environments: ["production/*"] },
      change: { kind: "shown", resources: [{ path: "service/worker/replicas", to: 3 }] },
      key: requestKey("promotions", [key]),
    },
  });
  return decision.kind === "admit" ? id : undefined;
}
