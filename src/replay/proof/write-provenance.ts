import type { ResourcePath } from "../../mirror/fingerprint.ts";
import { type ActorWrites, rowsOf, type TableWrites, type WriteReading } from "../../mirror/write-log.ts";
import type { Action, Plan } from "../../plan/plan.ts";
import type { QuietProof } from "./proofs.ts";
import { rowsOutside, tableReached } from "./writes-outside.ts";
import { unreturnedWrites } from "./writes-unreturned.ts";

/** Rows of one table, with their sum. */
export interface TableCount extends TableWrites {
  readonly rows: number;
}

/** What one action, or its undo, wrote while the application wrote as well. */
export interface ActionWrites {
  readonly actionId: string;
  readonly phase: "act" | "undo";
  /** How often it was performed: once, or once a round. */
  readonly times: number;
  /** What it acted as at the database. */
  readonly role: string;
  readonly rows: number;
  readonly tables: readonly TableCount[];
  /** Neither declared nor written by this action on the quiet twin. */
  readonly outside: readonly OutsideWrites[];
}

/** Rows of one table that an action had no business with. */
export interface OutsideWrites {
  readonly table: ResourcePath;
  readonly rows: number;
  /** A few of them. */
  readonly examples: readonly ResourcePath[];
}

/** Who wrote what on the shadow from the plan's first act to the last barrier. */
export type WriteProvenance =
  | { readonly kind: "unavailable"; readonly why: string }
  | {
      readonly kind: "told";
      readonly actions: readonly ActionWrites[];
      readonly application: { readonly rows: number; readonly tables: readonly TableCount[] };
      /** What the undo under load left as an action wrote it; none where nothing was undone, or a snapshot was brought back. */
      readonly unreturned: readonly (OutsideWrites & {
        readonly actionId: string;
        /** The undo wrote them too, and they are not what they are on the control. */
        readonly differs?: true;
      })[];
      /** What the log does not tell, in sentences; with any of them who wrote what is not shown. */
      readonly doubts: readonly string[];
    };

/** Readings of every database that the plan's SQL acts at, by service. */
export type StoreReadings = ReadonlyMap<string, WriteReading>;

/**
 * Holds what actions wrote under load against what they declared and against what they wrote on the quiet twin. There alone
 * a write that changes nothing is told from one that was never made.
 */
export function writeProvenance(options: {
  readonly plan: Plan;
  /** Effects as the quiet twin showed them: the log has to show the rows among them too, or it is blind. */
  readonly proof: QuietProof;
  readonly quiet: StoreReadings;
  readonly load: StoreReadings;
  /** Whether every action was undone by its own undo under load. */
  readonly undone: boolean;
}): WriteProvenance {
  const { plan, proof, quiet, load, undone } = options;
  const unavailable = whyUnavailable(quiet, "on the quiet twin") ?? whyUnavailable(load, "under load");
  if (unavailable !== undefined) return { kind: "unavailable", why: unavailable };
  const [before, now] = [readsOf(quiet), readsOf(load)];
  const quietActors = before.flatMap(({ reading }) => reading.actors);
  const actions = now.flatMap(({ reading }) =>
    reading.actors.map((actor) => actionWrites(actor, { plan, quietActors })),
  );
  const tables = now.flatMap(({ reading }) => reading.application.map(counted));
  const returned = undone ? plan.actions.map((action) => returnOf(action, { proof, before, now })) : [];
  const doubts = [
    ...returned.flatMap((one) => one.doubts),
    ...[...before, ...now].flatMap(({ reading }) => reading.actors.flatMap(mixedWords)),
    ...before.flatMap((store) => blindSpots(store, { plan, proof })),
    ...now.flatMap(({ reading }) => reading.actors.flatMap((actor) => unlisted(actor, plan))),
  ];
  return {
    kind: "told",
    actions,
    application: { rows: sum(tables), tables },
    unreturned: returned.flatMap((one) => one.left),
    doubts: [...new Set(doubts)],
  };
}

interface Read {
  readonly service: string;
  readonly reading: Extract<WriteReading, { kind: "read" }>;
}

function readsOf(readings: StoreReadings): readonly Read[] {
  return [...readings].flatMap(([service, reading]) => (reading.kind === "read" ? [{ service, reading }] : []));
}

function whyUnavailable(readings: StoreReadings, where: string): string | undefined {
  for (const [service, reading] of readings) {
    if (reading.kind === "unavailable") return `${service} ${where}: ${reading.why}`;
  }
  return undefined;
}

function actionWrites(
  actor: ActorWrites,
  { plan, quietActors }: { readonly plan: Plan; readonly quietActors: readonly ActorWrites[] },
): ActionWrites {
  const { actionId, phase, times, role } = actor;
  const tables = actor.tables.map(counted);
  const quiet = quietActors.filter((other) => other.actionId === actionId);
  const outside = rowsOutside({ actor, changes: actionOf(plan, actionId)?.changes ?? [], quiet });
  return { actionId, phase, times, role, rows: sum(tables), tables, outside };
}

