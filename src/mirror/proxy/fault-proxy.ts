import { connect, createServer, type Server, type Socket } from "node:net";
import type { ConnectionProbe, EchoProbe, LinkTraffic, Toxic, ToxicStream } from "../twin-faults.ts";
import { probeConnection, probeEcho } from "./proxy-probe.ts";
import { find, type ProxyTools, passThrough } from "./toxic-stream.ts";

/** A link as the proxy carries it: callers named `from` on `port` are passed on to `target`. */
export interface CarriedLink {
  readonly id: string;
  readonly from: string;
  readonly port: number;
  readonly target: { readonly host: string; readonly port: number };
}

/** The proxy of one address: all links whose callers reach their dependency through it. */
export interface FaultProxy {
  /** Says which service an address belongs to; the same address may belong to another one later. */
  know(address: string, service: string): void;
  setToxics(linkId: string, toxics: readonly Toxic[]): void;
  traffic(linkId: string): LinkTraffic;
  probe(linkId: string, hello: Uint8Array, waitMs: number): Promise<ConnectionProbe>;
  echo(linkId: string, bytes: number, waitMs: number): Promise<EchoProbe>;
  close(): void;
}

interface Connection {
  readonly client: Socket;
  readonly server: Socket;
  /** Drawn once: a toxic meets the connection when its toxicity is above it. */
  readonly luck: number;
  /** A caller made it, not a probe. */
  readonly own: boolean;
}

interface LinkState {
  readonly link: CarriedLink;
  toxics: readonly Toxic[];
  /** Counts changes, so that what was started for older toxics does not act for newer ones. */
  version: number;
  readonly open: Set<Connection>;
  readonly traffic: { connections: number; bytesUp: number; bytesDown: number };
  /** Connections of the caller that one of the present toxics meets or has met. */
  met: number;
  /** Loopback ports of the link alone: to the dependency, and to an echo. */
  readonly own: { real: number; echo: number };
}

/** Listens for all links on `host`; nothing is harmed until somebody says so. */
export async function startFaultProxy(options: {
  readonly host: string;
  readonly links: readonly CarriedLink[];
  readonly tools: ProxyTools;
}): Promise<FaultProxy> {
  const { links, tools, host } = options;
  const serviceOf = new Map<string, string>();
  const servers: Server[] = [];
  const listen = async (at: { host: string; port: number }, accept: (client: Socket) => void): Promise<number> => {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, accept);
    servers.push(server);
    return await listening(server, at);
  };
  const echoPort = await listen({ host: "127.0.0.1", port: 0 }, (client) => {
    client.on("error", () => client.destroy());
    client.pipe(client);
  });
  const states = new Map<string, LinkState>();
  for (const link of links) {
    const state: LinkState = {
      link,
      toxics: [],
      version: 0,
      open: new Set(),
      traffic: { connections: 0, bytesUp: 0, bytesDown: 0 },
      met: 0,
      own: { real: 0, echo: 0 },
    };
    const echo = { host: "127.0.0.1", port: echoPort };
    const probed = (target: CarriedLink["target"]) => (client: Socket) =>
      carry(state, { client, target, own: false }, tools);
    state.own.real = await listen({ host: "127.0.0.1", port: 0 }, probed(link.target));
    state.own.echo = await listen({ host: "127.0.0.1", port: 0 }, probed(echo));
    states.set(link.id, state);
  }
  for (const port of new Set(links.map((link) => link.port))) {
    await listen({ host, port }, (client) => {
      const from = serviceOf.get(client.remoteAddress ?? "");
      const state = [...states.values()].find(({ link }) => link.port === port && link.from === from);
      // Nobody else is told this address, so nobody else has business here.
      if (state === undefined) return void client.resetAndDestroy();
      state.traffic.connections += 1;
      carry(state, { client, target: state.link.target, own: true }, tools);
    });
  }
  const stateOf = (id: string): LinkState => {
    const state = states.get(id);
    if (state === undefined) throw new Error(`no link ${id}`);
    return state;
  };
  return {
    know: (address, service) => void serviceOf.set(address, service),
    setToxics: (id, toxics) => change(stateOf(id), toxics, tools),
    traffic: (id) => ({ ...stateOf(id).traffic, open: stateOf(id).open.size, met: stateOf(id).met }),
    probe: (id, hello, waitMs) => probeConnection({ port: stateOf(id).own.real, hello, waitMs, tools }),
    echo: (id, bytes, waitMs) => probeEcho({ port: stateOf(id).own.echo, bytes, waitMs, tools }),
    close: () => {
      for (const { open } of states.values()) for (const connection of open) reset(connection);
      for (const server of servers) server.close();
    },
  };
}

