import type { Snapshot } from "../mirror/snapshots/snapshot.ts";
import { ROLES, type Role, type TwinPair } from "../mirror/twin.ts";
import type { ActionStep } from "../plan/action.ts";
import type { RunEffects } from "./run-effects.ts";
import type { RunJob } from "./run-job.ts";
import type { RunLog } from "./run-log.ts";

/** Verified snapshots of both twins; the control's says what traffic alone has written since. */
export type RunSnapshots = Readonly<Record<Role, Snapshot>>;

/** Tiers from here on need a snapshot that was restored and compared (DESIGN.md 5). */
const SNAPSHOT_TIER = 3;

/** Whether this run takes snapshots: its tier needs them, or the scenario asks for them. */
export function needsSnapshots({ scenario }: Pick<RunJob, "scenario">, tier: number): boolean {
  const { snapshot, restoreMayLose } = scenario.rollback;
  return tier >= SNAPSHOT_TIER || snapshot === "always" || restoreMayLose !== undefined;
}

/**
 * Takes and verifies snapshots of both twins at once, before the fingerprint that everything is held against.
 * @throws CanaryError SNAPSHOT_UNVERIFIED: nothing was done to the twins, and nothing will be
 */
export async function takeSnapshots(options: {
  readonly job: RunJob;
  readonly pair: TwinPair;
  readonly effects: Pick<RunEffects, "snapshots">;
  readonly log: RunLog;
  readonly signal: AbortSignal;
}): Promise<RunSnapshots> {
  const { job, pair, effects, log, signal } = options;
  await Promise.all(ROLES.map((role) => pair[role].freeze(pair.spec.background, signal)));
  const files = job.plan.actions.flatMap(({ step }) => fileOf(step));
  const taking = ROLES.map((role) =>
    effects.snapshots.take({ twin: pair[role], stores: pair.spec.state, files, signal }),
  );
  // Both are awaited whatever becomes of one: nothing may work on a twin that is being removed.
  const outcomes = await Promise.allSettled(taking);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  const [control, shadow] = await Promise.all(taking);
  if (control === undefined || shadow === undefined) throw new TypeError("two snapshots were asked for");
  log.note(snapshotWords(shadow));
  return { control, shadow };
}

function fileOf(step: ActionStep): readonly { readonly service: string; readonly path: string }[] {
  return step.uses === "file" || step.uses === "flag" ? [{ service: step.with.service, path: step.with.path }] : [];
}

function snapshotWords({ facts }: Snapshot): string {
  const stores = facts.stores.map(({ service, kind, entries }) => {
    return `${service} ${entries.toLocaleString("en")} ${kind === "postgres" ? "rows" : "keys"}`;
  });
  const restarted = facts.restarted.length === 0 ? "" : `; started again by it: ${facts.restarted.join(", ")}`;
  const seconds = (facts.tookMs / 1000).toFixed(1);
  return `snapshots of both twins taken, restored to scratch and compared in ${seconds} s (${stores.join(", ")})${restarted}`;
}
