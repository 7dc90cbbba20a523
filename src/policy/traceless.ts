import type { ActionStep } from "../plan/action.ts";
import type { Deed } from "./tier-table.ts";

/** Kinds that leave no trace in the state that is compared, so that there is nothing to declare. */
const TRACELESS_KINDS: ReadonlySet<ActionStep["uses"]> = new Set(["restart", "ticket", "pull-request"]);

/** Deeds that change no content: reading and waiting, and the upkeep of a store. */
const TRACELESS_DEEDS: ReadonlySet<Deed> = new Set(["read", "maintenance", "rebuild"]);

/** Whether a step has nothing to show in the state of a twin even when it does all that it is for. */
export function leavesNoTrace(step: Pick<ActionStep, "uses">, deed: Deed): boolean {
  return TRACELESS_KINDS.has(step.uses) || TRACELESS_DEEDS.has(deed);
}
