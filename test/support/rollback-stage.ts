import { type Intent, type UnfinishedRollback, unfinishedRollback } from "../../src/core/intent-log.ts";
import type { Fingerprint } from "../../src/mirror/fingerprint.ts";
import { coarseDifference } from "../../src/mirror/state/difference.ts";
import type { Twin, TwinPair } from "../../src/mirror/twin.ts";
import type { Action } from "../../src/plan/plan.ts";
import type { WaysOut } from "../../src/plan/recovery.ts";
import type { Performance } from "../../src/replay/proof/perform-action.ts";
import type { QuietProof } from "../../src/replay/proof/proofs.ts";
import { proveQuietly, type QuietStop } from "../../src/replay/proof/quiet-proof.ts";
import { type ResumedRollback, resumeRollback } from "../../src/replay/proof/resume-rollback.ts";
import { planOf } from "./action-builder.ts";
import { simulatedClock } from "./simulated-clock.ts";
import { shopSpec, shopWorld } from "./simulated-shop.ts";
import { simulatedSnapshots } from "./simulated-snapshots.ts";
import { fingerprintOf, simulatedState } from "./simulated-state.ts";
import { type SimulatedTwin, simulatedPair } from "./simulated-twin.ts";

/** What goes wrong when an action is undone. */
export interface UndoTrouble {
  /** How often it is refused before it is done. */
  readonly refusals: number;
  /** It leaves a key of its own. */
  readonly leavesMore: boolean;
}

/** Everything that will happen in one world: the plan, and what goes wrong with it. */
export interface RollbackScript extends WaysOut {
  readonly actions: readonly Action[];
  readonly troubles: ReadonlyMap<string, UndoTrouble>;
  /** The action that fails, having done all that it does or nothing. */
  readonly failing?: { readonly id: string; readonly done: boolean } | undefined;
  /** The action during which a person stops the plan. */
  readonly stoppedIn?: string | undefined;
  readonly withSnapshot: boolean;
  /** How often an undo is tried; as the engine has it where absent. */
  readonly tries?: number | undefined;
}

/** One twin, one intent log, one plan, and a harness that may be killed at any await. */
export interface RollbackStage {
  readonly script: RollbackScript;
  readonly pair: TwinPair & { readonly shadow: SimulatedTwin };
  readonly intents: readonly Intent[];
  readonly before: Fingerprint;
  /** Kills the harness that runs at its n-th await from now; 0 lets it live. */
  arm(atAwait: number): void;
  /** Resolves when the harness was killed. */
  killed(): Promise<"killed">;
  readonly shadow: Twin;
  readonly intent: Performance["intent"];
  readonly stop: AbortController;
  /** Rules that the engine broke, in sentences. */
  readonly broken: readonly string[];
}

