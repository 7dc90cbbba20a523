import { expect, test } from "vitest";
import { type Intent, type UnfinishedRollback, unfinishedRollback } from "../../src/core/intent-log.ts";
import { seededRandom } from "../../src/core/random.ts";
import type { Fingerprint } from "../../src/mirror/fingerprint.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import type { Twin, TwinPair } from "../../src/mirror/twin.ts";
import type { Action } from "../../src/plan/plan.ts";
import type { Performance } from "../../src/replay/proof/perform-action.ts";
import type { QuietProof } from "../../src/replay/proof/proofs.ts";
import { proveQuietly } from "../../src/replay/proof/quiet-proof.ts";
import { type ResumedRollback, resumeRollback } from "../../src/replay/proof/resume-rollback.ts";
import { planOf, scale, setEnvironment, sqlAction } from "../support/action-builder.ts";
import { simulatedClock } from "../support/simulated-clock.ts";
import { shopSpec, shopWorld } from "../support/simulated-shop.ts";
import { simulatedSnapshots } from "../support/simulated-snapshots.ts";
import { fingerprintOf, simulatedState } from "../support/simulated-state.ts";
import { type SimulatedTwin, simulatedPair } from "../support/simulated-twin.ts";

const signal = new AbortController().signal;
/** Some seconds on a quiet machine. */
const TIMEOUT_MS = 120_000;

/** What goes wrong when an undo changes the shadow. */
type Trouble = "none" | "refused-once" | "refused" | "leaves-more";

/** One twin, one intent log, one plan, and a harness that may be killed at any await. */
interface Stage {
  readonly pair: TwinPair & { readonly shadow: SimulatedTwin };
  readonly actions: readonly Action[];
  readonly intents: Intent[];
  readonly before: Fingerprint;
  readonly withSnapshot: boolean;
  /** No undo is refused for good and none leaves more: then everything must come back, without any snapshot. */
  readonly undoable: boolean;
  /** Kills the harness that runs at its n-th await from now; 0 lets it live. */
  arm(atAwait: number): void;
  /** Resolves when the harness was killed. */
  killed(): Promise<"killed">;
  awaits(): number;
  readonly shadow: Twin;
  readonly intent: Performance["intent"];
  readonly broken: string[];
}

function stageOf(seed: number): Stage {
  const random = seededRandom(seed * 7919 + 1);
  const actions = drawActions(random);
  const troubles = new Map(actions.map((action) => [action.id, drawTrouble(random)]));
  const undoable = [...troubles.values()].every((trouble) => trouble === "none" || trouble === "refused-once");
  const failingAct = random() < 0.3 ? actions[Math.floor(random() * actions.length)]?.id : undefined;
  const halfDone = random() < 0.5;
  const pair = simulatedPair({ spec: shopSpec, world: shopWorld() });
  const intents: Intent[] = [];
  const broken: string[] = [];
  let awaits = 0;
  let killAt = 0;
  let kill = Promise.withResolvers<"killed">();
  /** Everything that a harness awaits passes here; a killed one never gets an answer. */
  const breathe = async (): Promise<void> => {
    awaits++;
    if (killAt !== 0 && awaits >= killAt) {
      kill.resolve("killed");
      await new Promise<never>(() => undefined);
    }
  };
  const going = (): Extract<Intent, { kind: "act" | "undo" }> | undefined =>
    intents.findLast((intent) => intent.kind === "act" || intent.kind === "undo");
  const changed = async (change: () => Promise<unknown>): Promise<void> => {
    await breathe();
    const now = going();
    if (now === undefined) broken.push("the shadow was changed before anything was on record");
    else if (now.kind === "act") await act(now.actionId, change);
    else await undo(now.actionId, change);
    await breathe();
  };
  const act = async (id: string, change: () => Promise<unknown>): Promise<void> => {
    const on = intents.some((intent) => intent.kind === "act" && intent.actionId === id && intent.undo !== null);
    if (!on) broken.push(`${id} acted before its undo was on record`);
    if (id !== failingAct) return void (await change());
    if (halfDone) await change();
    throw new Error("the action fails (simulated)");
  };
  const undo = async (id: string, change: () => Promise<unknown>): Promise<void> => {
    const trouble = troubles.get(id) ?? "none";
    if (trouble === "refused") throw new Error("the undo is refused (simulated)");
    if (trouble === "refused-once") {
      troubles.set(id, "none");
      throw new Error("the undo is refused once (simulated)");
    }
    await change();
    if (trouble === "leaves-more") pair.shadow.world.keys.get("cache")?.set(`left-by-${id}`, "over");
  };
  const shadow: Twin = {
    ...pair.shadow,
    scale: (service, replicas, at) => changed(() => pair.shadow.scale(service, replicas, at)),
    update: (service, change, at) => changed(() => pair.shadow.update(service, change, at)),
    sql: async (database, text) => {
      await changed(() => pair.shadow.sql(database, text));
      return [];
    },
    configuration: async (at) => {
      await breathe();
      return await pair.shadow.configuration(at);
    },
  };
  return {
    pair,
    actions,
    intents,
    before: fingerprintOf(pair.shadow.world),
    withSnapshot: random() < 0.5,
    undoable,
    arm: (atAwait) => {
      awaits = 0;
      killAt = atAwait;
      kill = Promise.withResolvers();
    },
    killed: () => kill.promise,
    awaits: () => awaits,
    shadow,
    broken,
    intent: {
      record: async (intent) => {
        await breathe();
        intents.push(intent);
        await breathe();
      },
    },
  };
}

