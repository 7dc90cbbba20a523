import type { Role, Twin } from "../twin.ts";
import type { RaisedWithStubs } from "./raise-twin.ts";
import type { RaisedTwin } from "./replicas.ts";
import { stateClients } from "./state-clients.ts";
import type { StubListener } from "./stubs.ts";
import { twinHandle } from "./twin-handle.ts";

/** One twin as this process holds it. */
export interface HeldTwin {
  readonly raised: RaisedTwin;
  readonly stubs?: StubListener;
  readonly twin: Twin;
}

/** What this process holds of both twins. Disposing lets go of them, connections and listeners; the containers go on. */
export type Holding = Readonly<Record<Role, HeldTwin>> & AsyncDisposable;

/** A handle that stays the same while what it stands for changes hands: each call goes to whoever holds it now. */
export function presently<T extends object>(present: () => T): T {
  return new Proxy(present(), { get: (_first, name): unknown => Reflect.get(present(), name) });
}

/** Connects to the stores of a twin that this process has raised; `holding` ends the connections. */
export function heldTwin({ raised, stubs }: RaisedWithStubs, holding: AsyncDisposableStack): HeldTwin {
  const { twin, ingress } = raised;
  const clients = holding.use(
    stateClients(twin.spec, { role: twin.role, addressOf: (state) => ingress.address(state) }),
  );
  const answering = stubs === undefined ? {} : { stubs };
  return { raised, ...answering, twin: twinHandle(raised, { clients, ...answering }) };
}