/** A stage on which nothing has happened yet. */
export function rollbackStage(script: RollbackScript): RollbackStage {
  const pair = simulatedPair({ spec: shopSpec, world: shopWorld() });
  const refusals = new Map([...script.troubles].map(([id, trouble]) => [id, trouble.refusals]));
  const intents: Intent[] = [];
  const broken: string[] = [];
  const stop = new AbortController();
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
    if (script.failing?.id !== id) {
      await change();
      if (script.stoppedIn === id) stop.abort(new Error("a person stops it (simulated)"));
      return;
    }
    if (script.failing.done) await change();
    throw new Error("the action fails (simulated)");
  };
  const undo = async (id: string, change: () => Promise<unknown>): Promise<void> => {
    const left = refusals.get(id) ?? 0;
    if (left > 0) {
      refusals.set(id, left - 1);
      throw new Error("the undo is refused (simulated)");
    }
    await change();
    if (script.troubles.get(id)?.leavesMore === true) pair.shadow.world.keys.get("cache")?.set(`left-by-${id}`, "over");
  };
  const shadow: Twin = {
    ...pair.shadow,
    scale: (service, replicas, at) => changed(() => pair.shadow.scale(service, replicas, at)),
    update: (service, change, at) => changed(() => pair.shadow.update(service, change, at)),
    sqlAs: (database, work, at) => changed(() => pair.shadow.sqlAs(database, work, at)),
    configuration: async (at) => {
      await breathe();
      return await pair.shadow.configuration(at);
    },
  };
  return {
    script,
    pair,
    intents,
    before: fingerprintOf(pair.shadow.world),
    arm: (atAwait) => {
      awaits = 0;
      killAt = atAwait;
      kill = Promise.withResolvers();
    },
    killed: () => kill.promise,
    shadow,
    stop,
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

/** How the quiet proof of a script ended. */
export type HarnessEnd =
  | { readonly kind: "proof"; readonly proof: QuietProof }
  | { readonly kind: "stopped"; readonly stopped: QuietStop | undefined };

/** The real engine on the stage: performs the plan and takes it back. */
export async function harness(stage: RollbackStage): Promise<HarnessEnd> {
  const { pair, intent, before, shadow, script, stop } = stage;
  const { signal } = stop;
  await intent.record({ kind: "run", runId: "sim", planSha256: "0", scenario: "sim" });
  const snapshot = script.withSnapshot
    ? await simulatedSnapshots().take({ twin: pair.shadow, stores: shopSpec.state, signal })
    : undefined;
  let stopped: QuietStop | undefined;
  const proving = proveQuietly({
    ...performance(stage),
    plan: { ...planOf(...script.actions), onFailure: script.onFailure, onAbort: script.onAbort },
    pair: { ...pair, shadow },
    state: stateOf(stage),
    baseline: before,
    allowedChanges: ["**"],
    ...(snapshot === undefined ? {} : { snapshot }),
    onStopped: (told) => {
      stopped = told;
    },
    signal,
  });
  try {
    return { kind: "proof", proof: await proving };
  } catch (thrown) {
    if (thrown !== signal.reason) throw thrown;
    return { kind: "stopped", stopped };
  }
}

/** The next harness, which knows nothing but the log and the state before; answers nothing where nothing is unfinished. */
export async function nextHarness(stage: RollbackStage): Promise<ResumedRollback | undefined> {
  const unfinished = unfinishedRollback(stage.intents);
  return unfinished === undefined ? undefined : await resume(stage, unfinished);
}

async function resume(stage: RollbackStage, unfinished: UnfinishedRollback): Promise<ResumedRollback> {
  const { pair, before, shadow } = stage;
  const kept = { reference: before, consequences: [], directEffects: [] };
  const to = performance(stage);
  const { signal } = new AbortController();
  return await resumeRollback({ unfinished, pair: { ...pair, shadow }, to, state: stateOf(stage), kept }, signal);
}

function performance({ shadow, intent, script: { tries } }: RollbackStage): Performance {
  const clock = simulatedClock();
  const nothing = (): void => undefined;
  const undoTries = tries === undefined ? {} : { undoTries: tries };
  const watched = { onStep: nothing, onRecord: nothing };
  return { proof: "quiet", shadow, intent, clock, axisMs: () => 0, baseDir: "/", ...undoTries, ...watched };
}

/** Reading state takes awaits as well, at which a harness may be killed. */
function stateOf(stage: RollbackStage): typeof simulatedState {
  return {
    ...simulatedState,
    fingerprint: async (twin, stores, options) => {
      if (twin.role === "shadow") await twin.configuration(options.signal);
      return await simulatedState.fingerprint(twin.role === "shadow" ? stage.pair.shadow : twin, stores, options);
    },
    rowDifferences: (query) => simulatedState.rowDifferences({ ...query, changed: stage.pair.shadow }),
  };
}

/** Resources of differences, rows as their tables, sorted. */
export function resourcesOf(differences: readonly { readonly path: string }[]): readonly string[] {
  return [...new Set(differences.map(({ path }) => path.split("/").slice(0, 5).join("/")))].sort();
}

/** What really differs now from what was. */
export function reallyLeft(stage: RollbackStage): readonly string[] {
  return resourcesOf(coarseDifference(stage.before, fingerprintOf(stage.pair.shadow.world)));
}
