import { expect, test } from "vitest";
import { seededRandom } from "../../src/core/random.ts";
import type { Action } from "../../src/plan/plan.ts";
import type { QuietProof } from "../../src/replay/proof/proofs.ts";
import { scale, setEnvironment, sqlAction } from "../support/action-builder.ts";
import {
  harness,
  nextHarness,
  type RollbackStage,
  reallyLeft,
  resourcesOf,
  rollbackStage,
  type UndoTrouble,
} from "../support/rollback-stage.ts";

/** Some seconds on a quiet machine. */
const TIMEOUT_MS = 120_000;

function stageOf(seed: number): RollbackStage {
  const random = seededRandom(seed * 7919 + 1);
  const actions = drawActions(random);
  const troubles = new Map(actions.map((action) => [action.id, drawTrouble(random)]));
  const failing = random() < 0.3 ? actions[Math.floor(random() * actions.length)]?.id : undefined;
  const done = random() < 0.5;
  const withSnapshot = random() < 0.5;
  return rollbackStage({
    actions,
    troubles,
    failing: failing === undefined ? undefined : { id: failing, done },
    withSnapshot,
  });
}

/** No undo is refused for good and none leaves more: then everything must come back, without any snapshot. */
function isUndoable({ script }: RollbackStage): boolean {
  return [...script.troubles.values()].every(({ refusals, leavesMore }) => refusals < 2 && !leavesMore);
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

function drawTrouble(random: () => number): UndoTrouble {
  const share = random();
  const refusals = share < 0.65 ? 0 : share < 0.8 ? 1 : share < 0.9 ? Number.POSITIVE_INFINITY : 0;
  return { refusals, leavesMore: share >= 0.9 };
}

function checkProof(stage: RollbackStage, proof: QuietProof, seed: string): void {
  const said = proof.restored === undefined ? proof.residue : proof.restored.residue;
  expect(resourcesOf(said), `${seed}: the proof says exactly what is left`).toEqual(reallyLeft(stage));
  const refused = proof.failed?.during === "undo" || proof.residue.length > 0;
  if (isUndoable(stage)) expect(refused, `${seed}: an undo that is refused once is tried again`).toBe(false);
  if (refused && stage.script.withSnapshot)
    expect(proof.restored, `${seed}: a failed undo falls back on the snapshot`).toBeDefined();
  if (!refused) expect(reallyLeft(stage), `${seed}: what is called undone is undone`).toEqual([]);
  expect(stage.broken, seed).toEqual([]);
}

test(
  "in 1000 worlds the state after a rollback is the state before, or the proof says exactly what is left",
  async () => {
    for (let seed = 0; seed < 1000; seed++) {
      const stage = stageOf(seed);
      const end = await harness(stage);
      if (end.kind === "stopped") throw new Error("nobody stops these plans");
      checkProof(stage, end.proof, `seed ${seed}`);
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
    stage.arm(again);
    await Promise.race([nextHarness(stage), stage.killed()]);
  }
  stage.arm(0);
  const left = reallyLeft(stage).filter((path) => !path.startsWith("redis/cache/left-by-"));
  const resumed = await nextHarness(stage);
  if (resumed === undefined) expect(left, `${label}: the log says that nothing is left`).toEqual([]);
  else {
    expect(resourcesOf(resumed.residue), `${label}: says exactly what is left`).toEqual(reallyLeft(stage));
    // An undo that was done and not recorded is done again, and may refuse: what counts is what is left.
    if (isUndoable(stage)) expect(reallyLeft(stage), `${label}: everything is undone`).toEqual([]);
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
