import { invariant } from "../../../src/core/invariant.ts";
import { WORLDS, type World } from "../simulator/world.ts";

/** A world of the simulator. @throws InvariantViolation for a name it does not have */
export function worldNamed(name: string): World {
  const world = WORLDS[name];
  invariant(world !== undefined, `there is no world called ${name}`);
  return world;
}