function drawActions(random: () => number): readonly Action[] {
  const draws: readonly (() => readonly Action[])[] = [
    () => [scale("scale-worker", { service: "worker", from: 1, to: 3 })],
    () => [scale("scale-api", { service: "api", from: 1, to: 2 })],
    () => [setEnvironment("set-mode", "api", { MODE: "fast" })],
    () => [
      sqlAction(
        "finish-job",
        "UPDATE jobs SET status = 'done' WHERE id = '3'",
        "UPDATE jobs SET status = 'queued' WHERE id = '3'",
      ),
    ],
    () => [
      sqlAction(
        "drop-job",
        "DELETE FROM jobs WHERE id = '4'",
        "INSERT INTO jobs (id, kind, status) VALUES ('4', 'fulfil', 'queued')",
      ),
    ],
    () => [sqlAction("index", "CREATE INDEX kinds ON jobs (kind)", "DROP INDEX IF EXISTS kinds")],
    () => [
      sqlAction(
        "rename",
        "UPDATE products SET title = 'sofa' WHERE id = '1'",
        "UPDATE products SET title = 'chair' WHERE id = '1'",
      ),
    ],
    // The second of these must be undone before the first.
    () => [
      sqlAction(
        "paint",
        "UPDATE products SET title = 'red' WHERE id = '2'",
        "UPDATE products SET title = 'lamp' WHERE id = '2'",
      ),
      sqlAction(
        "paint-again",
        "UPDATE products SET title = 'blue' WHERE id = '2'",
        "UPDATE products SET title = 'red' WHERE id = '2'",
      ),
    ],
  ];
  const shuffled = draws.map((draw) => ({ draw, place: random() })).toSorted((a, b) => a.place - b.place);
  return shuffled.slice(0, 1 + Math.floor(random() * 4)).flatMap(({ draw }) => draw());
}

function drawTrouble(random: () => number): Trouble {
  const share = random();
  return share < 0.65 ? "none" : share < 0.8 ? "refused-once" : share < 0.9 ? "refused" : "leaves-more";
}

async function harness(stage: Stage): Promise<QuietProof> {
  const { pair, actions, intent, before, shadow } = stage;
  await intent.record({ kind: "run", runId: "sim", planSha256: "0", scenario: "sim" });
  const snapshot = stage.withSnapshot
    ? await simulatedSnapshots().take({ twin: pair.shadow, stores: shopSpec.state, signal })
    : undefined;
  return await proveQuietly({
    ...performance(stage),
    plan: planOf(...actions),
    pair: { ...pair, shadow },
    state: stateOf(stage),
    baseline: before,
    allowedChanges: ["**"],
    ...(snapshot === undefined ? {} : { snapshot }),
    signal,
  });
}

async function resume(stage: Stage, unfinished: UnfinishedRollback): Promise<ResumedRollback> {
  const { pair, before, shadow } = stage;
  const kept = { reference: before, consequences: [], directEffects: [] };
  const to = performance(stage);
  return await resumeRollback({ unfinished, pair: { ...pair, shadow }, to, state: stateOf(stage), kept }, signal);
}

