import { CanaryError, messageOf } from "../../core/errors.ts";
import type { Snapshot } from "../../mirror/snapshots/snapshot.ts";
import type { CellOutcome, DrillStage } from "../../replay/drill/drill-stage.ts";
import { type HealthAnswer, waitUntilWell } from "../../replay/drill/health.ts";
import { healthTools } from "../../replay/drill/play-cell.ts";
import { whatChanged } from "../../replay/drill/what-changed.ts";
import type { DrillReset } from "../../report/drill/drill-report.ts";
import type { DrillEffects } from "./drill-effects.ts";

/** What resetting needs of the ground that it resets. */
export interface Resetting {
  readonly stage: () => DrillStage;
  /** Of the shadow as it stands now. */
  readonly snapshot: () => Snapshot;
  readonly raiseAnew: () => Promise<void>;
  readonly clock: DrillEffects["clock"];
  readonly log: { note(message: string): void };
}

/** Makes the shadow what it was before the cell, by as little as does it; a new pair is the last resort. */
export async function resetStage(
  { stage, snapshot, raiseAnew, clock, log }: Resetting,
  after: Pick<CellOutcome, "result" | "differences" | "health">,
  signal: AbortSignal,
): Promise<DrillReset> {
  const startedMs = clock.monotonicMs();
  const done = (way: DrillReset["way"], restarted: readonly string[] = []): DrillReset => ({
    way,
    tookMs: clock.monotonicMs() - startedMs,
    restarted: [...restarted],
  });
  const unwell = after.health.filter(({ healthy }) => !healthy);
  const same = after.result !== "error" && after.differences.length === 0;
  if (same && unwell.length === 0) return done("none");
  if (same) {
    const restarted = await restartUnwell(stage(), unwell, signal);
    if (restarted !== undefined) return done("restarted", restarted);
  }
  for (const only of storesToRestore(stage(), after)) {
    const revived = await bySnapshot(stage(), { snapshot: snapshot(), only }, signal);
    if (revived !== undefined) return done("snapshot", revived);
  }
  log.note("the snapshot did not bring everything back, so the twins are raised anew");
  await raiseAnew();
  requireWell((await waitUntilWell(healthTools(stage()), signal)).answers);
  return done("raised-anew");
}

/**
 * What is tried in turn: the stores that were seen to hold something else, then all of them, since a list of differences is
 * cut off where it gets too long. All at once where nothing was seen.
 */
function storesToRestore(
  stage: DrillStage,
  { result, differences }: Pick<CellOutcome, "result" | "differences">,
): readonly (ReadonlySet<string> | undefined)[] {
  const services = stage.pair.spec.state.map(({ service }) => service);
  const changed = services.filter((service) =>
    differences.some(({ path }) => /^(?:db|redis)$/.test(path.split("/")[0] ?? "") && path.split("/")[1] === service),
  );
  return result === "error" || changed.length === services.length ? [undefined] : [new Set(changed), undefined];
}

/**
 * Restores the snapshot, or the stores that are chosen of it, lets the applications find their stores again, and restarts those that do not; answers which.
 * `undefined` when the state is not the reference afterwards, or something stays unwell.
 */
async function bySnapshot(
  stage: DrillStage,
  { snapshot, only }: { readonly snapshot: Snapshot; readonly only: ReadonlySet<string> | undefined },
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  try {
    const { restarted } = await snapshot.restore(signal, only);
    const [changed, { answers }] = await Promise.all([
      whatChanged(stage, stage.reference, { rows: "tables", signal }),
      waitUntilWell(healthTools(stage), signal),
    ]);
    if (changed.length > 0) return undefined;
    const unwell = answers.filter(({ healthy }) => !healthy);
    const more = unwell.length === 0 ? [] : await restartUnwell(stage, unwell, signal);
    return more === undefined ? undefined : [...restarted, ...more];
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CanaryError)) throw thrown;
    return undefined;
  }
}

/** Restarts what did not get well by itself; `undefined` when that did not help or changed the state. */
async function restartUnwell(
  stage: DrillStage,
  unwell: readonly HealthAnswer[],
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const services = [...new Set(unwell.map(({ service }) => service))];
  try {
    for (const service of services) await stage.faults.restart(service, signal);
    const { answers } = await waitUntilWell(healthTools(stage), signal);
    const changed = await whatChanged(stage, stage.reference, { rows: "tables", signal });
    const well = answers.every(({ healthy }) => healthy) && changed.length === 0;
    return well ? services : undefined;
  } catch (thrown) {
    signal.throwIfAborted();
    if (!(thrown instanceof CanaryError)) throw thrown;
    return undefined;
  }
}

/** @throws CanaryError MIRROR_UNAVAILABLE when something is not well, or nothing can be asked: then no cell could show anything */
export function requireWell(answers: readonly HealthAnswer[]): void {
  if (answers.length === 0) {
    throw new CanaryError({
      code: "MIRROR_UNAVAILABLE",
      message: "nothing in the mirror can be asked whether it is well, so a drill could not tell that it is",
      hint: "Give a service a `healthcheck` in the Compose file, or the scenario a probe under `drill: health:`.",
    });
  }
  const unwell = answers.filter(({ healthy }) => !healthy);
  if (unwell.length === 0) return;
  throw new CanaryError({
    code: "MIRROR_UNAVAILABLE",
    message: `the mirror is not well before anything was done to it: ${unwell.map(({ name }) => name).join(", ")}`,
    hint: unwell.map(({ name, said }) => `${name}: ${messageOf(said)}`).join("\n"),
  });
}
