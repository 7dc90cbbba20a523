import type { Fingerprint, ResourcePath } from "../mirror/fingerprint.ts";
import { sameTable } from "../mirror/state/difference.ts";
import type { Role } from "../mirror/twin.ts";
import type { ActorWrites } from "../mirror/write-log.ts";
import type { Noise } from "../replay/proof/noise.ts";
import { columnsAmong, rowsPutBack } from "../replay/proof/rows-put-back.ts";
import type { StoreReadings, WriteProvenance } from "../replay/proof/write-provenance.ts";
import type { LoadContext } from "./load-context.ts";

type Told = Extract<WriteProvenance, { kind: "told" }>;

/**
 * Looks at the rows that actions wrote under load and their undos wrote again, on both twins: the log says that a row was
 * touched, not with what. Asked while nothing writes, and only of tables that differ between the twins.
 * @throws CanaryError MIRROR_UNAVAILABLE when a store can not be read
 */
export async function lookAtRows(
  told: Told,
  context: Pick<LoadContext, "pair" | "reference" | "directEffects" | "signal"> & {
    readonly job: Pick<LoadContext["job"], "plan">;
    readonly effects: Pick<LoadContext["effects"], "state">;
  },
  now: {
    readonly load: StoreReadings;
    readonly noise: Noise | undefined;
    readonly fingerprints: Readonly<Record<Role, Fingerprint>>;
  },
): Promise<Told> {
  const { job, pair, effects, reference, directEffects, signal } = context;
  const actors = [...now.load.values()].flatMap((reading) => (reading.kind === "read" ? reading.actors : []));
  const performed = (id: string, phase: ActorWrites["phase"]): ActorWrites | undefined =>
    actors.find((actor) => actor.actionId === id && actor.phase === phase);
  const { control, shadow } = now.fingerprints;
  const unreturned = [...told.unreturned];
  const doubts = [...told.doubts];
  for (const { id } of job.plan.actions) {
    const [act, undo] = [performed(id, "act"), performed(id, "undo")];
    if (act === undefined || undo === undefined) continue;
    for (const table of tablesOf(act, undo)) {
      if (sameTable(control.tables[table], shadow.tables[table])) continue;
      const differences = await effects.state.rowDifferences({
        table,
        stores: pair.spec.state,
        reference: pair.control,
        changed: pair.shadow,
        signal,
      });
      if (differences === undefined) continue;
      const gained = Math.abs((control.tables[table]?.rows ?? 0) - (reference.shadow.tables[table]?.rows ?? 0));
      const { left, doubt } = rowsPutBack({
        table,
        act,
        undo,
        differences,
        noisyColumns: now.noise?.columns ?? [],
        changed: columnsAmong(directEffects, table),
        made: gained > 0 ? gained : (control.tables[table]?.rows ?? 0),
      });
      if (left !== undefined) unreturned.push({ ...left, actionId: id, differs: true });
      if (doubt !== undefined) doubts.push(doubt);
    }
  }
  return { ...told, unreturned, doubts };
}

function tablesOf(...actors: readonly ActorWrites[]): readonly ResourcePath[] {
  return [...new Set(actors.flatMap(({ tables }) => tables.map(({ table }) => table)))].sort();
}