function performance({ shadow, intent }: Stage): Performance {
  const clock = simulatedClock();
  const nothing = (): void => undefined;
  return { proof: "quiet", shadow, intent, clock, axisMs: () => 0, baseDir: "/", onStep: nothing, onRecord: nothing };
}

/** Reading state takes awaits as well, at which a harness may be killed. */
function stateOf(stage: Stage): typeof simulatedState {
  return {
    ...simulatedState,
    fingerprint: async (twin, stores, options) => {
      if (twin.role === "shadow") await twin.configuration(options.signal);
      return await simulatedState.fingerprint(twin.role === "shadow" ? stage.pair.shadow : twin, stores, options);
    },
    rowDifferences: (query) => simulatedState.rowDifferences({ ...query, changed: stage.pair.shadow }),
  };
}

const pathsOf = (differences: readonly { readonly path: string }[]): readonly string[] =>
  [...new Set(differences.map(({ path }) => path.split("/").slice(0, 5).join("/")))].sort();

/** What really differs now from what was. */
const reallyLeft = (stage: Stage): readonly string[] =>
  pathsOf(coarseDifference(stage.before, fingerprintOf(stage.pair.shadow.world)));

function checkProof(stage: Stage, proof: QuietProof, seed: string): void {
  const said = proof.restored === undefined ? proof.residue : proof.restored.residue;
  expect(pathsOf(said), `${seed}: the proof says exactly what is left`).toEqual(reallyLeft(stage));
  const refused = proof.failed?.during === "undo" || proof.residue.length > 0;
  if (stage.undoable) expect(refused, `${seed}: an undo that is refused once is tried again`).toBe(false);
  if (refused && stage.withSnapshot)
    expect(proof.restored, `${seed}: a failed undo falls back on the snapshot`).toBeDefined();
  if (!refused) expect(reallyLeft(stage), `${seed}: what is called undone is undone`).toEqual([]);
  expect(stage.broken, seed).toEqual([]);
}

test(
  "in 1000 worlds the state after a rollback is the state before, or the proof says exactly what is left",
  async () => {
    for (let seed = 0; seed < 1000; seed++) {
      const stage = stageOf(seed);
      checkProof(stage, await harness(stage), `seed ${seed}`);
    }
  },
  TIMEOUT_MS,
);

/** Kills the harness at an await, finishes from the log alone, and says whether it had to be killed at all. */
async function killedAt(seed: number, atAwait: number, again: number): Promise<"lived" | "killed"> {
  const stage = stageOf(seed);
  const label = `seed ${seed}, killed at await ${atAwait}`;
  stage.arm(atAwait);
  const end = await Promise.race([harness(stage), stage.killed()]);
  if (end !== "killed") return "lived";
  if (again > 0) {
    const unfinished = unfinishedRollback(stage.intents);
    stage.arm(again);
    if (unfinished !== undefined) await Promise.race([resume(stage, unfinished), stage.killed()]);
  }
  stage.arm(0);
  const unfinished = unfinishedRollback(stage.intents);
  const left = reallyLeft(stage).filter((path) => !path.startsWith("redis/cache/left-by-"));
  if (unfinished === undefined) expect(left, `${label}: the log says that nothing is left`).toEqual([]);
  else {
    const resumed = await resume(stage, unfinished);
    expect(pathsOf(resumed.residue), `${label}: says exactly what is left`).toEqual(reallyLeft(stage));
    // An undo that was done and not recorded is done again, and may refuse: what counts is what is left.
    if (stage.undoable) expect(reallyLeft(stage), `${label}: everything is undone`).toEqual([]);
  }
  expect(stage.broken, label).toEqual([]);
  return "killed";
}

test(
  "killed at every single await, a harness leaves a log from which the next one finishes the rollback",
  async () => {
    let kills = 0;
    for (let seed = 0; seed < 15; seed++) {
      for (let atAwait = 1; (await killedAt(seed, atAwait, 0)) === "killed"; atAwait++) kills++;
    }
    expect(kills).toBeGreaterThan(500);
  },
  TIMEOUT_MS,
);

test(
  "in 1500 more worlds, killed once or twice at random, the same holds",
  async () => {
    for (let seed = 1000; seed < 2500; seed++) {
      const random = seededRandom(seed);
      await killedAt(seed, 1 + Math.floor(random() * 60), random() < 0.3 ? 1 + Math.floor(random() * 20) : 0);
    }
  },
  TIMEOUT_MS,
);
