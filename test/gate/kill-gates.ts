import { systemClock } from "../../src/cli/system.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { Entry } from "../../src/ledger/ledger.ts";
import { type GateFolder, type GateProcess, gateFolder } from "./gate-process.ts";
import { gateWorld, type SignedPlan, tokenOf } from "./gate-world.ts";

/** What became of the promotions over several lives of a gate; `offences` is empty unless one was lost, or happened twice. */
export interface KillReport {
  readonly rounds: number;
  readonly acknowledged: number;
  /** Requests that the killed process left without an answer; each was asked again in the next life. */
  readonly unanswered: number;
  readonly offences: readonly string[];
}

/** A promotion as its caller knows it. */
interface Asked {
  readonly number: number;
  readonly plan: SignedPlan;
  readonly environment: string;
  /** Number and verdict of the decision that admitted it, and the token; absent while nobody knows. */
  answer?: { readonly id: string; readonly verdict: string; readonly token: string };
}

type Loose = ReturnType<typeof JSON.parse>;
type World = Awaited<ReturnType<typeof gateWorld>>;

const ENVIRONMENTS = Array.from({ length: 100 }, (_, index) => `production/${index}`);
const AT_ONCE = 16;

/**
 * Lets many callers publish and promote at once, kills the gate's process at a moment that the seed chooses, starts it again,
 * and asks for everything once more: what was admitted before must be the same admission, what nobody knows must be one.
 */
export async function killGates(options: { readonly rounds: number; readonly seed: number }): Promise<KillReport> {
  const random = seededRandom(options.seed);
  await using world = await gateWorld();
  world.clock.nowEpochMs = systemClock.epochMs() - 1000;
  await using folder = await gateFolder(world, ENVIRONMENTS);
  const all: Asked[] = [];
  const offences: string[] = [];
  let unanswered = 0;
  for (let round = 0; round < options.rounds; round++) {
    const gate = await folder.start();
    const killAfter = 1 + Math.floor(random() * 40);
    await askAgain(gate, all, offences);
    unanswered += await askUntilKilled(gate, { world, all, killAfter, offences });
  }
  const last = await folder.start();
  await askAgain(last, all, offences);
  await last.kill();
  offences.push(...(await offencesIn(folder, all)));
  return { rounds: options.rounds, acknowledged: all.filter(({ answer }) => answer).length, unanswered, offences };
}

async function askUntilKilled(
  gate: GateProcess,
  { world, all, killAfter, offences }: { world: World; all: Asked[]; killAfter: number; offences: string[] },
): Promise<number> {
  let acknowledged = 0;
  let unanswered = 0;
  let killed: Promise<void> | undefined;
  const caller = async (): Promise<void> => {
    while (killed === undefined) {
      const asked = newPromotion(world, all);
      try {
        await publish(gate, world, asked);
        await promote(gate, asked, offences);
      } catch {
        unanswered += 1;
      }
      if (asked.answer !== undefined) acknowledged += 1;
      if (acknowledged >= killAfter) killed ??= gate.kill();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, caller));
  await killed;
  return unanswered;
}

function newPromotion(world: World, all: Asked[]): Asked {
  const number = all.length;
  const environment = ENVIRONMENTS[number % ENVIRONMENTS.length] ?? "";
  const plan = world.plan(number, (document) => {
    document["target"] = { environment };
  });
  const asked: Asked = { number, plan, environment };
  all.push(asked);
  return asked;
}

async function publish(gate: GateProcess, world: World, { plan, environment }: Asked): Promise<void> {
  const finishedEpochMs = world.clock.nowEpochMs;
  const submission = world.submission(plan, 2, {
    environment: { id: environment, class: "production" },
    startedEpochMs: finishedEpochMs - 300_000,
    finishedEpochMs,
  });
  await post(gate, "/v1/verdicts", submission);
  await post(gate, "/v1/approvals", { bundle: world.approval("ada", plan) });
}

/** Asks for a promotion, with the key that it always has. */
async function promote(gate: GateProcess, asked: Asked, offences: string[]): Promise<void> {
  const { status, json } = await post(gate, "/v1/promotions", bodyOf(asked), `key-${asked.number}`);
  const said = `promotion ${asked.number}: ${status} ${JSON.stringify(json).slice(0, 300)}`;
  if (status === 200) {
    const answer = { id: json.id, verdict: json.verdict, token: json.token };
    if (asked.answer !== undefined && JSON.stringify(asked.answer) !== JSON.stringify(answer)) {
      offences.push(`another answer than ${JSON.stringify(asked.answer)}: ${said}`);
    }
    if (asked.answer !== undefined && json.isRetry !== true) offences.push(`admitted anew: ${said}`);
    asked.answer = answer;
  } else if (asked.answer !== undefined || !isUnpublished(json)) offences.push(`not admitted: ${said}`);
}

/** A promotion whose documents the killed gate did not take is refused for that, and for nothing else. */
function isUnpublished(json: Loose): boolean {
  const missing = ["PLAN_UNKNOWN", "VERDICT_MISSING", "APPROVALS_MISSING", "POLICY_REFUSED"];
  return json?.decision === "refuse" && json.reasons.every(({ code }: { code: string }) => missing.includes(code));
}

/** In the next life: everything with its own key, and what was admitted also with another. */
async function askAgain(gate: GateProcess, all: readonly Asked[], offences: string[]): Promise<void> {
  for (const asked of all) {
    await promote(gate, asked, offences);
    if (asked.answer === undefined) continue;
    const { status, json } = await post(gate, "/v1/promotions", bodyOf(asked), `other-${asked.number}`);
    const isUsed = json?.reasons?.some(({ code }: { code: string }) => code === "VERDICT_USED");
    if (status !== 403 || !isUsed) offences.push(`promotion ${asked.number} again: ${status} ${JSON.stringify(json)}`);
  }
}

/** What the ledger itself says, when no gate runs any more. */
async function offencesIn(folder: GateFolder, all: readonly Asked[]): Promise<readonly string[]> {
  const { entries, findings } = await folder.ledger();
  const isAdmission = ({ kind, body }: Entry): boolean => kind === "decision" && body["answer"] === "admit";
  const admitted = entries.filter(isAdmission).map(({ body }) => String(body["verdict"]));
  const lost = all.flatMap(({ number, answer }) => {
    if (answer === undefined) return [];
    const entry = entries[Number(answer.id)];
    const isThere = entry !== undefined && isAdmission(entry) && entry.body["verdict"] === answer.verdict;
    return isThere ? [] : [`promotion ${number} was acknowledged as decision ${answer.id}, which is not there`];
  });
  const twice = admitted.filter((verdict, index) => admitted.indexOf(verdict) < index);
  return [...findings, ...lost, ...twice.map((verdict) => `verdict ${verdict} was admitted twice`)];
}

function bodyOf({ plan, environment }: Asked): object {
  const change = { kind: "resources", resources: [{ path: "service/worker/replicas", to: 3 }] };
  return { plan: plan.sha256, environment, change };
}

async function post(
  gate: GateProcess,
  route: string,
  body: object,
  key?: string,
): Promise<{ readonly status: number; readonly json: Loose }> {
  const response = await fetch(`${gate.url}${route}`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${tokenOf("any")}`,
      "content-type": "application/json",
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    body: JSON.stringify(body),
  });
  return { status: response.status, json: await response.json() };
}
