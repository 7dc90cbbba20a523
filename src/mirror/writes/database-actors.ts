import type { ActorWork, WriteLog } from "../write-log.ts";
import { type ActorConnections, actorConnections } from "./actor-connections.ts";
import type { DatabaseAccess } from "./database-access.ts";
import { openPostgresLog } from "./postgres-write-log.ts";

/** Who acts at the databases of one twin, and the logs of what was written there. */
export interface DatabaseActors {
  /** @throws what the server answers; signal.reason when aborted */
  sqlAs(service: string, work: ActorWork, signal: AbortSignal): Promise<void>;
  openWriteLog(service: string, signal: AbortSignal): Promise<WriteLog>;
  /** Removes roles that outlived their action: none, unless a server or a harness went away under one. */
  sweep(service: string): Promise<void>;
}

/** @param accessTo - how the database of a service is reached; throws for a service that has none */
export function databaseActors(accessTo: (service: string) => DatabaseAccess): DatabaseActors {
  const known = new Map<string, { readonly access: DatabaseAccess; readonly actors: ActorConnections }>();
  let logs = 0;
  const at = (service: string) => {
    const access = accessTo(service);
    const found = known.get(service) ?? { access, actors: actorConnections(access) };
    known.set(service, found);
    return found;
  };
  return {
    sqlAs: (service, work, signal) => at(service).actors.run(work, signal),
    openWriteLog: async (service, signal) => {
      signal.throwIfAborted();
      const { access, actors } = at(service);
      return await openPostgresLog(access, actors.performed, `canary_writes_${++logs}`);
    },
    sweep: (service) => at(service).actors.sweep(),
  };
}
