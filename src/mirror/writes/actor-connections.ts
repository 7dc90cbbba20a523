import type { Client } from "pg";
import { messageOf } from "../../core/errors.ts";
import { quoted } from "../state/postgres-rows.ts";
import type { ActorWork, DatabaseActor } from "../write-log.ts";
import { type ActorRole, applicationName, dropForgottenRoles, dropRole, makeRole, roleName } from "./actor-role.ts";
import { runNumbered } from "./actor-transactions.ts";
import { connectAs, type DatabaseAccess, sqlState } from "./database-access.ts";

/** One performance of an action at a database: what its transactions are told by. */
export interface Performed {
  readonly actionId: string;
  readonly phase: DatabaseActor["phase"];
  /** What it acted as, for people. */
  role: string;
  /** 64-bit numbers of its transactions, as decimal text. */
  readonly transactions: string[];
  mixedWith?: string;
}

/** Connections of actions to one database, each as a role of its own that is gone when it ends. */
export interface ActorConnections {
  /** Everything that was performed so far, in order. */
  readonly performed: readonly Performed[];
  /** @throws what the server answers; signal.reason when aborted */
  run(work: ActorWork, signal: AbortSignal): Promise<void>;
  /** Removes roles that outlived their action, a killed harness's at the first call, before anybody looks at the state. */
  sweep(): Promise<void>;
}

/** Nobody is connected yet; each `run` connects, acts and leaves. */
export function actorConnections(access: DatabaseAccess): ActorConnections {
  const performed: Performed[] = [];
  const leftover = new Set<string>();
  let made = 0;
  let looked = false;
  const sweep = async (): Promise<void> => {
    if (!looked && made === 0) await dropForgottenRoles(access);
    looked = true;
    for (const name of leftover) {
      await dropRole(access, name);
      leftover.delete(name);
    }
  };
  return {
    performed,
    sweep,
    run: async (work, signal) => {
      signal.throwIfAborted();
      const name = roleName(work.as, ++made);
      const one: Performed = { actionId: work.as.actionId, phase: work.as.phase, role: "", transactions: [] };
      performed.push(one);
      try {
        const role = await makeRole(access, work.as, name);
        await runAs(access, { role, work, one }, signal);
      } finally {
        // A server that is gone keeps its roles; the next look at its state removes them first.
        leftover.add(name);
        await sweep().catch(() => undefined);
      }
    },
  };
}

interface Acting {
  readonly role: ActorRole;
  readonly work: ActorWork;
  readonly one: Performed;
}

async function runAs(access: DatabaseAccess, { role, work, one }: Acting, signal: AbortSignal): Promise<void> {
  const client = await login(access, { role, work, one });
  const ended = new AbortController();
  try {
    if (role.kind === "own") await takeOn(client, role, access);
    const { rows } = await client.query<{ pid: number }>("SELECT pg_backend_pid() AS pid");
    const cancel = (): void => {
      // The statement itself then fails with the reason; if even this cannot be asked, its time-out ends it.
      access.ask("SELECT pg_cancel_backend($1)", [rows[0]?.pid ?? 0]).catch(() => undefined);
    };
    signal.addEventListener("abort", cancel, { once: true, signal: ended.signal });
    signal.throwIfAborted();
    const onMixed = (why: string): void => {
      one.mixedWith ??= why;
    };
    await runNumbered(client, work, { onTransaction: (id) => one.transactions.push(id), onMixed }, signal);
  } finally {
    ended.abort();
    await client.end().catch(() => undefined);
  }
}

/** As its own role where the server lets it in, else as the mirror's user: who may log in from where is the mirror's affair. */
async function login(access: DatabaseAccess, { role, work, one }: Acting): Promise<Client> {
  const { state } = access;
  const as = { applicationName: applicationName(work.as), statementTimeoutMs: work.timeoutMs };
  const asOwner = async (words: string): Promise<Client> => {
    one.role = words;
    return await connectAs(access, { ...as, user: state.user, password: state.password });
  };
  if (role.kind === "shared") return await asOwner(role.words);
  try {
    one.role = role.words;
    return await connectAs(access, { ...as, user: role.name, password: role.password });
  } catch (cause) {
    // Only what may act as the mirror's user anyway may do so in its place.
    if (role.rights !== "owner" || !/^28|^42501/.test(sqlState(cause))) throw cause;
    return await asOwner(`${state.user} itself (its own role may not log in: ${messageOf(cause)})`);
  }
}

/** Settings of the mirror's user, and its place as the owner of what is created. */
async function takeOn(
  client: Client,
  role: Extract<ActorRole, { kind: "own" }>,
  { state }: DatabaseAccess,
): Promise<void> {
  const { rows } = await client.query<{ own: boolean }>("SELECT session_user = $1 AS own", [role.name]);
  if (rows[0]?.own !== true) return;
  for (const [name, value] of role.settings) {
    // What only a superuser may set is not worth failing for.
    await client.query("SELECT set_config($1, $2, false)", [name, value]).catch(() => undefined);
  }
  if (role.rights === "owner") await client.query(`SET ROLE ${quoted(state.user)}`);
}
