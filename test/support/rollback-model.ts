import fc from "fast-check";
import type { ActionStep } from "../../src/plan/action.ts";
import type { Action } from "../../src/plan/plan.ts";
import type { Recovery } from "../../src/plan/recovery.ts";
import type { RollbackScript, UndoTrouble } from "./rollback-stage.ts";

/** What the model knows of a twin: five places, each with one value; the first one is there before anything happens. */
const PLACES = {
  workers: { path: "service/worker/replicas", values: ["1", "2", "4"] },
  apis: { path: "service/api/replicas", values: ["1", "2", "3"] },
  mode: { path: "service/api/env/MODE", values: ["", "fast", "slow"] },
  job: { path: "db/db/shop/rows/jobs", values: ["queued", "done", "held"] },
  title: { path: "db/db/shop/rows/products", values: ["chair", "sofa", "stool"] },
} as const;
type Place = keyof typeof PLACES;
type State = Record<Place, string>;
const PLACE_NAMES = Object.keys(PLACES) as readonly Place[];
const first = (place: Place): string => PLACES[place].values[0];

/** One action: brings a place to a value. Its undo is the plan's, read from the twin, or forgets to undo anything. */
interface ModelAction extends UndoTrouble {
  readonly place: Place;
  readonly to: string;
  readonly undo: "given" | "derived" | "forgets";
}

/** A plan and what goes wrong with it, as small as a counterexample should be read. */
export interface ModelCase {
  readonly actions: readonly ModelAction[];
  /** What happens at which action (counted round the plan), if anything. */
  readonly end: { readonly kind: "well" | "fails" | "fails-done" | "stopped"; readonly at: number };
  /** Places that a way out of the plan's own brings back; `stop` and `rollback` are words of the plan. */
  readonly onFailure: readonly Place[] | "rollback" | "stop";
  readonly onAbort: readonly Place[] | "rollback" | "stop";
  readonly tries: number;
  readonly withSnapshot: boolean;
}

/** What must come of a case. */
export interface Expected {
  /** Resources that the way back leaves, sorted. */
  readonly residue: readonly string[];
  readonly stopped: boolean;
  readonly failedDuring: "act" | "undo" | undefined;
  readonly undoFailed: boolean;
  readonly restored: boolean;
  readonly noOps: readonly boolean[];
}

const place = fc.constantFrom(...PLACE_NAMES);
const action = (undos: readonly ModelAction["undo"][], trouble: fc.Arbitrary<UndoTrouble>): fc.Arbitrary<ModelAction> =>
  fc
    .tuple(place, fc.nat(2), fc.constantFrom(...undos), trouble)
    .map(([at, value, undo, wrong]) => ({ place: at, to: PLACES[at].values[value] ?? first(at), undo, ...wrong }));
const way: fc.Arbitrary<ModelCase["onFailure"]> = fc.oneof(
  fc.constantFrom("rollback" as const, "stop" as const),
  fc.subarray([...PLACE_NAMES], { minLength: 1 }),
);
const soundWay: fc.Arbitrary<ModelCase["onFailure"]> = fc.constantFrom("rollback" as const, PLACE_NAMES);
const end: fc.Arbitrary<ModelCase["end"]> = fc.record({
  kind: fc.constantFrom("well", "fails", "fails-done", "stopped"),
  at: fc.nat(4),
});
const shape = { end, tries: fc.integer({ min: 1, max: 3 }), withSnapshot: fc.boolean() };

/** Plans of which everything may go wrong. */
export const anyCase: fc.Arbitrary<ModelCase> = fc.record({
  ...shape,
  actions: fc.array(
    action(["given", "derived", "forgets"], fc.record({ refusals: fc.nat(3), leavesMore: fc.boolean() })),
    { minLength: 1, maxLength: 5 },
  ),
  onFailure: way,
  onAbort: way,
});

/** Plans whose ways back are sound: whatever happens to the harness, nothing may be left. */
export const soundCase: fc.Arbitrary<ModelCase> = fc.record({
  ...shape,
  actions: fc.array(action(["given", "derived"], fc.constant({ refusals: 0, leavesMore: false })), {
    minLength: 1,
    maxLength: 5,
  }),
  onFailure: soundWay,
  onAbort: soundWay,
});

const idOf = (index: number): string => `action-${index}`;
const isService = (at: Place): boolean => PLACES[at].path.startsWith("service/");