/** Whether what one action wrote under load was put back by its undo. */
function returnOf(
  { id, step, rollback }: Action,
  {
    proof,
    before,
    now,
  }: { readonly proof: QuietProof; readonly before: readonly Read[]; readonly now: readonly Read[] },
) {
  const nothing = { left: [], doubts: [] };
  if (step.uses !== "sql") return nothing;
  const performed = (reads: readonly Read[]) => ({ act: actorOf(reads, id, "act"), undo: actorOf(reads, id, "undo") });
  const load = performed(now);
  if ((load.act?.tables ?? []).length === 0) return nothing;
  if (rollback !== undefined && "uses" in rollback && rollback.uses !== "sql") {
    return { left: [], doubts: [`the undo of ${id} is no SQL, so that nobody can tell which rows it put back`] };
  }
  const effects = proof.actions.find((action) => action.id === id)?.effects ?? [];
  const { left, untold } = unreturnedWrites({
    load,
    quiet: performed(before),
    redefined: (table) => changesDefinition(effects, table),
  });
  return {
    left: left.map((one) => ({ ...one, actionId: id })),
    doubts: untold.map((table) => `action ${id} updated rows of ${table} that its undo did not touch again`),
  };
}

function actorOf(reads: readonly Read[], id: string, phase: ActorWrites["phase"]): ActorWrites | undefined {
  return reads.flatMap(({ reading }) => reading.actors).find((actor) => actor.actionId === id && actor.phase === phase);
}

/** Whether the table itself was changed, which may write it anew as a whole or take it away with its rows. */
function changesDefinition(effects: QuietProof["actions"][number]["effects"], table: ResourcePath): boolean {
  const definition = table.replace("/rows/", "/schema/");
  return effects.some(({ path }) => path === definition || path.startsWith(`${definition}/`));
}

function mixedWords({ actionId, phase, mixedWith }: ActorWrites): readonly string[] {
  if (mixedWith === undefined) return [];
  return [`what ${named(actionId, phase)} wrote is mixed with the application's writes: ${mixedWith}`];
}

/** Rows that the quiet twin saw an action change must stand in its log as well, unless it is known why they do not. */
function blindSpots(
  { service, reading }: Read,
  { plan, proof }: { readonly plan: Plan; readonly proof: QuietProof },
): readonly string[] {
  return proof.actions.flatMap(({ id, effects }): readonly string[] => {
    const step = actionOf(plan, id)?.step;
    if (step?.uses !== "sql" || step.with.service !== service) return [];
    const logged = reading.actors.filter((actor) => actor.actionId === id && actor.phase === "act");
    const changed = new Set(effects.flatMap(({ path }) => tableOfRow(path) ?? []));
    return [...changed].flatMap((table): readonly string[] => {
      if (logged.some((actor) => actor.tables.some((one) => one.table === table))) return [];
      const kind = reading.unlogged.find((one) => one.table === table)?.kind;
      const rewritten = changesDefinition(effects, table);
      if (kind === "materialised view" || rewritten) return [];
      const why = kind === undefined ? "its rows do not stand in the server's log" : "the server keeps no log of it";
      return [`action ${id} changed ${table} on the quiet twin, but ${why}`];
    });
  });
}

/** Rows beyond those listed are only known by table: enough where the whole table was declared, or none of it. */
function unlisted(actor: ActorWrites, plan: Plan): readonly string[] {
  if (actor.rowsLeftOut === 0) return [];
  const changes = actionOf(plan, actor.actionId)?.changes ?? [];
  const narrow = actor.tables.filter(({ table }) => tableReached(changes, table) === "in part");
  return narrow.map(
    ({ table }) =>
      `${named(actor.actionId, actor.phase)} wrote more rows than are looked at one by one, and declares only some of ${table}`,
  );
}

/** `db/<service>/<database>/rows/<table>` of a path in a table. */
function tableOfRow(path: ResourcePath): ResourcePath | undefined {
  const parts = path.split("/");
  return parts[0] === "db" && parts[3] === "rows" ? parts.slice(0, 5).join("/") : undefined;
}

function named(actionId: string, phase: ActionWrites["phase"]): string {
  return phase === "act" ? `action ${actionId}` : `the undo of ${actionId}`;
}

function actionOf(plan: Plan, id: string): Action | undefined {
  return plan.actions.find((action) => action.id === id);
}

function counted(table: TableWrites): TableCount {
  return { ...table, rows: rowsOf(table) };
}

function sum(tables: readonly TableCount[]): number {
  return tables.reduce((total, { rows }) => total + rows, 0);
}