function carry(
  state: LinkState,
  { client, target, own }: { readonly client: Socket; readonly target: CarriedLink["target"]; readonly own: boolean },
  tools: ProxyTools,
): void {
  const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
  const connection: Connection = { client, server, luck: tools.random(), own };
  state.open.add(connection);
  count(state, connection);
  const both = [
    { source: client, sink: server, stream: "upstream" as const },
    { source: server, sink: client, stream: "downstream" as const },
  ];
  for (const { source, sink, stream } of both) {
    let failed = false;
    source.on("error", () => {
      failed = true;
    });
    source.on("close", () => {
      // One end may be gone while the other still waits for what a toxic holds back.
      if (client.destroyed && server.destroyed) state.open.delete(connection);
      // A reset is passed on as a reset; a connection that merely ended is ended by `passThrough`, toxics included.
      if (failed) sink.resetAndDestroy();
      else if (!source.readableEnded) sink.destroy();
    });
    passThrough({
      source,
      sink,
      tools,
      toxics: () => meeting(state, connection, stream),
      cut: () => sink.end(() => source.destroy()),
      onBytes: (count) => {
        state.traffic[stream === "upstream" ? "bytesUp" : "bytesDown"] += count;
      },
    });
  }
  strike(state, connection, tools);
}

/** Counts a connection of the caller that is under one of the present toxics, once for each change of them. */
function count(state: LinkState, { own, luck }: Connection): void {
  if (own && state.toxics.some(({ toxicity }) => luck < (toxicity ?? 1))) state.met += 1;
}

function meeting(state: LinkState, connection: Connection, stream: ToxicStream): readonly Toxic[] {
  if (state.toxics.length === 0) return state.toxics;
  return state.toxics.filter(
    (toxic) => (toxic.stream ?? "downstream") === stream && connection.luck < (toxic.toxicity ?? 1),
  );
}

function change(state: LinkState, toxics: readonly Toxic[], tools: ProxyTools): void {
  const before = state.toxics;
  state.toxics = toxics;
  state.version += 1;
  state.met = 0;
  for (const connection of state.open) {
    count(state, connection);
    // What was swallowed meanwhile will never arrive: the connection is worthless.
    if (find(before, "timeout") !== undefined) reset(connection);
    else strike(state, connection, tools);
  }
}

/** What a toxic does to a connection as a whole, at once or after a while. */
function strike(state: LinkState, connection: Connection, tools: ProxyTools): void {
  const { version } = state;
  const later = (afterMs: number, happen: (connection: Connection) => void): void => {
    void tools.sleep(afterMs).then(() => {
      if (state.version === version && state.open.has(connection)) happen(connection);
    });
  };
  for (const toxic of state.toxics) {
    if (connection.luck >= (toxic.toxicity ?? 1)) continue;
    if (toxic.type === "down") reset(connection);
    if (toxic.type === "reset_peer") later(toxic.timeoutMs, reset);
    if (toxic.type === "timeout" && toxic.timeoutMs > 0) later(toxic.timeoutMs, closed);
  }
}

function reset({ client, server }: Connection): void {
  client.resetAndDestroy();
  server.resetAndDestroy();
}

function closed({ client, server }: Connection): void {
  client.destroy();
  server.destroy();
}

function listening(server: Server, at: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(at, () => {
      const bound = server.address();
      resolve(bound !== null && typeof bound === "object" ? bound.port : 0);
    });
  });
}