/** The case as the engine's plan. */
export function scriptOf(one: ModelCase): RollbackScript {
  const { actions, tries, withSnapshot } = one;
  const at = idOf(one.end.at % actions.length);
  const failing = { id: at, done: one.end.kind === "fails-done" };
  return {
    actions: actions.map((each, index) => actionOf(one, each, index)),
    troubles: new Map(actions.map((each, index) => [idOf(index), each])),
    failing: one.end.kind.startsWith("fails") ? failing : undefined,
    stoppedIn: one.end.kind === "stopped" ? at : undefined,
    onFailure: recoveryOf(one.onFailure),
    onAbort: recoveryOf(one.onAbort),
    tries,
    withSnapshot,
  };
}

function actionOf({ actions }: ModelCase, each: ModelAction, index: number): Action {
  const undo = undoOf(actions, index);
  return {
    id: idOf(index),
    what: `${each.place} becomes ${each.to || "unset"}`,
    why: "the model says so",
    requires: ["test:write", "postgres:write@shop"],
    changes: ["**"],
    step: stepTo(each.place, each.to),
    ...(undo === undefined ? {} : { rollback: stepTo(each.place, undo) }),
    timeoutSeconds: 30,
  };
}

/** Where the plan's undo leads; nothing where the engine has to read it. Of rows nothing is read. */
function undoOf(actions: readonly ModelAction[], index: number): string | undefined {
  const each = actions[index];
  if (each === undefined) return undefined;
  if (each.undo === "forgets") return each.to;
  if (each.undo === "derived" && isService(each.place)) return undefined;
  return actions.slice(0, index).findLast((earlier) => earlier.place === each.place)?.to ?? first(each.place);
}

function stepTo(at: Place, value: string): ActionStep {
  const sql = (text: string): ActionStep => ({
    uses: "sql",
    with: { service: "db", statements: [text], transaction: true },
  });
  switch (at) {
    case "workers":
      return { uses: "scale", with: { service: "worker", replicas: Number(value) } };
    case "apis":
      return { uses: "scale", with: { service: "api", replicas: Number(value) } };
    case "mode":
      return { uses: "update", with: { service: "api", environment: { MODE: value === "" ? null : value } } };
    case "job":
      return sql(`UPDATE jobs SET status = '${value}' WHERE id = '3'`);
    case "title":
      return sql(`UPDATE products SET title = '${value}' WHERE id = '1'`);
  }
}

function recoveryOf(way: ModelCase["onFailure"]): Recovery {
  if (way === "rollback" || way === "stop") return way;
  return way.map((at) => ({ id: `back-${at}`, step: stepTo(at, first(at)), timeoutSeconds: 5 }));
}

/** What must come of it, by a model that knows values and nothing of the engine. */
export function expected(one: ModelCase): Expected {
  const state = Object.fromEntries(PLACE_NAMES.map((at) => [at, first(at)])) as State;
  const { acted, noOps, ended } = perform(one, state);
  const way = ended === "well" ? "rollback" : ended === "stopped" ? one.onAbort : one.onFailure;
  const left = new Set<string>();
  let undoFailed = false;
  if (way === "rollback" || acted.length === 0) {
    for (const { index, undo } of acted.toReversed()) {
      const each = one.actions[index];
      if (each === undefined || (isService(each.place) && state[each.place] === undo)) continue;
      if (each.refusals >= one.tries) undoFailed = true;
      else {
        state[each.place] = undo;
        if (each.leavesMore) left.add(`redis/cache/left-by-${idOf(index)}`);
      }
    }
  } else if (way !== "stop") for (const at of way) state[at] = first(at);
  for (const at of PLACE_NAMES) if (state[at] !== first(at)) left.add(PLACES[at].path);
  const stays = way === "stop" && acted.length > 0;
  const stopped = ended === "stopped";
  return {
    residue: [...left].sort(),
    stopped,
    failedDuring: ended === "fails" ? "act" : undoFailed ? "undo" : undefined,
    undoFailed,
    restored: one.withSnapshot && !stopped && !stays && (undoFailed || left.size > 0),
    noOps,
  };
}

function perform(one: ModelCase, state: State) {
  const acted: { readonly index: number; readonly undo: string }[] = [];
  const noOps: boolean[] = [];
  for (const [index, each] of one.actions.entries()) {
    const { place: at, to } = each;
    const before = state[at];
    const idle = isService(at) && before === to;
    noOps.push(idle);
    if (idle) continue;
    const happens = index === one.end.at % one.actions.length ? one.end.kind : "well";
    if (happens !== "fails") state[at] = to;
    // What failed and changed nothing is not undone.
    if (!happens.startsWith("fails") || state[at] !== before)
      acted.push({ index, undo: undoOf(one.actions, index) ?? before });
    if (happens !== "well") return { acted, noOps, ended: happens === "stopped" ? "stopped" : "fails" } as const;
  }
  return { acted, noOps, ended: "well" } as const;
}
